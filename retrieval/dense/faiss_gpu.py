"""A structure's double on a GPU, for searches that leave out nothing but what died."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.dense.faiss_exact import Scores
from retrieval.dense.faiss_lists import FaissLists
from retrieval.dense.faiss_threads import load_faiss
from retrieval.dense.index_contents import Contents, Flags, Proceed
from retrieval.dense.masks import Mask
from retrieval.dense.structure import Structure, real
from retrieval.dense.vector_rows import Slots, slices

_FLAT_BYTES = 8 << 30  # vectors that are compared one and all on a GPU
_MOST_FETCHED = 1024  # a GPU gives no more than 2048
_log = logging.getLogger(__name__)


def on_gpu(structure: Structure, contents: Contents, *, flat_bytes: int = _FLAT_BYTES) -> Structure:
    """Return the structure with a double on the first GPU, or itself when FAISS can use none or its memory is full: all
    vectors (Flat) up to `flat_bytes`, else the lists, or a graph that is built there (CAGRA)."""
    faiss = load_faiss()
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() == 0:
        return structure
    try:
        return FaissGpu(structure, contents, flat_bytes)
    except RuntimeError as exc:
        _log.warning("the index is searched on the CPU: %s", exc)
        return structure


class FaissGpu:
    """A structure whose unrestricted searches run on a GPU, one at a time; others run in the one it doubles."""

    def __init__(self, inner: Structure, contents: Contents, flat_bytes: int) -> None:
        self._inner = inner
        self._flat_bytes = flat_bytes
        self._resources = load_faiss().StandardGpuResources()  # must live as long as the index
        self._index = self._double(contents)
        self._alone = threading.Lock()
        self._live = int(contents.alive[: inner.covers].sum())
        self.kind, self.covers, self.trained_on = inner.kind, inner.covers, inner.trained_on

    def candidates(self, query: Scores, k: int, mask: Mask) -> Slots:
        """Return selected slots among which the k nearest to the query are, at least k; fewer mean that it did not get
        to the others."""
        behind = len(mask.slots_from(self.covers))
        count = max(2 * k, k + 30) + max(0, self._live - (mask.selected - behind))  # some of those found may be dead
        if not mask.everything or count > _MOST_FETCHED:
            return self._inner.candidates(query, k, mask)
        with self._alone:
            _, found = self._index.search(query[None], min(count, self.covers))
        slots = real(found[0])
        alive = (mask.bits[slots >> 3] >> (slots & 7).astype(np.uint8)) & 1
        living: Slots = slots[alive.astype(np.bool_)]
        return living

    def extended(self, contents: Contents, proceed: Proceed) -> Structure:
        """Return a structure that holds nothing of what died since, and all that came."""
        return on_gpu(self._inner.extended(contents, proceed), contents, flat_bytes=self._flat_bytes)

    def clean(self, alive: Flags) -> bool:
        """Return whether it holds nothing of a dead slot."""
        return self._inner.clean(alive)

    def save(self, path: Path) -> None:
        """Write what it doubles to a file. Raises OSError."""
        self._inner.save(path)

    def _double(self, contents: Contents) -> Any:
        faiss = load_faiss()
        dimension, covers = contents.rows.base.shape[1], self._inner.covers
        if covers * dimension * 4 <= self._flat_bytes:
            flat = faiss.GpuIndexFlatIP(self._resources, dimension)
            for start, stop in slices(covers):
                flat.add(contents.vectors(start, stop))
            return flat
        if isinstance(self._inner, FaissLists):
            return faiss.index_cpu_to_gpu(self._resources, 0, self._inner.index)
        if "CUVS" not in faiss.get_compile_options():
            raise RuntimeError("FAISS was built without cuVS, which has graphs for GPUs")
        graph = faiss.GpuIndexCagra(self._resources, dimension, faiss.METRIC_INNER_PRODUCT)
        graph.train(contents.vectors(0, covers))
        return graph
