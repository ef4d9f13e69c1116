"""Names and numbers out of place: what stands in a sentence of a passage's words where the passage has another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from validation.support.languages import stem
from validation.support.terms import Terms, terms_in_order

_NEAR = 3  # content words; neighbours in the sentence may stand this far apart in the passage
_FEWEST = 3  # pairs of neighbours that tell whether the sentence is in the passage's words
_MOST_SHARED = 0.6  # of them that the passage has too

Pair = frozenset[str]


def out_of_place(wanted: Terms, held: Sequence[Terms]) -> bool:
    """Whether `wanted` is in the words of `held`, all but a name or a number whose neighbours are others there."""
    special = {stem(name, wanted.language) for name in wanted.names.told}
    known: frozenset[Pair] | None = None
    for order in terms_in_order(wanted.text, wanted.language):
        fixed = [term in special or term[:1].isdigit() for term in order]
        if not any(fixed):
            continue
        if known is None:
            known = frozenset[Pair]().union(*(_near_pairs(each.text, each.language) for each in held))
        plain = [frozenset(order[at : at + 2]) for at in range(len(order) - 1) if not any(fixed[at : at + 2])]
        if len(plain) < _FEWEST or sum(pair in known for pair in plain) < _MOST_SHARED * len(plain):
            continue
        if any(around and not any(pair in known for pair in around) for around in _around(order, fixed)):
            return True
    return False


def _around(order: Sequence[str], fixed: Sequence[bool]) -> Iterator[list[Pair]]:
    """For each run of names or of numbers, its pairs with the two words before it and the two after it."""
    at = 0
    while at < len(order):
        if not fixed[at]:
            at += 1
            continue
        end = at
        while end < len(order) and fixed[end]:
            end += 1
        before = [frozenset((order[i], order[at])) for i in range(max(0, at - 2), at)]
        after = [frozenset((order[end - 1], order[i])) for i in range(end, min(len(order), end + 2))]
        yield [pair for pair in (*before, *after) if len(pair) == 2]
        at = end


@lru_cache(maxsize=512)
def _near_pairs(text: str, language: str) -> frozenset[Pair]:
    return frozenset(pair for order in terms_in_order(text, language) for pair in _pairs(order))


def _pairs(order: Sequence[str]) -> Iterable[Pair]:
    for at, term in enumerate(order):
        for other in order[at + 1 : at + 1 + _NEAR]:
            yield frozenset((term, other))
