"""Candidates from lists: IVF, which reads only the lists whose centres are near the query, over vectors in 8 bits a
dimension (SQ8) or in the codes of a product quantizer (PQ; Jégou et al. 2011)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.dense.faiss_exact import Scores
from retrieval.dense.faiss_threads import load_faiss
from retrieval.dense.index_contents import Contents, Flags, Proceed
from retrieval.dense.index_policy import Kind
from retrieval.dense.masks import Mask
from retrieval.dense.structure import changeable_copy, real, sample, save
from retrieval.dense.vector_rows import Slots, slices

_LISTS_PER_ROOT = 4  # so many times the root of the number of rows
_READ_SHARE, _FEWEST_READ, _MOST_READ = 1 / 20, 64, 512  # lists a search reads
_MORE_WITH_SELECTION = 2  # times as many rows, since what is selected may lie far from the query
_PASSED_OVER = 0.1  # what it costs to pass over a row that is not selected, in rows that are compared
_TRAINED_ON, _ROUNDS = 40, 6  # rows per list, and rounds of k-means
_PQ_DIMENSIONS, _PQ_CANDIDATES = 4, 10  # dimensions to a byte; candidates per hit


class FaissLists:
    """A structure of lists of slots."""

    def __init__(self, index: Any, kind: Kind, covers: int, holds: Flags, trained_on: int) -> None:
        self._index = index
        self._holds = holds
        self._list_of_slot: NDArray[np.int32] | None = None
        self.kind = kind
        self.covers = covers
        self.trained_on = trained_on

    @classmethod
    def build(cls, kind: Kind, contents: Contents, proceed: Proceed) -> FaissLists:
        """Return new lists of all slots that are alive."""
        live = int(contents.alive.sum())
        lists = max(1, int(_LISTS_PER_ROOT * live**0.5))
        index = _empty(kind, contents.rows.base.shape[1], lists)
        index.train(sample(contents, _TRAINED_ON * lists))
        _add(index, contents, 0, proceed)
        return cls(index, kind, len(contents.keys), contents.alive.copy(), live)

    def candidates(self, query: Scores, k: int, mask: Mask) -> Slots:
        """Return selected slots among which the k nearest to the query are, at least k; fewer mean that it did not get
        to the others, or that comparing all is as quick."""
        faiss = load_faiss()
        count = min(_PQ_CANDIDATES * k if self.kind is Kind.SMALL_LISTS else max(2 * k, k + 30), self.covers)
        selector = {} if mask.selected == mask.count else {"sel": faiss.IDSelectorBitmap(mask.bits)}
        if mask.everything:
            options = faiss.SearchParametersIVF(nprobe=self._read(), **selector)
            _, found = self._index.search(query[None], count, params=options)
            if (few := real(found[0])).size >= count:
                return few
        wanted = self._wanted(count, mask)
        if mask.selected <= wanted * (1 + _PASSED_OVER * self.covers / mask.selected):
            return np.empty(0, dtype=np.int64)  # to compare all that is selected costs no more
        lists, scores = self._lists_for(query, wanted, mask)
        options = faiss.SearchParametersIVF(nprobe=len(lists), **selector)
        return self._search(query, count, lists, scores, options)

    @property
    def index(self) -> Any:
        """The FAISS index."""
        return self._index

    def extended(self, contents: Contents, proceed: Proceed) -> FaissLists:
        """Return lists without what died since, and with all that came."""
        index = changeable_copy(self._index)
        gone = np.flatnonzero(self._holds & ~contents.alive[: self.covers])
        if len(gone):
            index.remove_ids(gone)
        _add(index, contents, self.covers, proceed)
        return FaissLists(index, self.kind, len(contents.keys), contents.alive.copy(), self.trained_on)

    def clean(self, alive: Flags) -> bool:
        """Return whether it holds nothing of a dead slot."""
        return not np.any(self._holds & ~alive[: self.covers])

    def save(self, path: Path) -> None:
        """Write it to a file. Raises OSError."""
        save(self._index, path)

    def _read(self) -> int:
        lists = self._index.nlist
        return int(min(lists, max(_FEWEST_READ, min(_MOST_READ, lists * _READ_SHARE))))

    def _wanted(self, count: int, mask: Mask) -> int:
        """Return how many selected rows are to be read. The nearest of a few lie farther away than the nearest of all,
        though not in as many more lists as there are fewer rows."""
        unrestricted = self._read() * self.covers / self._index.nlist
        share = min(1.0, mask.selected / self.covers)
        return int(max(_MORE_WITH_SELECTION * unrestricted * share**0.5, 4 * count))

    def _lists_for(self, query: Scores, wanted: int, mask: Mask) -> tuple[Slots, Scores]:
        """Return the lists nearest to the query that together have so many selected rows: those that have none do not
        count, so what few may read is found however far from the query it lies."""
        per_list, lists = self._per_list(mask), self._index.nlist
        wanted = min(wanted, int(per_list.sum()))
        for tried in (min(lists, 8 * self._read()), lists):
            scores, near = self._index.quantizer.search(query[None], tried)
            seen = np.cumsum(per_list[near[0]])
            if seen[-1] >= wanted:
                break
        enough = int(np.searchsorted(seen, wanted)) + 1
        chosen = np.flatnonzero(per_list[near[0][:enough]])
        return np.ascontiguousarray(near[0][chosen]), np.ascontiguousarray(scores[0][chosen])

    def _per_list(self, mask: Mask) -> NDArray[np.int64]:
        if (known := mask.per_list.get(self)) is None:
            lists = self._lists()
            selected = np.unpackbits(mask.bits, count=self.covers, bitorder="little").astype(np.bool_)
            known = np.bincount(lists[selected & (lists >= 0)], minlength=self._index.nlist)
            mask.per_list[self] = known
        return known

    def _lists(self) -> NDArray[np.int32]:
        if self._list_of_slot is None:
            faiss, stored = load_faiss(), self._index.invlists
            lists = np.full(self.covers, -1, dtype=np.int32)
            for number in range(self._index.nlist):
                if size := stored.list_size(number):
                    lists[faiss.rev_swig_ptr(stored.get_ids(number), size)] = number
            self._list_of_slot = lists
        return self._list_of_slot

    def _search(self, query: Scores, count: int, lists: Slots, scores: Scores, options: Any) -> Slots:
        found, distances = np.full(count, -1, dtype=np.int64), np.empty(count, dtype=np.float32)
        of = load_faiss().swig_ptr
        if len(lists):
            self._index.search_preassigned_c(
                1, of(query), count, of(lists), of(scores), of(distances), of(found), False, options
            )
        return real(found)


def _empty(kind: Kind, dimension: int, lists: int) -> Any:
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


def _add(index: Any, contents: Contents, start: int, proceed: Proceed) -> None:
    for first, stop in slices(len(contents.keys) - start):
        proceed()
        slots = start + first + np.flatnonzero(contents.alive[start + first : start + stop])
        index.add_with_ids(contents.take(slots), slots)
