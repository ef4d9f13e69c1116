"""Exact search on FAISS's kernels, over any choice of rows, where they lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors
from retrieval.dense.faiss_threads import load_faiss
from retrieval.dense.vector_rows import RowView, Slots

Scores = NDArray[np.float32]
Found = tuple[Slots, Scores]


def nearest(query: Scores, rows: RowView, slots: Slots, k: int) -> Found:
    """Return up to k of these slots and their inner products with the query, best first. `slots` are in order."""
    bound = int(np.searchsorted(slots, len(rows.base)))
    if bound == len(slots):
        return _nearest(query, rows.base, slots, k)
    if bound == 0:
        found, scores = _nearest(query, rows.tail, slots - len(rows.base), k)
        return found + len(rows.base), scores
    one = _nearest(query, rows.base, slots[:bound], k)
    found, scores = _nearest(query, rows.tail, slots[bound:] - len(rows.base), k)
    return best_of(one, (found + len(rows.base), scores), k)


def best_of(one: Found, other: Found, k: int) -> Found:
    """Return the k best of both, best first."""
    slots, scores = np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])
    order = np.argsort(-scores, kind="stable")[:k]
    return slots[order], scores[order]


def _nearest(query: Scores, rows: Vectors, slots: Slots, k: int) -> Found:
    faiss = load_faiss()
    k = min(k, len(slots))
    scores, found = np.empty(k, dtype=np.float32), np.empty(k, dtype=np.int64)
    if k:
        of = faiss.swig_ptr
        chosen = np.ascontiguousarray(slots)
        faiss.knn_inner_products_by_idx(
            of(query), of(rows), of(chosen), len(query), 1, len(rows), len(chosen), k, of(scores), of(found)
        )
    return found, scores
