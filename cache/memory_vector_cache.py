"""Vector caches in this process: for tests, and the one that keeps nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class MemoryVectorCache:
    """Port `VectorCache` on a dictionary; `clock` tells the seconds."""

    def __init__(self, ttl_s: float = 3600, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[NDArray[np.float32], float]] = {}

    async def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors that are known."""
        now = self._clock()
        found = {text: self._kept.get((embedder, text)) for text in texts}
        return {text: kept[0] for text, kept in found.items() if kept is not None and kept[1] > now}

    async def put(self, embedder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors."""
        until = self._clock() + self._ttl_s
        self._kept.update({(embedder, text): (vector.copy(), until) for text, vector in vectors.items()})


class NullVectorCache:
    """Port `VectorCache` that keeps nothing."""

    async def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return nothing."""
        return {}

    async def put(self, embedder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Do nothing."""
