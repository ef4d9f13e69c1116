"""Searches for each judged query, and keeps which documents were found and how long it took."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from contracts import Caller, Hit, Query, Retriever, SearchMode

Found = tuple[tuple[str, float], ...]  # document ids, each with the score of its best chunk, best first
Search = Callable[[str, int], Awaitable[Found]]  # a query's text and how many documents → what was found


@dataclass(frozen=True, slots=True)
class Run:
    """What one way to search found, by query, and the seconds that each search took."""

    found: Mapping[str, Found]
    seconds: Sequence[float]

    @property
    def queries_per_second(self) -> float:
        """Searches per second, one after the other."""
        return len(self.seconds) / (sum(self.seconds) or math.inf)

    @property
    def p50_ms(self) -> float:
        """Median time of a search in milliseconds."""
        return 1000 * statistics.median(self.seconds)


async def run_queries(
    search: Search, queries: Mapping[str, str], depth: int, on_done: Callable[[int], None] = lambda done: None
) -> Run:
    """Search for each query, one after the other, down to `depth` documents. The first one is searched for once before,
    so that loading models and indexes is in no figure."""
    found: dict[str, Found] = {}
    seconds: list[float] = []
    await search(next(iter(queries.values())), depth)
    for query, text in queries.items():
        began = time.perf_counter()
        found[query] = await search(text, depth)
        seconds.append(time.perf_counter() - began)
        on_done(len(found))
    return Run(found, seconds)


def document_search(retriever: Retriever, collection: str, mode: SearchMode, *, chunks_per_document: float) -> Search:
    """Return a search for documents: the rank of one is that of its best chunk. As long as the chunks found are of too
    few documents, twice as many are asked for."""

    async def search(text: str, depth: int) -> Found:
        wanted = math.ceil(depth * max(1.0, chunks_per_document))
        while True:
            hits = (await retriever.retrieve(Query(text, collection, Caller(), wanted, mode=mode))).hits
            found = by_document(hits)
            if len(found) >= depth or len(hits) < wanted:
                return found[:depth]
            wanted *= 2

    return search


def by_document(hits: Sequence[Hit]) -> Found:
    """Return the documents in the order of their best chunks."""
    best: dict[str, float] = {}
    for hit in hits:
        best.setdefault(hit.document.id, hit.score)
    return tuple(best.items())
