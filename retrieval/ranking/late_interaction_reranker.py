"""Reranking without a model of its own: late interaction (ColBERT, Khattab and Zaharia 2020) over the token vectors of
a sentence encoder, which was not trained for it but ranks better with it."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from contracts import Hit
from retrieval.ranking.judged_text import judged_text
from retrieval.ranking.sentence_transformers_tokens import SentenceTransformersTokens, TokenVectors

_SHARE = 0.5  # of the best late-interaction score, added to the score so far; anything from .3 to 1 helps
_DEPTH = 20  # passages; they take most of the time
_KEPT = 512  # passages whose token vectors are kept, of about 130 kB


class LateInteractionReranker:
    """Port `Reranker`. Each token of the query looks for the most similar one in the passage; rare tokens, as the
    passages go, count more. This is added to the score that a hit comes with, each by its best.

    Only the first `depth` hits are judged, the others come after with the least of theirs.
    """

    def __init__(self, tokens: SentenceTransformersTokens, *, depth: int = _DEPTH) -> None:
        self._tokens = tokens
        self._depth = depth
        self._executor = ThreadPoolExecutor(1, "late-interaction")
        self._kept: OrderedDict[str, TokenVectors] = OrderedDict()

    @property
    def name(self) -> str:
        """What shapes the scores, part of every cache key."""
        return f"late_interaction {self._tokens.name} {self._depth}"

    async def score(self, query: str, hits: Sequence[Hit]) -> list[float]:
        """Return a score per hit, higher is better. Raises ConfigurationError when the model cannot be loaded."""
        if not hits:
            return []
        texts = [judged_text(hit) for hit in hits[: self._depth]]
        asked, read = await asyncio.get_running_loop().run_in_executor(self._executor, self._vectors, query, texts)
        close = _closeness(asked, read)
        best = max(abs(hit.score) for hit in hits) or 1.0
        added = [*close, *[min(close)] * (len(hits) - len(close))]
        return [hit.score / best + _SHARE * each for hit, each in zip(hits, added, strict=True)]

    def _vectors(self, query: str, texts: Sequence[str]) -> tuple[TokenVectors, list[TokenVectors]]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        asked, *fresh = self._tokens.encode([query, *missing])
        self._kept.update(zip(missing, fresh, strict=True))
        for text in texts:
            self._kept.move_to_end(text)
        read = [self._kept[text] for text in texts]
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return asked, read


def _closeness(asked: TokenVectors, read: Sequence[TokenVectors]) -> list[float]:
    """Return the weighted mean over the query's tokens of the best cosine in each passage, by the best passage's."""
    weights = _rarity(asked.ids, [passage.ids for passage in read])
    scores = [float(_best_cosines(asked.vectors, passage.vectors) @ weights) for passage in read]
    top = max(scores)
    return [score / top if top > 0 else 0.0 for score in scores]


def _best_cosines(asked: NDArray[np.float16], passage: NDArray[np.float16]) -> NDArray[np.float32]:
    if not len(passage):
        return np.zeros(len(asked), np.float32)
    cosines = asked.astype(np.float32) @ passage.astype(np.float32).T
    best: NDArray[np.float32] = cosines.max(axis=1)
    return best


def _rarity(ids: Sequence[int], passages: Iterable[Sequence[int]]) -> NDArray[np.float32]:
    """Return a weight per token, 1 in sum: BM25's inverse document frequency among the passages."""
    found = [set(passage) for passage in passages]
    counts = Counter(token for passage in found for token in passage)
    rare = [math.log(1 + (len(found) - counts[one] + 0.5) / (counts[one] + 0.5)) for one in ids]
    weights = np.array(rare, dtype=np.float32)
    return weights / weights.sum() if len(weights) else weights
