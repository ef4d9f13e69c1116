"""A retriever for tests: over a real catalog, with the plain views that the real ones are checked against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts import DenseIndex, Embedder, SparseIndex
from observability.recording_tracer import NullTracer
from retrieval.dense.exact_index import ExactIndex
from retrieval.retriever import HybridRetriever
from retrieval.sparse.scanning_index import ScanningIndex
from retrieval.views import Views
from tests.library import EMBEDDER, Shelf


def open_retriever(
    shelf: Shelf,
    *,
    open_dense: Callable[[str, Embedder], DenseIndex] | None = None,
    open_sparse: Callable[[str], SparseIndex] | None = None,
    **more: Any,
) -> HybridRetriever:
    """Return a retriever over the shelf; `more` are arguments of `HybridRetriever`."""
    views = Views(
        open_dense or (lambda name, embedder: ExactIndex(shelf.feed, name, embedder=embedder.name)),
        open_sparse or (lambda name: ScanningIndex(shelf.feed, name)),
    )
    arguments = {
        "passages": shelf.passages,
        "open_embedder": lambda name: EMBEDDER,
        "count_tokens": lambda text: len(text.split()),
        "tracer": NullTracer(),
        **more,
    }
    return HybridRetriever(views=views, **arguments)
