"""A document's passages: as one text without repetition, and which few of them a sentence may rest on."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence

from contracts import Hit

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\d+(?:[.,]\d+)*|[^\W\d_]{2,}")
_STEM = 6  # letters that tell words apart: endings differ between a summary and what it is made of


class LikelyPassages:
    """Finds passages by the words that they share with a sentence; a word tells more the fewer passages hold it, by
    log(1 + n / df), after Spärck Jones 1972."""

    def __init__(self, passages: Sequence[Hit]) -> None:
        self._passages = tuple(passages)
        self._holding: dict[str, list[int]] = defaultdict(list)
        for position, hit in enumerate(self._passages):
            for word in _words(" ".join((*hit.chunk.headings, hit.chunk.text))):
                self._holding[word].append(position)

    def of(self, sentence: str, limit: int) -> tuple[Hit, ...]:
        """Return up to `limit` passages, the likeliest first; none where no word is shared."""
        scores: dict[int, float] = defaultdict(float)
        for word in _words(sentence):
            holding = self._holding.get(word, ())
            for position in holding:
                scores[position] += math.log(1 + len(self._passages) / len(holding))
        best = sorted(scores, key=lambda position: (-scores[position], position))
        return tuple(self._passages[position] for position in best[:limit])


def texts_once(hits: Sequence[Hit]) -> list[str]:
    """Return the texts of passages in reading order with their headings where those change, and without what one
    shares with the passage before: neighbours overlap."""
    texts: list[str] = []
    headings: tuple[str, ...] = ()
    end = 0
    for hit in hits:
        chunk = hit.chunk
        start, stop = chunk.span
        whole = len(chunk.text) == stop - start
        text = chunk.text[max(0, end - start) :] if whole else chunk.text
        if chunk.headings != headings and chunk.headings:
            text = f"{' > '.join(chunk.headings)}\n{text}"
        if stop > end or not whole:
            texts.append(text)
        headings, end = chunk.headings, max(end, stop)
    return texts


def _words(text: str) -> frozenset[str]:
    return frozenset(word if word[0].isdigit() else word[:_STEM] for word in _WORD.findall(text.lower()))
