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
    Vectors,
)

_DEEPEST = 16  # times the hits wanted: so far it is searched for passages that are not the same again


class DenseRetriever:
    """Port `Retriever` over one dense index per collection, which holds the vectors of the collection's embedder.

    `open_embedder` returns an embedder by its name, `open_index` makes an index by the collection's name and embedder.
    """

    def __init__(
        self,
        *,
        feed: ChangeFeed,
        passages: Passages,
        open_embedder: Callable[[str], Embedder],
        open_index: Callable[[str, Embedder], DenseIndex],
        tracer: Tracer,
    ) -> None:
        self._feed = feed
        self._passages = passages
        self._open_embedder = open_embedder
        self._open_index = open_index
        self._tracer = tracer
        self._indexes: dict[str, tuple[str, DenseIndex]] = {}  # by collection, with the embedder's name

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change."""
        return await self._feed.generation(collection)

    async def retrieve(self, query: Query) -> Retrieved:
        """Return the best hits the caller may see. Raises NotFoundError when the collection does not exist, and
        ConfigurationError when its embedder cannot be loaded."""
        if await self.generation(query.collection) == 0:
            raise NotFoundError(
                f"Collection {query.collection!r} holds no documents yet. Add some: `footnote ingest PATH`, or upload."
            )
        try:
            embedder = await self._feed.embedder(query.collection)
        except NotFoundError:
            self._indexes.pop(query.collection, None)
            raise
        while True:
            found = await self._retrieve(query, embedder)
            searched, embedder = embedder, await self._feed.embedder(query.collection)
            if embedder == searched:
                return found  # else the collection was switched meanwhile, and the vectors searched for are gone

    async def _retrieve(self, query: Query, embedder_name: str) -> Retrieved:
        started = time.perf_counter()
        embedder = self._open_embedder(embedder_name)
        with self._tracer.span("embed", inputs={"text": query.text}, model=embedder_name) as span:
            vector = await embedder.embed([query.text])
            span.set(dimension=vector.shape[1])
        embedded = time.perf_counter()
        with self._tracer.span("retrieve", inputs={"query": query.text, "top_k": query.top_k}) as span:
            index = self._index(query.collection, embedder_name, embedder)
            generation = await index.refresh()
            hits = await self._search(index, vector, query)
            span.set(
                outputs=[{"id": h.chunk.id, "source": h.document.source, "score": round(h.score, 4)} for h in hits],
                generation=generation,
            )
        done = time.perf_counter()
        return Retrieved(hits, generation, {"embed": (embedded - started) * 1e3, "retrieve": (done - embedded) * 1e3})

    async def _search(self, index: DenseIndex, vector: Vectors, query: Query) -> tuple[Hit, ...]:
        """Search deeper while what is found is the same passage again: windows and parents come once per sentence."""
        allowed = await self._passages.visible(query.collection, query.caller.scope, query.filters)
        wanted = query.top_k
        while True:
            found = await index.search(vector[0], wanted, allowed)
            passages = await self._passages.hydrate([key for key, _ in found])
            hits: dict[tuple[str, tuple[int, int]], Hit] = {}
            for key, score in found:
                # A change between looking up who may see what and searching must not show what it hides.
                if key in passages and _visible(hit := Hit(*passages[key], score=score), query):
                    hits.setdefault((hit.document.id, hit.chunk.span), hit)
            if len(hits) >= query.top_k or len(found) < wanted or wanted >= _DEEPEST * query.top_k:
                return tuple(hits.values())[: query.top_k]
            wanted *= 2

    def _index(self, collection: str, embedder_name: str, embedder: Embedder) -> DenseIndex:
        name, index = self._indexes.get(collection, ("", None))
        if index is None or name != embedder_name:
            index = self._open_index(collection, embedder)
            self._indexes[collection] = embedder_name, index
        return index


def _visible(hit: Hit, query: Query) -> bool:
    return hit.document.collection == query.collection and not set(query.caller.scope).isdisjoint(hit.document.readers)
