"""A dense index in plain numpy: the fake that FAISS is checked against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from contracts import ChangeFeed, Selection, StoredVectors, may_read


class ExactIndex:
    """Port `DenseIndex` by brute force over the catalog's vectors."""

    def __init__(self, feed: ChangeFeed, collection: str, *, embedder: str) -> None:
        self._feed = feed
        self._collection = collection
        self._embedder = embedder
        self._generation = 0
        self._stored: dict[str, StoredVectors] = {}

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        return self._generation

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        latest = await self._feed.generation(self._collection)
        if latest < self._generation:  # the catalog was restored
            self._stored, self._generation = {}, 0
        changes = await self._feed.changes(self._collection, self._generation)
        stored = await self._feed.vectors([change.document_id for change in changes], self._embedder)
        for change in changes:
            self._stored.pop(change.document_id, None)
        self._stored.update(stored)
        self._generation = max([latest, *(change.generation for change in changes)])
        return self._generation

    async def search(self, vector: NDArray[np.float32], k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, cosine similarity) pairs, best first, of the selected documents only."""
        scored = [
            (int(key), float(score))
            for document, stored in self._stored.items()
            if _selected(document, stored.readers, selection)
            for key, score in zip(stored.keys, stored.vectors @ vector, strict=True)
        ]
        return tuple(sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k])

    async def vectors(self, keys: Sequence[int]) -> Mapping[int, NDArray[np.float32]]:
        """Return the vectors of these keys as far as the view holds them, each of shape (dimension,)."""
        wanted = set(keys)
        return {
            int(key): row
            for stored in self._stored.values()
            for key, row in zip(stored.keys, stored.vectors, strict=True)
            if int(key) in wanted
        }

    async def aclose(self) -> None:
        """Nothing is held."""


def _selected(document: str, readers: Sequence[str], selection: Selection) -> bool:
    return may_read(selection.scope, readers) and (selection.documents is None or document in selection.documents)
