"""How well a passage grounds a sentence, in [0, 1], by its words or by a model of entailment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from validation.support.support import closeness, objection
from validation.support.terms import terms_of

_OBJECTED = 0.5
"""What is left of the closeness of words where a number, a name or a denial speaks against it: below any threshold
that sentences are let out by, and still in order."""


class Entailment(Protocol):
    """Judges whether one text follows from another."""

    async def score(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """Return, for each (passage, sentence), the probability that the sentence follows from the passage."""
        ...


def groundedness(sentence: str, passage: str) -> float:
    """Return how well `passage` grounds `sentence` by their words, in [0, 1].

    >>> groundedness("The hut opens on 1 May.", "The hut opens on 1 May 2024. Dogs are not allowed.")
    1.0
    """
    wanted = terms_of(sentence)
    held = [terms_of(passage, wanted.language)]
    close = closeness(wanted, held)
    return close * _OBJECTED if close and objection(wanted, held) else close


async def entailed(sentence: str, passages: Sequence[str], model: Entailment) -> float:
    """Return the best probability, in [0, 1], that `sentence` follows from one of the passages; 0 without any."""
    return max(await model.score([(passage, sentence) for passage in passages]), default=0.0)
