"""How well passages support a sentence, by what both say in words: a share of its content words, unless they differ in
a number, a name, a denial, a contrast, or in who does what to whom.

Each fact of the sentence must be held by a fact of the passages: that all its words occur somewhere is not enough. So
the score is the mean of two shares of its words: those that occur at all, and those that occur together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from validation.support.contrasts import clash
from validation.support.name_support import names_held
from validation.support.neighbours import out_of_place
from validation.support.roles import roles_swapped
from validation.support.terms import Clause, Fact, Terms


def share(wanted: Terms, held: Sequence[Terms]) -> float:
    """Return the share of the content words and numbers of `wanted` that occur in `held`, in [0, 1].

    No support is above it, which makes it the cheap test of what is worth a closer look.
    """
    terms = wanted.words | wanted.numbers
    found = frozenset[str]().union(*(each.words & wanted.words for each in held))
    numbers = frozenset[str]().union(*(fact.numbers for each in held for fact in each.facts))
    return (len(found) + len(wanted.numbers & numbers)) / len(terms) if terms else 0.0


def objection(wanted: Terms, held: Sequence[Terms], known: frozenset[str] = frozenset()) -> str:
    """Return what speaks against `held`, taken together, as the source of `wanted`: "number" or "name" where they do
    not have it, "contradiction", "place" where it stands in the place of another; or empty.

    Of a name, words in `known` (those of names in the question, folded) need not occur: asked of Elvis Presley, a
    passage may say Presley.
    """
    if not _numbers_held(wanted, held):
        return "number"
    if not names_held(wanted, held, known):
        return "name"
    if any(_contradicts(terms, wanted) for terms in held):
        return "contradiction"
    return "place" if out_of_place(wanted, held) else ""


def closeness(wanted: Terms, held: Sequence[Terms]) -> float:
    """Return the mean of the shares of `wanted` that occur in `held` and that occur together there, in [0, 1]."""
    return (share(wanted, held) + _together(wanted, held)) / 2


def support(wanted: Terms, held: Sequence[Terms], known: frozenset[str] = frozenset()) -> float:
    """Return how well `held`, taken together, support `wanted`, in [0, 1]: how close they are, if nothing speaks
    against it."""
    close = closeness(wanted, held)
    return close if close and not objection(wanted, held, known) else 0.0


def _together(wanted: Terms, held: Sequence[Terms]) -> float:
    """The share of the terms of `wanted`, clause by clause, that occur in one fact, or under a title, of each passage
    in `held`."""
    clauses = [clause.words | clause.numbers for clause in wanted.clauses]
    total = sum(map(len, clauses))
    best = (frozenset[str]().union(*(_best_of(said, terms) for terms in held)) for said in clauses)
    return sum(map(len, best)) / total if total else 0.0


def _best_of(said: frozenset[str], held: Terms) -> frozenset[str]:
    """What of `said` occurs in the fact of `held` that has most of it."""
    title = _title(held).words
    return max((said & (fact.words | title | fact.numbers) for fact in held.facts), key=len, default=frozenset())


_NO_TITLE = Fact(frozenset(), frozenset(), frozenset(), frozenset(), False)


def _title(terms: Terms) -> Fact:
    return terms.facts[0] if terms.facts else _NO_TITLE


def _numbers_held(wanted: Terms, held: Sequence[Terms]) -> bool:
    return not wanted.numbers or wanted.numbers <= frozenset[str]().union(
        *(_numbers_about(wanted, terms) for terms in held)
    )


def _numbers_about(wanted: Terms, held: Terms) -> frozenset[str]:
    """The numbers of `held` in the facts that speak of the same thing as `wanted`: "2 hours" is not "bus 2"."""
    said = frozenset[str]().union(*(fact.numbers for fact in wanted.facts))
    marks = frozenset[tuple[int, int]]().union(*(fact.marks for fact in wanted.facts))
    facts = [fact for fact in held.facts if fact.numbers and not clash(marks, fact.marks)]
    shared = [(fact.words & wanted.words, fact.numbers) for fact in facts]
    rivals = [words for words, numbers in shared if numbers - said]
    return frozenset[str]().union(
        *(
            numbers
            for words, numbers in shared
            if (words or not wanted.words) and not any(_says_more(rival, words) for rival in rivals)
        )
    )


def _says_more(rival: frozenset[str], words: frozenset[str]) -> bool:
    """Whether `rival`, a fact with another number, shares more words with the sentence, and most of `words`.

    "The fee is 12 euros per bed. Beds cost 30 euros." says nothing of a fee of 30 euros per bed.
    """
    return len(rival) > len(words) and 2 * len(rival & words) >= len(words)


def _contradicts(held: Terms, wanted: Terms) -> bool:
    """Whether, for some clause of `wanted`, every clause of `held` that is closest to it says otherwise."""
    return any(_speaks_against(closest, clause, held.language) for clause, closest in _closest(wanted.clauses, held))


def _closest(clauses: Iterable[Clause], held: Terms) -> Iterable[tuple[Clause, list[Clause]]]:
    for clause in clauses:
        overlaps = [len(clause.words & other.words) for other in held.clauses]
        best = max(overlaps, default=0)
        if best >= 2:
            yield clause, [other for other, count in zip(held.clauses, overlaps, strict=True) if count == best]


def _speaks_against(closest: Sequence[Clause], clause: Clause, language: str) -> bool:
    return all(
        other.negated != clause.negated or clash(clause.marks, other.marks) or roles_swapped(clause, other, language)
        for other in closest
    )
