"""Keeps what is said twice from taking the place of what is said once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from contracts import Hit, Standing

# Words, numbers with their sign, and signs that mean something; not punctuation and the marks of Markdown.
_WORD = re.compile(r"[-\u2212]?\d+|\w+|[^\w\s.,;:!?'\"()\[\]{}*|#`~\-\u2010-\u201f\u2026]")
_AROUND_WORDS = ".,;:!?'\"()[]{}*|#`~-"
_EMPTY_WORDS = frozenset(["an", "the", "of", "that", "which", "also"])


def without_near_duplicates(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without those that say nothing that a better one does not say: the same text in another document,
    in other spacing, case, punctuation or articles, or a part of it. Passages that differ in a number, a name or any
    other word stay."""
    kept: list[Hit] = []
    folded: list[str] = []
    for hit in hits:
        text = hit.chunk.text.casefold()
        # Few texts share their longest words: only those are compared word by word, and what has forms of letters.
        longest = [word.strip(_AROUND_WORDS) for word in nlargest(3, text.split(), key=len)] if text.isascii() else []
        alike = [other for other, whole in zip(kept, folded, strict=True) if all(word in whole for word in longest)]
        words = _words(hit.chunk.text) if alike else ""
        if not any(words in _words(other.chunk.text) for other in alike):
            kept.append(hit)
            folded.append(text)
    return kept


def _words(text: str) -> str:
    """Return what two texts have in common that say the same in the same words; of a part, a part."""
    found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return f" {' '.join(word for word in found if word not in _EMPTY_WORDS)} "


def most_diverse(hits: Sequence[Hit], vectors: Mapping[str, NDArray[np.float32]], weight: float) -> list[Hit]:
    """Return the hits by maximal marginal relevance (Carbonell and Goldstein 1998), each with its standing.

    `vectors` are unit vectors by chunk id; one without is like no other. Relevance is the score, scaled to 0…1 among
    the hits; a hit loses `weight` (0 to 1) times its similarity to the closest one before it, and keeps 1 − `weight`
    times its relevance. 0 keeps the order.
    """
    if not hits:
        return []
    relevance = _relevance(hits)
    size = max((len(vector) for vector in vectors.values()), default=1)
    rows = np.stack([vectors.get(hit.chunk.id, np.zeros(size, np.float32)) for hit in hits])
    closest = np.zeros(len(hits))
    left = list(range(len(hits)))
    ordered: list[Hit] = []
    while left:
        marginal = (1 - weight) * relevance - weight * closest
        best = max(left, key=lambda i: (marginal[i], -i))
        left.remove(best)
        standing = Standing("diversity", len(ordered) + 1, float(marginal[best]))
        ordered.append(replace(hits[best], standings=(*hits[best].standings, standing)))
        closest = np.maximum(closest, rows @ rows[best])
    return ordered


def _relevance(hits: Sequence[Hit]) -> NDArray[np.float64]:
    scores = np.array([hit.score for hit in hits], dtype=np.float64)
    width = float(scores.max() - scores.min())
    return (scores - scores.min()) / width if width else np.ones(len(hits))
