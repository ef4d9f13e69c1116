"""Searches Footnote's default collection for the queries in a JSON file: ``ingestion_search QUERIES``, in a process of
its own. Prints, as JSON, the seconds that making the index took and the file names found for each query."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from apps.bootstrap import open_library
from apps.settings import Settings
from contracts import Caller, Query
from tests.benchmarks.ingestion_peers import TOP


async def search(queries: dict[str, str]) -> dict[str, object]:
    """Return what is printed."""
    library = open_library(Settings())
    await library.open_embedder("").embed(["The model is loaded before the clock starts."])
    started = time.perf_counter()
    await library.retriever.retrieve(Query("first", "default", Caller(), 1))
    seconds = time.perf_counter() - started
    found = {}
    for key, query in queries.items():
        hits = (await library.retriever.retrieve(Query(query, "default", Caller(), TOP))).hits
        found[key] = [Path(hit.document.source).name for hit in hits]
    return {"index_seconds": seconds, "found": found}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(search(json.loads(Path(sys.argv[1]).read_text("utf-8"))))))
