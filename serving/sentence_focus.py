"""Shortens sources to the sentences that speak of the question, for models too small to read whole passages."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from contracts import Hit
from serving.statements import Statement, statements
from serving.telling_words import telling_words

__all__ = ["Statement", "focus", "ranked"]

# Chosen on half of the titles of SQuAD 2 (open), by how often one of the best two sentences holds the answer.
_RANK_PENALTY = 0.05  # per rank of the source: among equal sentences the better source wins
_BEFORE = 0.3  # what a word counts that only the heading or the sentence before has, as in "He was born in ..."


def focus(query: str, sources: Sequence[Hit], limit: int) -> list[Statement]:
    """Return the `limit` statements that share the most telling words with `query`, best first.

    A word tells more the fewer statements hold it: its weight is log(1 + n / (1 + df)), after Robertson & Spärck Jones.
    """
    return [statement for statement, _ in ranked(query, sources)[:limit]]


def ranked(query: str, sources: Sequence[Hit]) -> list[tuple[Statement, float]]:
    """Return every statement of `sources` with its share of the telling words in `query`, weighted, best first. Shares
    are below 1 or 1, less for sources further down."""
    found = [statement for index, hit in enumerate(sources) for statement in statements(index, hit)]
    words = [telling_words(statement.text) for statement in found]
    frequency = Counter(word for each in words for word in each)
    weight = {word: math.log(1 + len(found) / (1 + frequency[word])) for word in telling_words(query)}
    total = sum(weight.values()) or 1.0

    def score(at: int) -> float:
        around = telling_words(" ".join(sources[found[at].source].chunk.headings[-1:]))
        if at and found[at - 1].source == found[at].source:
            around |= words[at - 1]
        own = sum(weight[word] for word in weight.keys() & words[at])
        near = sum(weight[word] for word in (weight.keys() & around) - words[at])
        return (own + _BEFORE * near) / total - _RANK_PENALTY * found[at].source

    scores = [score(at) for at in range(len(found))]
    order = sorted(range(len(found)), key=scores.__getitem__, reverse=True)
    return [(found[at], scores[at]) for at in order]
