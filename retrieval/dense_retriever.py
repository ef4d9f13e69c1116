"""Dense retrieval: a query becomes a vector, the vector finds chunks that the caller may see."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from contracts import (
    ChangeFeed,
    ConfigurationError,
    DenseIndex,
    Embedder,
    Hit,
    NotFoundError,
    Passages,
    Query,
    Retrieved,
    Tracer,
)

_log = logging.getLogger(__name__)


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
        self._checked: dict[str, int] = {}  # the generation at which a collection's embedders were looked at

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change."""
        return await self._feed.generation(collection)

    async def retrieve(self, query: Query) -> Retrieved:
        """Return the best hits the caller may see. Raises NotFoundError when the collection does not exist, and
        ConfigurationError when its vectors are another embedder's."""
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
            await self._check_embedder(query.collection, generation)
            allowed = await self._passages.visible(query.collection, query.caller.scope, query.filters)
            found = await index.search(vector, query.top_k, allowed)
            passages = await self._passages.hydrate([key for key, _ in found])
            hits = tuple(Hit(*passages[key], score=score) for key, score in found if key in passages)
            # A change between looking up who may see what and searching must not show what it hides.
            hits = tuple(hit for hit in hits if _visible(hit, query))
            span.set(
                outputs=[{"id": h.chunk.id, "source": h.document.source, "score": round(h.score, 4)} for h in hits],
                generation=generation,
            )
        done = time.perf_counter()
        return Retrieved(hits, generation, {"embed": (embedded - started) * 1e3, "retrieve": (done - embedded) * 1e3})

    async def _check_embedder(self, collection: str, generation: int) -> None:
        """Vectors of two models are never mixed: documents of another embedder cannot be found, which must be said."""
        if self._checked.get(collection) == generation:
            return
        made_by, ours = await self._feed.embedders(collection), self._embedder.name
        others = ", ".join(sorted(made_by - {ours}))
        if made_by and ours not in made_by:
            raise ConfigurationError(
                f"Collection {collection!r} was embedded with {others}, and now {ours} is set: ingest its documents "
                "again, or set FOOTNOTE_EMBEDDING__MODEL back."
            )
        if others:
            _log.warning("documents of %r that were embedded with %s are not found: ingest again", collection, others)
        self._checked[collection] = generation

    def _index(self, collection: str) -> DenseIndex:
        if collection not in self._indexes:
            self._indexes[collection] = self._open_index(collection)
        return self._indexes[collection]


def _visible(hit: Hit, query: Query) -> bool:
    return hit.document.collection == query.collection and not set(query.caller.scope).isdisjoint(hit.document.readers)
