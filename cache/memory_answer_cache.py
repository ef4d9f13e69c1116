"""Answer caches in this process: for tests, and the one that keeps nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cache.lookup_counts import counts_of, stats_of
from contracts import NOTHING_SAVED, AnswerKey, CachedAnswer, CacheOutcome, CacheStats, Similar, Usage


@dataclass(frozen=True, slots=True)
class _Kept:
    entry: CachedAnswer
    until: float
    vector: NDArray[np.float32] | None


class MemoryAnswerCache:
    """Ports `AnswerCache` and `CacheUpkeep` on a dictionary; `clock` tells the seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[AnswerKey, _Kept] = {}
        self._counts: Counter[str] = Counter()

    async def get(self, key: AnswerKey) -> CachedAnswer | None:
        """Return the entry, or None."""
        found = self._kept.get(key)
        return found.entry if found is not None and found.until > self._clock() else None

    async def similar(self, key: AnswerKey, vector: NDArray[np.float32], limit: int) -> tuple[Similar, ...]:
        """Return up to `limit` entries of the key's space, nearest first."""
        now = self._clock()
        near = [
            Similar(other, kept.entry, float(kept.vector @ vector))
            for other, kept in self._kept.items()
            if (other.collection, other.space) == (key.collection, key.space)
            and kept.vector is not None
            and kept.until > now
        ]
        return tuple(sorted(near, key=lambda each: -each.similarity)[:limit])

    async def put(
        self, key: AnswerKey, entry: CachedAnswer, *, ttl_s: int, vector: NDArray[np.float32] | None = None
    ) -> None:
        """Store the entry."""
        self._kept[key] = _Kept(entry, self._clock() + ttl_s, vector)

    async def drop(self, key: AnswerKey) -> None:
        """Remove the entry."""
        self._kept.pop(key, None)

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Remove every entry that rests on one of these documents."""
        gone = [key for key, kept in self._kept.items() if not set(document_ids).isdisjoint(kept.entry.documents)]
        for key in gone:
            del self._kept[key]

    async def count(self, outcome: CacheOutcome, saved: Usage = NOTHING_SAVED) -> None:
        """Count a lookup."""
        self._counts.update(counts_of(outcome, saved))

    async def stats(self) -> CacheStats:
        """Return what there is."""
        now = self._clock()
        return stats_of(self._counts, sum(kept.until > now for kept in self._kept.values()))

    async def clear(self, collection: str = "") -> int:
        """Remove every answer, or those from one collection; return how many there were."""
        gone = [key for key in self._kept if collection in ("", key.collection)]
        for key in gone:
            del self._kept[key]
        if not collection:
            self._counts.clear()
        return len(gone)

    async def alive(self) -> bool:
        """Return True."""
        return True


class NullAnswerCache:
    """Ports `AnswerCache` and `CacheUpkeep` that keep nothing: the cache switched off."""

    async def get(self, key: AnswerKey) -> CachedAnswer | None:
        """Return None."""
        return None

    async def similar(self, key: AnswerKey, vector: NDArray[np.float32], limit: int) -> tuple[Similar, ...]:
        """Return nothing."""
        return ()

    async def put(
        self, key: AnswerKey, entry: CachedAnswer, *, ttl_s: int, vector: NDArray[np.float32] | None = None
    ) -> None:
        """Do nothing."""

    async def drop(self, key: AnswerKey) -> None:
        """Do nothing."""

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Do nothing."""

    async def count(self, outcome: CacheOutcome, saved: Usage = NOTHING_SAVED) -> None:
        """Do nothing."""

    async def stats(self) -> CacheStats:
        """Return that nothing is kept."""
        return CacheStats(answers=0, semantic_ready=False)

    async def clear(self, collection: str = "") -> int:
        """Return 0."""
        return 0

    async def alive(self) -> bool:
        """Return True."""
        return True

    async def close(self) -> None:
        """Do nothing."""
