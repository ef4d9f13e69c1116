"""Dense retrieval: a query becomes a vector, the vector finds chunks that the caller may see."""

from __future__ import annotations

import time
from collections.abc import Callable

from contracts import (
    ChangeFeed,
    DenseIndex,
    Embedder,
    Hit,
    NotFoundError,
    Passages,
    Query,
    Retrieved,
    Tracer,
)


class DenseRetriever:
    """Port `Retriever` over one dense index per collection; `open_index` makes one by the collection's name."""

    def __init__(
        self,
        *,
        embedder: Embedder,
        feed: ChangeFeed,
        passages: Passages,
        open_index: Callable[[str], DenseIndex],
        tracer: Tracer,
    ) -> None:
        self._embedder = embedder
        self._feed = feed
        self._passages = passages
        self._open_index = open_index
        self._tracer = tracer
        self._indexes: dict[str, DenseIndex] = {}

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change."""
        return await self._feed.generation(collection)

    async def retrieve(self, query: Query) -> Retrieved:
        """Return the best hits the caller may see. Raises NotFoundError when the collection does not exist."""
        if await self.generation(query.collection) == 0:
            raise NotFoundError(
                f"Collection {query.collection!r} holds no documents yet. Add some: `footnote ingest PATH`, or upload."
            )
        started = time.perf_counter()
        with self._tracer.span("embed", inputs={"text": query.text}, model=self._embedder.name) as span:
            vector = (await self._embedder.embed([query.text]))[0]
            span.set(dimension=len(vector))
        embedded = time.perf_counter()
        with self._tracer.span("retrieve", inputs={"query": query.text, "top_k": query.top_k}) as span:
            index = self._index(query.collection)
            generation = await index.refresh()
            allowed = await self._passages.visible(query.collection, query.caller.scope, query.filters)
            found = await index.search(vector, query.top_k, allowed)
            passages = await self._passages.hydrate([key for key, _ in found])
            hits = tuple(Hit(*passages[key], score=score) for key, score in found if key in passages)
            span.set(
                outputs=[{"id": h.chunk.id, "source": h.document.source, "score": round(h.score, 4)} for h in hits],
                generation=generation,
            )
        done = time.perf_counter()
        return Retrieved(hits, generation, {"embed": (embedded - started) * 1e3, "retrieve": (done - embedded) * 1e3})

    def _index(self, collection: str) -> DenseIndex:
        if collection not in self._indexes:
            self._indexes[collection] = self._open_index(collection)
        return self._indexes[collection]
