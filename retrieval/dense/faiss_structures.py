"""FAISS structures that name candidates among the rows of an index: a graph (HNSW) and lists (IVF)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.dense.faiss_exact import Scores
from retrieval.dense.faiss_threads import load_faiss
from retrieval.dense.index_policy import Kind
from retrieval.dense.masks import Mask
from retrieval.dense.slot_table import Contents, Flags, Proceed
from retrieval.dense.vector_rows import Slots, slices

_LINKS, _WIDTH_OF_BUILD = 32, 64  # of the graph
_NARROWEST, _WIDEST = 64, 512  # how much of the graph a search keeps in view
_LISTS_PER_ROOT = 4  # lists: so many times the root of the number of rows
_PROBED = 32  # lists a search reads, where all is selected
_TRAINED_ON = 40  # rows per list
_ROUNDS = 6  # of k-means
_PQ_DIMENSIONS = 4  # to a byte


class Structure(Protocol):
    """What names candidates. It covers the slots below `covers`."""

    kind: Kind
    covers: int
    trained_on: int

    def candidates(self, query: Scores, count: int, mask: Mask) -> Slots:
        """Return up to `count` selected slots near the query; fewer may mean that it did not get to the others."""
        ...

    def extended(self, contents: Contents, proceed: Proceed) -> Structure:
        """Return a structure without what died since, and with all that came."""
        ...

    def clean(self, alive: Flags) -> bool:
        """Return whether it holds nothing of a dead slot."""
        ...

    def save(self, path: Path) -> None:
        """Write it to a file. Raises OSError."""
        ...


def build(kind: Kind, contents: Contents, proceed: Proceed) -> Structure:
    """Return a new structure over all slots that are alive."""
    alive = np.flatnonzero(contents.alive)
    dimension = contents.rows.base.shape[1]
    if kind is Kind.GRAPH:
        index = _new_graph(dimension)
        index.train(_sample(contents, alive, 10_000))
        _add_all(index, contents, 0, proceed)
        return FaissGraph(index, len(contents.keys), contents.alive.copy(), len(alive))
    lists = max(1, int(_LISTS_PER_ROOT * len(alive) ** 0.5))
    index = _new_lists(kind, dimension, lists)
    index.train(_sample(contents, alive, max(_TRAINED_ON * lists, 10_000)))
    _add_alive(index, contents, 0, proceed)
    return FaissLists(index, kind, len(contents.keys), contents.alive.copy(), len(alive))


def load(path: Path, kind: Kind, covers: int, holds: Flags, trained_on: int) -> Structure:
    """Return the structure in a file, mapped into memory. Raises RuntimeError."""
    faiss = load_faiss()
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    if kind is Kind.GRAPH:
        return FaissGraph(index, covers, holds, trained_on)
    return FaissLists(index, kind, covers, holds, trained_on)


class FaissGraph:
    """HNSW over 8-bit vectors. Nodes cannot be taken out: those of dead slots are zeroed when it is extended."""

    kind = Kind.GRAPH

    def __init__(self, index: Any, covers: int, holds: Flags, trained_on: int) -> None:
        self._index = index
        self.covers = covers
        self.trained_on = trained_on
        self.holds = holds

    def candidates(self, query: Scores, count: int, mask: Mask) -> Slots:
        """Return up to `count` selected slots near the query; fewer may mean that it did not get to the others."""
        faiss = load_faiss()
        width = max(_NARROWEST, 2 * count) * max(1, self.covers // max(1, mask.selected))
        options = faiss.SearchParametersHNSW(efSearch=min(width, max(_WIDEST, count)))
        if mask.selected < mask.count:
            options = faiss.SearchParametersHNSW(
                efSearch=min(width, max(_WIDEST, count)), sel=faiss.IDSelectorBitmap(mask.bits)
            )
        _, found = self._index.search(query[None], min(count, self.covers), params=options)
        return _real(found[0])

    def extended(self, contents: Contents, proceed: Proceed) -> FaissGraph:
        """Return a graph with zeros for what died since, and with all that came."""
        faiss = load_faiss()
        index = _copy(self._index)
        gone = np.flatnonzero(self.holds & ~contents.alive[: self.covers])
        storage = faiss.downcast_index(index.storage)
        codes = faiss.rev_swig_ptr(storage.codes.data(), storage.codes.size())
        codes.reshape(self.covers, -1)[gone] = 0
        _add_all(index, contents, self.covers, proceed)
        return FaissGraph(index, len(contents.keys), contents.alive.copy(), self.trained_on)

    def clean(self, alive: Flags) -> bool:
        """Return whether it holds nothing of a dead slot."""
        return not np.any(self.holds & ~alive[: self.covers])

    def save(self, path: Path) -> None:
        """Write it to a file. Raises OSError."""
        _save(self._index, path)


class FaissLists:
    """IVF over vectors in 8 bits a dimension, or in PQ's codes; its ids are slots."""

    def __init__(self, index: Any, kind: Kind, covers: int, holds: Flags, trained_on: int) -> None:
        self._index = index
        self.kind = kind
        self.covers = covers
        self.trained_on = trained_on
        self.holds = holds
        self._list_of_slot: NDArray[np.int32] | None = None

    def candidates(self, query: Scores, count: int, mask: Mask) -> Slots:
        """Return up to `count` selected slots near the query; fewer may mean that it did not get to the others."""
        faiss = load_faiss()
        selector = faiss.IDSelectorBitmap(mask.bits) if mask.selected < mask.count else None
        if mask.everything:
            options = faiss.SearchParametersIVF(nprobe=min(_PROBED, self._index.nlist))
            if selector is not None:
                options = faiss.SearchParametersIVF(nprobe=min(_PROBED, self._index.nlist), sel=selector)
            _, found = self._index.search(query[None], count, params=options)
            return _real(found[0])
        lists, scores = self._lists_for(query, mask)
        options = faiss.SearchParametersIVF(nprobe=len(lists), sel=selector)
        return self._search(query, count, lists, scores, options)

    def _lists_for(self, query: Scores, mask: Mask) -> tuple[Slots, Scores]:
        """Return the lists nearest to the query that together have as many selected rows as a search without a
        selection would read."""
        lists, covers = self._index.nlist, self.covers
        per_list = self._per_list(mask)
        wanted = min(_PROBED * covers // lists, int(per_list.sum()))
        for tried in (min(lists, 8 * _PROBED), lists):
            scores, nearest = self._index.quantizer.search(query[None], tried)
            seen = np.cumsum(per_list[nearest[0]])
            if seen[-1] >= wanted or tried == lists:
                break
        enough = int(np.searchsorted(seen, wanted)) + 1
        chosen = np.flatnonzero(per_list[nearest[0][:enough]])
        return np.ascontiguousarray(nearest[0][chosen]), np.ascontiguousarray(scores[0][chosen])

    def _per_list(self, mask: Mask) -> NDArray[np.int64]:
        if (known := mask.per_list.get(self)) is None:
            lists = self._lists()
            selected = np.unpackbits(mask.bits, count=self.covers, bitorder="little").astype(np.bool_)
            known = np.bincount(lists[selected & (lists >= 0)], minlength=self._index.nlist)
            mask.per_list[self] = known
        return known

    def _lists(self) -> NDArray[np.int32]:
        faiss = load_faiss()
        if self._list_of_slot is None:
            lists = np.full(self.covers, -1, dtype=np.int32)
            stored = self._index.invlists
            for number in range(self._index.nlist):
                if size := stored.list_size(number):
                    lists[faiss.rev_swig_ptr(stored.get_ids(number), size)] = number
            self._list_of_slot = lists
        return self._list_of_slot

    def _search(self, query: Scores, count: int, lists: Slots, scores: Scores, options: Any) -> Slots:
        faiss = load_faiss()
        found, distances = np.full(count, -1, dtype=np.int64), np.empty(count, dtype=np.float32)
        of = faiss.swig_ptr
        if len(lists):
            self._index.search_preassigned_c(
                1, of(query), count, of(lists), of(scores), of(distances), of(found), False, options
            )
        return _real(found)

    def extended(self, contents: Contents, proceed: Proceed) -> FaissLists:
        """Return lists without what died since, and with all that came."""
        index = _copy(self._index)
        gone = np.flatnonzero(self.holds & ~contents.alive[: self.covers])
        if len(gone):
            index.remove_ids(gone)
        _add_alive(index, contents, self.covers, proceed)
        return FaissLists(index, self.kind, len(contents.keys), contents.alive.copy(), self.trained_on)

    def clean(self, alive: Flags) -> bool:
        """Return whether it holds nothing of a dead slot."""
        return not np.any(self.holds & ~alive[: self.covers])

    def save(self, path: Path) -> None:
        """Write it to a file. Raises OSError."""
        _save(self._index, path)


def _real(found: Slots) -> Slots:
    return found[found >= 0]  # FAISS fills up with -1


def _new_graph(dimension: int) -> Any:
    faiss = load_faiss()
    index = faiss.IndexHNSWSQ(dimension, faiss.ScalarQuantizer.QT_8bit, _LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _WIDTH_OF_BUILD
    return index


def _new_lists(kind: Kind, dimension: int, lists: int) -> Any:
    faiss = load_faiss()
    coarse, metric = faiss.IndexFlatIP(dimension), faiss.METRIC_INNER_PRODUCT
    if kind is Kind.SMALL_LISTS:
        parts = next(parts for parts in range(max(1, dimension // _PQ_DIMENSIONS), 0, -1) if dimension % parts == 0)
        index = faiss.IndexIVFPQ(coarse, dimension, lists, parts, 8, metric)
        index.pq.cp.niter, index.pq.cp.min_points_per_centroid = _ROUNDS, 1
    else:
        index = faiss.IndexIVFScalarQuantizer(coarse, dimension, lists, faiss.ScalarQuantizer.QT_8bit, metric)
    index.cp.niter, index.cp.spherical = _ROUNDS, True
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _TRAINED_ON
    return index


def _sample(contents: Contents, slots: Slots, count: int) -> NDArray[np.float32]:
    if count < len(slots):
        slots = np.sort(np.random.default_rng(0).choice(slots, count, replace=False))
    return contents.take(slots)


def _add_all(index: Any, contents: Contents, start: int, proceed: Proceed) -> None:
    for first, stop in slices(len(contents.keys) - start):
        proceed()
        index.add(contents.vectors(start + first, start + stop))


def _add_alive(index: Any, contents: Contents, start: int, proceed: Proceed) -> None:
    for first, stop in slices(len(contents.keys) - start):
        proceed()
        slots = start + first + np.flatnonzero(contents.alive[start + first : start + stop])
        index.add_with_ids(contents.take(slots), slots)


def _copy(index: Any) -> Any:
    """Return a copy that can be changed: a clone of a mapped index cannot."""
    faiss = load_faiss()
    return faiss.deserialize_index(faiss.serialize_index(index))


def _save(index: Any, path: Path) -> None:
    faiss = load_faiss()
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as exc:
        raise OSError(f"{path}: {exc}") from exc
