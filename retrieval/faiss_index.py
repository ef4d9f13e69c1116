"""A FAISS view of one collection's vectors that follows the catalog."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from contracts import ChangeFeed, StoredVectors

T = TypeVar("T")
Keys = NDArray[np.int64]

_SNAPSHOT_EVERY = 256  # changed documents
_log = logging.getLogger(__name__)


class FaissIndex:
    """Port `DenseIndex`: exact inner-product search with stable ids.

    `snapshot` is a file that a later process starts from; it can be deleted at any time and is made anew, and one of
    another `catalog` is not read. All FAISS
    calls run on one thread, since FAISS keeps an OpenMP pool per calling thread.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        collection: str,
        *,
        embedder: str,
        dimension: int,
        snapshot: Path | None = None,
        catalog: str = "",
    ) -> None:
        self._feed = feed
        self._collection = collection
        self._embedder = embedder
        self._dimension = dimension
        self._snapshot = snapshot
        self._origin = f"{catalog} {collection} {embedder}"  # a snapshot of anything else does not fit
        self._generation = 0
        self._saved_generation = 0
        self._keys: dict[str, Keys] = {}  # by document
        self._index: Any = None
        self._on_gpu: Any = None
        self._following = asyncio.Lock()
        self._executor = ThreadPoolExecutor(1, "faiss")

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        return self._generation

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        latest = await self._feed.generation(self._collection)
        if self._index is not None and latest == self._generation:
            return latest
        async with self._following:
            if self._index is None or latest < self._generation:
                await self._run(self._open, latest)
            for change in await self._feed.changes(self._collection, self._generation):
                stored = await self._feed.vectors(change.document_id, self._embedder)
                await self._run(self._replace, change.document_id, stored)
                self._generation = change.generation
            if self._generation - self._saved_generation >= _SNAPSHOT_EVERY:
                await self.save()
        return self._generation

    async def search(
        self, vector: NDArray[np.float32], k: int, allowed: frozenset[str] | None
    ) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, cosine similarity) pairs, best first, among the allowed documents only (None: all)."""
        return await self._run(self._search, vector, k, allowed)

    async def save(self) -> None:
        """Write the snapshot: a new file, synced, then renamed over the old one."""
        if self._snapshot is not None and self._keys:
            await self._run(self._save, self._snapshot)
            self._saved_generation = self._generation

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    # --- on the FAISS thread ---

    def _open(self, latest: int) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(self._dimension))
        self._keys, self._generation, self._saved_generation, self._on_gpu = {}, 0, 0, None
        if self._snapshot is None or not self._snapshot.exists():
            return
        try:
            with self._snapshot.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                generation = int(file["generation"])
                if generation > latest or str(file["origin"]) != self._origin:
                    return
                self._index = faiss.deserialize_index(file["index"])
                bounds = np.split(file["keys"], np.cumsum(file["counts"])[:-1])
                self._keys = dict(zip(file["documents"].tolist(), bounds, strict=True))
                self._generation = self._saved_generation = generation
        except (OSError, EOFError, KeyError, ValueError, RuntimeError, BadZipFile) as exc:
            _log.warning("index snapshot %s is unreadable and is rebuilt: %s", self._snapshot, exc)
            self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(self._dimension))

    def _replace(self, document_id: str, stored: StoredVectors) -> None:
        old = self._keys.pop(document_id, None)
        if old is not None:
            self._index.remove_ids(old)
        if len(stored.keys):
            self._index.add_with_ids(stored.vectors, stored.keys)
            self._keys[document_id] = stored.keys
        self._on_gpu = None

    def _search(
        self, vector: NDArray[np.float32], k: int, allowed: frozenset[str] | None
    ) -> tuple[tuple[int, float], ...]:
        import faiss

        k = min(k, self._index.ntotal)
        if k == 0:
            return ()
        query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
        if allowed is None:
            scores, keys = self._searchable().search(query, k)
        else:
            mine = [self._keys[document] for document in allowed if document in self._keys]
            selector = faiss.IDSelectorBatch(np.concatenate(mine) if mine else np.empty(0, dtype=np.int64))
            options = faiss.SearchParameters()
            options.sel = selector
            scores, keys = self._index.search(query, k, params=options)
        return tuple((int(key), float(score)) for key, score in zip(keys[0], scores[0], strict=True) if key >= 0)

    def _searchable(self) -> Any:
        """The index itself, or its copy on the GPU when this FAISS can use one."""
        import faiss

        if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
            return self._index
        if self._on_gpu is None:
            self._on_gpu = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, self._index)
        return self._on_gpu

    def _save(self, path: Path) -> None:
        import faiss

        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.new")
        counts = [len(keys) for keys in self._keys.values()]
        with new.open("wb") as file:
            np.savez(
                file,
                generation=self._generation,
                origin=self._origin,
                index=faiss.serialize_index(self._index),
                documents=np.array(list(self._keys), dtype=np.str_),
                counts=np.array(counts, dtype=np.int64),
                keys=np.concatenate(list(self._keys.values())),
            )
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
