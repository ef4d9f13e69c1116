"""A FAISS view of one collection's vectors that follows the catalog."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from contracts import ChangeFeed, StoredVectors
from retrieval.index_snapshots import discard, remove_other_snapshots, snapshot_path

T = TypeVar("T")
Keys = NDArray[np.int64]

_BATCH = 256  # documents whose vectors are fetched and applied at once
_SNAPSHOT_EVERY = 256  # changed documents, or a twentieth of all
_log = logging.getLogger(__name__)


class FaissIndex:
    """Port `DenseIndex`: exact inner-product search with stable ids.

    A snapshot below `folder` is what a later process starts from. It can be deleted at any time and is made anew; one
    of another `catalog` is not read, and it goes as soon as it holds vectors that the catalog has no more. All FAISS
    calls run on one thread, since FAISS keeps an OpenMP pool per calling thread.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        collection: str,
        *,
        embedder: str,
        dimension: int,
        folder: Path | None = None,
        catalog: str = "",
    ) -> None:
        self._feed = feed
        self._collection = collection
        self._embedder = embedder
        self._dimension = dimension
        self._snapshot = snapshot_path(folder, collection, embedder) if folder else None
        self._origin = f"{catalog} {collection} {embedder}"  # a snapshot of anything else does not fit
        self._generation = 0
        self._unsaved = 0  # changed documents
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
            latest = await self._feed.generation(self._collection)  # others may have followed further meanwhile
            if self._index is None or latest < self._generation:
                await self._run(self._open, latest)
            await self._follow(latest)
            if self._unsaved > min(_SNAPSHOT_EVERY, len(self._keys) // 20):
                await self.save()
        return self._generation

    async def _follow(self, latest: int) -> None:
        changes = await self._feed.changes(self._collection, self._generation)
        for start in range(0, len(changes), _BATCH):
            ids = [change.document_id for change in changes[start : start + _BATCH]]
            stored = await self._feed.vectors(ids, self._embedder)
            await self._run(self._replace, ids, stored)
        self._generation = max([latest, *(change.generation for change in changes)])

    async def search(
        self, vector: NDArray[np.float32], k: int, allowed: frozenset[str] | None
    ) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, cosine similarity) pairs, best first, among the allowed documents only (None: all)."""
        return await self._run(self._search, vector, k, allowed)

    async def save(self) -> None:
        """Write the snapshot: a new file, synced, then renamed over the old one. Where the disk does not take it, the
        next process builds the index anew."""
        if self._snapshot is not None and self._keys:
            await self._run(self._save, self._snapshot)
        self._unsaved = 0

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    # --- on the FAISS thread ---

    def _open(self, latest: int) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(self._dimension))
        self._keys, self._generation, self._unsaved, self._on_gpu = {}, 0, 0, None
        if self._snapshot is None:
            return
        remove_other_snapshots(self._snapshot)
        if not self._snapshot.exists():
            return
        try:
            with self._snapshot.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                generation = int(file["generation"])
                if generation > latest or str(file["origin"]) != self._origin:
                    return
                self._index = faiss.deserialize_index(file["index"])
                bounds = np.split(file["keys"], np.cumsum(file["counts"])[:-1])
                self._keys = dict(zip(file["documents"].tolist(), bounds, strict=True))
                self._generation = generation
        except (OSError, EOFError, KeyError, ValueError, RuntimeError, BadZipFile) as exc:
            _log.warning("index snapshot %s is unreadable and is rebuilt: %s", self._snapshot, exc)
            self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(self._dimension))

    def _replace(self, ids: Sequence[str], stored: Mapping[str, StoredVectors]) -> None:
        old = [self._keys.pop(document_id) for document_id in ids if document_id in self._keys]
        if old:
            if self._snapshot is not None:
                discard(self._snapshot)
            self._index.remove_ids(np.concatenate(old))  # the whole index is gone through, however few they are
        if stored:
            keys = np.concatenate([one.keys for one in stored.values()])
            self._index.add_with_ids(np.concatenate([one.vectors for one in stored.values()]), keys)
            self._keys.update((document_id, one.keys) for document_id, one in stored.items())
        self._unsaved += len(ids)
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

        counts = [len(keys) for keys in self._keys.values()]
        new = path.with_suffix(f".{os.getpid()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
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
        except OSError as exc:
            _log.warning("index snapshot %s cannot be written: %s", path, exc)
            discard(new)
