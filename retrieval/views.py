"""The views of every collection that is searched: what each finds for a query, by meaning and by words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts import DenseIndex, Embedder, Readable, Selection, SparseIndex, Wording
from retrieval.ranking.fusion import Ranking
from retrieval.steps import Steps


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search looks for: a vector of shape (dimension,) and texts with their weights, the query's own first. Each
    view gives up to `depth` candidates for each. The sparse mode has no vector, the dense one no texts."""

    collection: str
    selection: Selection
    texts: tuple[Wording, ...]
    vector: NDArray[np.float32] | None
    depth: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What the views found: a ranking by the vector and one per text, the cosine similarity of every candidate to the
    vector where it is known, and the generation of each view that was asked."""

    rankings: tuple[Ranking, ...]
    similarities: Mapping[int, float]
    generations: tuple[int, ...]


class Views:
    """Opens the views of a collection at its first search, keeps them, and brings them up to date before each search.

    `open_dense` makes a view by the collection's name and embedder, `open_sparse` one by the collection's name.
    """

    def __init__(
        self, open_dense: Callable[[str, Embedder], DenseIndex], open_sparse: Callable[[str], SparseIndex]
    ) -> None:
        self._open_dense = open_dense
        self._open_sparse = open_sparse
        self._dense: dict[str, tuple[str, DenseIndex]] = {}  # by collection, with the embedder's name
        self._sparse: dict[str, SparseIndex] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def collections(self) -> frozenset[str]:
        """The collections whose views are open."""
        return frozenset(self._dense) | frozenset(self._sparse)

    async def open(self, collection: str, embedder: Embedder) -> None:
        """Open a collection's views and bring them up to date, so that no search has to."""
        await asyncio.gather(self._dense_view(collection, embedder).refresh(), self._sparse_view(collection).refresh())

    async def follow(self) -> None:
        """Bring every open view up to date."""
        await asyncio.gather(*(view.refresh() for view in self._all()))

    async def close(self, collection: str) -> None:
        """Close the views of one collection."""
        _, dense = self._dense.pop(collection, ("", None))
        sparse = self._sparse.pop(collection, None)
        await asyncio.gather(*(view.aclose() for view in (dense, sparse) if view is not None))

    async def aclose(self) -> None:
        """Close every view."""
        views = self._all()
        self._dense, self._sparse = {}, {}
        await asyncio.gather(*(view.aclose() for view in views), *self._closing)

    def _all(self) -> list[DenseIndex | SparseIndex]:
        return [*self._sparse.values(), *(view for _, view in self._dense.values())]

    async def find(self, wanted: Wanted, readable: Readable, embedder: Embedder, steps: Steps) -> Findings:
        """Search at the generation of `readable` or a later one."""
        dense = None if wanted.vector is None else self._dense_view(wanted.collection, embedder)
        sparse = self._sparse_view(wanted.collection) if wanted.texts else None
        by_meaning, by_words = await asyncio.gather(
            _by_meaning(dense, wanted, readable.generation, steps),
            _by_words(sparse, wanted, readable.generation, steps),
        )
        similarities = await _similarities(dense, wanted, by_meaning, by_words)
        generations = tuple(view.generation for view in (dense, sparse) if view is not None)
        return Findings((*by_meaning, *by_words), similarities, generations)

    async def vectors(self, collection: str, keys: Sequence[int]) -> Mapping[int, NDArray[np.float32]]:
        """Return the vectors of chunks that a search by meaning just found."""
        return await self._dense[collection][1].vectors(keys)

    def _dense_view(self, collection: str, embedder: Embedder) -> DenseIndex:
        name, view = self._dense.get(collection, ("", None))
        if view is None or name != embedder.name:
            if view is not None:
                task = asyncio.create_task(view.aclose())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
            view = self._open_dense(collection, embedder)
            self._dense[collection] = embedder.name, view
        return view

    def _sparse_view(self, collection: str) -> SparseIndex:
        if collection not in self._sparse:
            self._sparse[collection] = self._open_sparse(collection)
        return self._sparse[collection]


async def _by_meaning(view: DenseIndex | None, wanted: Wanted, generation: int, steps: Steps) -> list[Ranking]:
    if view is None or wanted.vector is None:
        return []
    with steps("dense") as span:
        if view.generation != generation:
            await view.refresh()
        found = await view.search(wanted.vector, wanted.depth, wanted.selection)
        span.set(generation=view.generation, found=len(found))
    return [Ranking("dense", found)]


async def _by_words(view: SparseIndex | None, wanted: Wanted, generation: int, steps: Steps) -> list[Ranking]:
    if view is None:
        return []
    with steps("sparse") as span:
        if view.generation != generation:
            await view.refresh()
        found = [await view.search(wording.text, wanted.depth, wanted.selection) for wording in wanted.texts]
        span.set(generation=view.generation, found=[len(one) for one in found])
    return [Ranking("sparse", one, wording.weight) for one, wording in zip(found, wanted.texts, strict=True)]


async def _similarities(
    view: DenseIndex | None, wanted: Wanted, by_meaning: Sequence[Ranking], by_words: Sequence[Ranking]
) -> dict[int, float]:
    """Return the cosine similarity of all that was found, also of what only its words found."""
    if view is None or wanted.vector is None:
        return {}
    known = dict(by_meaning[0].found)
    missing = {key for ranking in (*by_meaning, *by_words) for key, _ in ranking.found} - known.keys()
    vectors = await view.vectors(list(missing)) if missing else {}
    if vectors:
        known.update(zip(vectors, (np.stack(list(vectors.values())) @ wanted.vector).tolist(), strict=True))
    return known
