"""What a question in a conversation is also about: its own words, where it was put anew, and what was asked before.

A question is searched for together with what it may lean on, each with a weight, instead of deciding whether it leans.
On the 176 and 83 questions of MTRAG's ClapNQ conversations this finds more than any of its rewritings alone, those by
people included (tests/benchmarks/bench_query_understanding.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contracts import Message, Vectors, Wording

_EARLIER = 3  # questions
_OWN_WORDS = 1.5  # of a question that was put anew: the new wording, weight 1, may be wrong
_BEFORE = 0.4  # of what was asked before, against all the rest


def conversation_context(question: str, condensed: str, history: Sequence[Message]) -> tuple[Wording, ...]:
    """Return what `condensed`, which a condenser made of `question`, is to be searched for together with: of the
    history, what was asked; a summary in it, a system message, is about too much."""
    context = [] if condensed == question else [Wording(question, _OWN_WORDS)]
    asked = [message.content for message in history if message.role == "user"][-_EARLIER:]
    earlier = [text for text in dict.fromkeys(asked) if text not in (question, condensed)]
    if earlier:
        context.append(Wording(" ".join(earlier), _BEFORE * (1 + sum(wording.weight for wording in context))))
    return tuple(context)


def blended(vectors: Vectors, context: Sequence[Wording]) -> NDArray[np.float32]:
    """Return the vector, of unit length, of a query with its context. Row 0 of `vectors` is the query's own, row i + 1
    that of context[i]; its dot product with a passage is, but for the length, the weighted sum of theirs."""
    weights = np.array([1.0, *(wording.weight for wording in context)], dtype=np.float32)
    vector: NDArray[np.float32] = weights @ vectors[: len(weights)]
    return vector / max(float(np.linalg.norm(vector)), float(np.finfo(np.float32).tiny))
