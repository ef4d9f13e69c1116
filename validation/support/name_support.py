"""Whether passages hold the names of a sentence, and hold them where they speak of the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from validation.support.languages import stem
from validation.support.names import akin_to_any
from validation.support.terms import Terms

_CLOSE = 0.6  # of the terms that the closest fact shares: a fact with as many speaks of the same thing
_FEWEST = 2  # shared terms besides the names, below which no fact is close enough to say where a name must stand


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name may stand: capitalised words, folded, and stems of words."""

    capitals: frozenset[str]
    words: frozenset[str]
    initials: frozenset[str]


def names_held(wanted: Terms, held: Sequence[Terms], known: frozenset[str]) -> bool:
    """Return whether each name of `wanted` stands where `held` speaks of the same thing: in a fact that shares most
    words with it, in the fact before one that only says "he" or "it", or in a title. Words in `known` may be left out
    of a name."""
    if not wanted.names.runs:
        return True
    initials = frozenset[str]().union(*(terms.names.initials for terms in held))
    capitals = frozenset[str]().union(*(fact.capitals for terms in held for fact in terms.facts))
    anywhere = _Place(capitals, frozenset[str]().union(*(terms.words for terms in held)), initials)
    about = _about(wanted, held, initials)
    places = (anywhere,) if about is None else (anywhere, about)
    return all(_has_name(run, wanted.language, place, known) for run in wanted.names.runs for place in places)


def _has_name(run: Sequence[str], language: str, place: _Place, known: frozenset[str]) -> bool:
    there = [_has_word(word, language, place) for word in run]
    if all(there) or (any(there) and all(held or word in known for word, held in zip(run, there, strict=True))):
        return True
    # "National Football League" in the sentence is "NFL" in the passage.
    return len(run) > 1 and "".join(word[0] for word in run) in place.capitals


def _has_word(word: str, language: str, place: _Place) -> bool:
    if word in place.capitals or word in place.initials or stem(word, language) in place.words:
        return True
    return akin_to_any(word, place.capitals)


def _about(wanted: Terms, held: Sequence[Terms], initials: frozenset[str]) -> _Place | None:
    """The words of the facts that are close to `wanted`; None when none is close enough to tell."""
    terms = (wanted.words | wanted.numbers) - {stem(name, wanted.language) for name in wanted.names.told}
    shared = [[len(terms & (fact.words | fact.numbers)) for fact in each.facts] for each in held]
    closest = max((count for counts in shared for count in counts), default=0)
    if closest < _FEWEST:
        return None
    capitals: set[str] = set()
    words: set[str] = set()
    for each, counts in zip(held, shared, strict=True):
        for at, (fact, count) in enumerate(zip(each.facts, counts, strict=True)):
            if count >= _CLOSE * closest:
                capitals |= fact.capitals
                words |= fact.words
                if fact.leans and at:
                    capitals |= each.facts[at - 1].capitals
        capitals |= each.facts[0].capitals if each.facts else frozenset()
    return _Place(frozenset(capitals), frozenset(words), initials)
