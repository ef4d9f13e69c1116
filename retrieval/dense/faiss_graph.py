"""Candidates from a graph: HNSW over vectors in 8 bits a dimension (Malkov and Yashunin 2016)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from retrieval.dense.faiss_exact import Scores
from retrieval.dense.faiss_threads import load_faiss
from retrieval.dense.index_contents import Contents, Flags, Proceed
from retrieval.dense.index_policy import Kind
from retrieval.dense.masks import Mask
from retrieval.dense.structure import changeable_copy, real, sample, save
from retrieval.dense.vector_rows import Slots

_LINKS, _WIDTH_OF_BUILD = 32, 64
_NARROWEST, _WIDER = 100, 3  # how many nodes a search keeps in view, and times as many with a selection
_TRAINED_ON = 10_000  # rows, for the range of each dimension
_STEP = 2000  # rows added at once


class FaissGraph:
    """A structure whose nodes are the slots. None can be taken out: those of dead slots are zeroed when it is
    extended."""

    kind = Kind.GRAPH

    def __init__(self, index: Any, covers: int, holds: Flags, trained_on: int) -> None:
        self._index = index
        self._holds = holds
        self.covers = covers
        self.trained_on = trained_on

    @classmethod
    def build(cls, contents: Contents, proceed: Proceed) -> FaissGraph:
        """Return a new graph of all slots."""
        faiss = load_faiss()
        dimension = contents.rows.base.shape[1]
        index = faiss.IndexHNSWSQ(dimension, faiss.ScalarQuantizer.QT_8bit, _LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _WIDTH_OF_BUILD
        index.train(sample(contents, _TRAINED_ON))
        _add(index, contents, 0, proceed)
        return cls(index, len(contents.keys), contents.alive.copy(), int(contents.alive.sum()))

    def candidates(self, query: Scores, k: int, mask: Mask) -> Slots:
        """Return selected slots among which the k nearest to the query are, at least k; fewer mean that it did not get
        to the others. None are named where more than a third is left out: the way to what is selected may lead
        through what is not."""
        if 3 * mask.selected < 2 * mask.count:
            return np.empty(0, dtype=np.int64)
        faiss = load_faiss()
        count = min(max(2 * k, k + 30), self.covers)
        width = max(_NARROWEST, count + count // 2)
        if not mask.everything:
            width *= _WIDER
        if mask.selected == mask.count:
            options = faiss.SearchParametersHNSW(efSearch=width)
        else:
            options = faiss.SearchParametersHNSW(efSearch=width, sel=faiss.IDSelectorBitmap(mask.bits))
        _, found = self._index.search(query[None], count, params=options)
        return real(found[0])

    def extended(self, contents: Contents, proceed: Proceed) -> FaissGraph:
        """Return a graph with zeros for what died since, and with all that came."""
        faiss = load_faiss()
        index = changeable_copy(self._index)
        storage = faiss.downcast_index(index.storage)
        codes = faiss.rev_swig_ptr(storage.codes.data(), storage.codes.size())
        codes.reshape(self.covers, -1)[self._holds & ~contents.alive[: self.covers]] = 0
        _add(index, contents, self.covers, proceed)
        return FaissGraph(index, len(contents.keys), contents.alive.copy(), self.trained_on)

    def clean(self, alive: Flags) -> bool:
        """Return whether it holds nothing of a dead slot."""
        return not np.any(self._holds & ~alive[: self.covers])

    def save(self, path: Path) -> None:
        """Write it to a file. Raises OSError."""
        save(self._index, path)


def _add(index: Any, contents: Contents, start: int, proceed: Proceed) -> None:
    for first in range(start, len(contents.keys), _STEP):
        proceed()
        index.add(contents.vectors(first, min(first + _STEP, len(contents.keys))))
