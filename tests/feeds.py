"""A change feed in memory, for tests of index views that need no catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

import numpy as np

from contracts import PUBLIC, Change, StoredText, StoredTexts, StoredVectors, Vectors


class MemoryFeed:
    """Port `ChangeFeed` for one collection, which only this process changes. Every change is a generation."""

    def __init__(self) -> None:
        self._generation = 0
        self._keys = count(1)
        self._changed: dict[str, int] = {}
        self._vectors: dict[str, StoredVectors] = {}
        self._texts: dict[str, StoredTexts] = {}

    def put(
        self,
        document_id: str,
        *,
        vectors: Vectors | None = None,
        texts: Sequence[str] = (),
        headings: tuple[str, ...] = (),
        title: str = "",
        readers: tuple[str, ...] = (PUBLIC,),
    ) -> tuple[int, ...]:
        """Store a document's chunks, by their vectors, their texts or both, in place of any before; return their
        keys."""
        keys = tuple(next(self._keys) for _ in range(len(texts) if vectors is None else len(vectors)))
        rows = np.empty((len(keys), 0), dtype=np.float32) if vectors is None else vectors.astype(np.float32, copy=False)
        self._vectors[document_id] = StoredVectors(np.array(keys, dtype=np.int64), rows, readers)
        stored = tuple(StoredText(key, headings, text) for key, text in zip(keys, texts, strict=False))
        self._texts[document_id] = StoredTexts(title, stored, readers)
        self._change(document_id)
        return keys

    def delete(self, document_id: str) -> None:
        """Remove a document."""
        self._vectors.pop(document_id, None)
        self._texts.pop(document_id, None)
        self._change(document_id)

    def share(self, document_id: str, *readers: str) -> None:
        """Let others read a document; its chunks keep their keys."""
        vectors, texts = self._vectors[document_id], self._texts[document_id]
        self._vectors[document_id] = StoredVectors(vectors.keys, vectors.vectors, readers)
        self._texts[document_id] = StoredTexts(texts.title, texts.texts, readers)
        self._change(document_id)

    def restore(self) -> None:
        """Be as a catalog before its first change: what a restored one may look like."""
        keys = self._keys
        self.__init__()  # type: ignore[misc]
        self._keys = keys

    async def generation(self, collection: str) -> int:
        """Return the generation of the last change, 0 before the first."""
        return self._generation

    async def changes(self, collection: str, since: int) -> tuple[Change, ...]:
        """Return the documents that changed after generation `since`, each once, by its last change."""
        after = [(generation, name) for name, generation in self._changed.items() if generation > since]
        return tuple(Change(generation, name) for generation, name in sorted(after))

    async def vectors(self, document_ids: Sequence[str], embedder: str) -> Mapping[str, StoredVectors]:
        """Return the vectors of the documents; a deleted one is missing."""
        return {name: self._vectors[name] for name in document_ids if name in self._vectors}

    async def texts(self, document_ids: Sequence[str]) -> Mapping[str, StoredTexts]:
        """Return the texts of the documents; a deleted one is missing."""
        return {name: self._texts[name] for name in document_ids if name in self._texts}

    def _change(self, document_id: str) -> None:
        self._generation += 1
        self._changed[document_id] = self._generation
