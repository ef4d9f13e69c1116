"""Who does what to whom: whether two clauses of the same words have two names in each other's place."""

from __future__ import annotations

import re

from validation.support.names import names_of
from validation.support.terms import Clause

_PASSIVE = re.compile(
    r"\b(?:is|are|was|were|been|being|be|got)\s+(?:\w+ly\s+)?\w+\s+by\b|\bw[ui]rden?\b.*\bvon\b", re.IGNORECASE
)
_JOINED = re.compile(r"\b(?:and|or|with|between|both|und|oder|mit|zwischen|y|et)\b|&", re.I)


def roles_swapped(one: Clause, other: Clause, language: str) -> bool:
    """Whether two names of `one` stand in the other order in `other`, which has all its words, while both or neither
    are passive; or in the same order, while one of them is. Names joined by "and" have no order.

    Only where both clauses have the same two names, each once: more than that says too little about who did it.
    """
    if not one.words or not one.words <= other.words or _JOINED.search(one.text) or _JOINED.search(other.text):
        return False
    said, held = (_names(clause, language) for clause in (one, other))
    if len(said) != 2 or set(said) != set(held) or len(held) != 2:
        return False
    return (said == held) == (bool(_PASSIVE.search(one.text)) != bool(_PASSIVE.search(other.text)))


def _names(clause: Clause, language: str) -> tuple[tuple[str, ...], ...]:
    """The names of a clause, in order, its first word among them."""
    return names_of(f"so {clause.text.strip()}", language).runs
