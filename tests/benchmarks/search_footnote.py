"""Footnote's search over a filled catalog, in a process of its own, with query vectors that are known beforehand.

Run by bench_search and bench_freshness: ``python -m tests.benchmarks.search_footnote FOLDER CATALOG``, where FOLDER
holds the files that search_material wrote and CATALOG is a data folder. It says on a line of JSON what loading cost,
then answers requests, each a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contracts import Caller, Filter, Query, Retriever, SearchMode, Vectors
from tests.benchmarks.search_catalog import COLLECTION, EMBEDDER, row_of
from tests.benchmarks.search_material import DIMENSION, Material

TOP = 10
_IDLE_S = 0.05
_MOST_IN_VAIN = 0.05  # of the searches: some queries are stop words only, which a search by words does not find


class KnownVectors:
    """Port `SentenceEncoder` that looks texts up: what it costs to embed a query is no part of these measurements."""

    name = EMBEDDER
    dimension = DIMENSION

    def __init__(self, texts: Sequence[str], vectors: Vectors) -> None:
        self._rows = dict(zip(texts, vectors, strict=True))

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._rows[text] if text in self._rows else _some_vector(text) for text in texts])

    @property
    def max_tokens(self) -> int:
        """Any number: nothing is cut off."""
        return 1 << 20

    def count_tokens(self, text: str) -> int:
        """Return how many words it is."""
        return len(text.split())

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return how many words each is."""
        return [self.count_tokens(text) for text in texts]


def _some_vector(text: str) -> Vectors:
    """Return a vector for what is no query: always the same one, like no other."""
    row = np.random.default_rng(list(text.encode())).standard_normal(DIMENSION, dtype=np.float32)
    scaled: Vectors = row / np.linalg.norm(row)
    return scaled


@dataclass(frozen=True, slots=True)
class Request:
    """What to search for: `count` queries from `first` on, by so many callers at once."""

    first: int
    count: int
    callers: int = 1
    mode: str = "hybrid"
    groups: tuple[str, ...] = ()
    year: str = ""

    def query(self, text: str) -> Query:
        """Return the query for one of the texts."""
        filters = (Filter("year", any_of=(self.year,)),) if self.year else ()
        caller = Caller("benchmark", self.groups)
        return Query(text, COLLECTION, caller, TOP, filters, SearchMode(self.mode))


class Searching:
    """The retriever that the application would use, on the catalog in a data folder."""

    def __init__(self, data_dir: Path, embedder: KnownVectors) -> None:
        from apps.database import open_database
        from apps.searching import open_retriever, open_views
        from apps.settings import Settings
        from ingestion.catalog.sql_catalog import read_identity
        from ingestion.catalog.sql_views import SqlChangeFeed, SqlPassages
        from observability.recording_tracer import NullTracer
        from retrieval.embedding.embedder_shelf import EmbedderShelf

        settings = Settings(data_dir=data_dir)
        engine = open_database(settings.catalog_url)
        self.views = open_views(settings, SqlChangeFeed(engine), read_identity(engine))
        shelf = EmbedderShelf(lambda _: embedder)
        self.retriever: Retriever = open_retriever(settings, SqlPassages(engine), self.views, shelf, NullTracer())

    async def timed(self, queries: Sequence[str], request: Request) -> dict[str, Any]:
        """Return milliseconds per search, seconds for all, and the mean milliseconds of each step."""
        waiting, each, nothing = iter(queries), [], list[str]()
        steps: dict[str, float] = {}

        async def caller() -> None:
            for text in waiting:
                begun = time.perf_counter()
                found = await self.retriever.retrieve(request.query(text))
                each.append((time.perf_counter() - begun) * 1e3)
                nothing.extend([] if found.hits else [text])
                for step, ms in found.timings.items():
                    steps[step] = steps.get(step, 0.0) + ms / len(queries)

        started, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(caller() for _ in range(request.callers)))
        seconds, used = time.perf_counter() - started, time.process_time() - used
        if len(nothing) > _MOST_IN_VAIN * len(queries):
            raise SystemExit(f"nothing found for {nothing}")
        return {
            "ms": each,
            "seconds": seconds,
            "cpu_seconds": used,
            "steps": steps,
        }

    async def watch(self, text: str, document_id: str, *, there: bool) -> dict[str, Any]:
        """Search again and again until a document is found, or is found no more. Return when that was, by the clock
        that all processes of a machine share, the first search's milliseconds, and how many there were."""
        query, first, count = Request(0, 1).query(text), 0.0, 0
        while True:
            begun = time.perf_counter()
            found = await self.retriever.retrieve(query)
            now = time.perf_counter()
            first, count = first or (now - begun) * 1e3, count + 1
            if any(hit.document.id == document_id for hit in found.hits) is there:
                return {"at": now, "first_ms": first, "searches": count, "steps": dict(found.timings)}
            await asyncio.sleep(0.005)

    async def nearest(self, queries: Sequence[str], groups: Sequence[str]) -> list[list[int]]:
        """Return the rows of the chunks that a search by meaning alone finds for each query."""
        request = Request(0, len(queries), mode="dense", groups=tuple(groups))
        found = [await self.retriever.retrieve(request.query(text)) for text in queries]
        return [[row_of(hit.chunk) for hit in one.hits] for one in found]


def resident_mib() -> float:
    """Return this process's resident memory in MiB, mapped files that were touched among it."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


async def settle() -> None:
    """Wait until nothing is built in the background any more: until a second costs next to no computing time."""
    used = -1.0
    while time.process_time() - used > _IDLE_S:
        used = time.process_time()
        await asyncio.sleep(1)


async def serve(folder: Path, data_dir: Path) -> None:
    """Load by a first search, say what that cost, then do as asked."""
    import faiss  # noqa: F401 - imported before the clock starts
    import tantivy  # noqa: F401

    material = Material(folder)
    queries = material.queries
    embedder = KnownVectors(queries, material.query_vectors)
    before, started = resident_mib(), time.perf_counter()
    searching = Searching(data_dir, embedder)
    await searching.timed(queries[:1], Request(0, 1, groups=("everyone",)))
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "mib": resident_mib() - before}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "nearest" in asked:
            answer: dict[str, Any] = {"rows": await searching.nearest(queries[: asked["nearest"]], asked["groups"])}
        elif "settle" in asked:
            await settle()
            answer = {"seconds": time.perf_counter() - started, "mib": resident_mib() - before}
        elif "watch" in asked:
            answer = await searching.watch(asked["watch"], asked["document"], there=asked["there"])
        else:
            request = Request(**asked | {"groups": tuple(asked.get("groups", ()))})
            answer = await searching.timed(queries[request.first : request.first + request.count], request)
        print(json.dumps(answer), flush=True)
    await searching.views.aclose()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
