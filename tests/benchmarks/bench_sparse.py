"""How well and how fast the sparse view finds: judged sets, then speed beside bm25s and rank_bm25.

``python -m tests.benchmarks.bench_sparse DATA [--peers PYTHON] [--sizes 10000 100000]``: DATA is a folder with judged
sets (see sparse_sets.py); PYTHON is that of an environment with bm25s, numba, PyStemmer and rank_bm25. Texts to be
searched for speed are stretches of 40 to 160 words from those sets, ten to a document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import ir_measures

from contracts import PUBLIC, Selection
from retrieval.sparse.tantivy_index import TantivyIndex
from tests.benchmarks.sparse_sets import JudgedSet, judged_sets
from tests.feeds import MemoryFeed

EVERYONE = Selection((PUBLIC,))


async def quality(judged: JudgedSet) -> None:
    """Print the measures of one set, searched 1000 deep."""
    feed, of = MemoryFeed(), {}
    for name, (title, text) in judged.documents.items():
        of[feed.put(name, texts=[text], title=title)[0]] = name
    index = TantivyIndex(feed, "default")
    await index.refresh()
    run = {
        query: {of[key]: score for key, score in await index.search(judged.queries[query], 1000, EVERYONE)}
        for query in judged.qrels
    }
    asked = [ir_measures.parse_measure(name) for name in judged.measures]
    found = ir_measures.calc_aggregate(asked, judged.qrels, run)
    print(f"{judged.name:14}", "  ".join(f"{measure} {found[measure]:.3f}" for measure in asked), flush=True)


def material(sets: Sequence[JudgedSet], count: int) -> tuple[list[str], list[str]]:
    """Return `count` texts, and queries."""
    some = random.Random(count)
    words = " ".join(text for one in sets for _, text in one.documents.values()).split()
    starts = [(some.randrange(len(words) - 160), some.randint(40, 160)) for _ in range(count)]
    queries = [query for one in sets for query in one.queries.values()]
    return [" ".join(words[at : at + size]) for at, size in starts], some.sample(queries, 400)


async def ours(texts: list[str], queries: list[str], folder: Path) -> None:
    """Print how fast the view is at one size, its filters and a single added document included."""
    feed = MemoryFeed()
    for n in range(0, len(texts), 10):
        feed.put(f"d{n // 10}", texts=texts[n : n + 10])
    index = TantivyIndex(feed, "default", folder=folder)
    start, busy = time.perf_counter(), time.process_time()
    await index.refresh()
    took, busy = time.perf_counter() - start, time.process_time() - busy
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"  tantivy    indexed in {took:.1f} s ({busy:.1f} s of CPU), {len(texts) / took:.0f} texts/s")
    print(f"  tantivy    {size / len(texts):.0f} bytes of disk for each text")
    _report("tantivy", await timed(index, queries, EVERYONE))
    added = []
    for n in range(20):
        feed.put(f"new{n}", texts=[f"{texts[n]} xanthippe{n}"])
        start = time.perf_counter()
        await index.refresh()
        assert len(await index.search(f"xanthippe{n}", 1, EVERYONE)) == 1
        added.append(time.perf_counter() - start)
    print(f"  tantivy    one document added and found: median {statistics.median(added) * 1000:.0f} ms, "
          f"most {max(added) * 1000:.0f} ms")  # fmt: skip
    documents = [f"d{n}" for n in range(len(texts) // 10)]
    feed.share("d0", "alice")
    await index.refresh()
    _report("limited to readers", await timed(index, queries, EVERYONE))
    for few in (10, 1000, 100_000):
        chosen = random.Random(few).sample(documents, min(few, len(documents) * 9 // 10))
        padded = frozenset([*chosen, *(f"x{n}" for n in range(few - len(chosen)))])
        _report(f"of {few} documents", await timed(index, queries[:100], Selection((PUBLIC,), padded)))


async def timed(index: TantivyIndex, queries: Sequence[str], selection: Selection) -> list[float]:
    """Return the seconds of each query, asked one by one."""
    seconds = []
    for query in queries:
        start = time.perf_counter()
        await index.search(query, 10, selection)
        seconds.append(time.perf_counter() - start)
    return seconds


def peer(python: str, name: str, texts: list[str], queries: list[str], folder: Path) -> None:
    """Print how fast a peer is."""
    file = folder / "material.json"
    file.write_text(json.dumps({"texts": texts, "queries": queries}), encoding="utf-8")
    command = [python, str(Path(__file__).with_name("sparse_peers.py")), name, str(file)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    took = found["indexed"]
    print(f"  {name:10} indexed in {took:.1f} s, {len(texts) / took:.0f} texts/s; the same again for an added document")
    _report(name, found["queries"])


def _report(name: str, seconds: list[float]) -> None:
    ranked = sorted(seconds)
    each = [ranked[len(ranked) // 2] * 1000, ranked[int(len(ranked) * 0.99)] * 1000]
    print(
        f"  {name:22} {len(seconds) / sum(seconds):8.0f} queries/s   p50 {each[0]:.2f} ms   p99 {each[1]:.2f} ms",
        flush=True,
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--no-quality", action="store_true")
    asked = parser.parse_args()
    print("python -m tests.benchmarks.bench_sparse", *sys.argv[1:])
    sets = list(judged_sets(asked.data))
    for judged in () if asked.no_quality else sets:
        await quality(judged)
    english = [judged for judged in sets if not judged.name.startswith("xquad")]
    for size in asked.sizes:
        texts, queries = material(english, size)
        folder = Path(tempfile.mkdtemp())
        try:
            print(f"{size} texts")
            await ours(texts, queries, folder / "index")
            for name in ("bm25s", "rank_bm25") if asked.peers else ():
                peer(asked.peers, name, texts, queries, folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    asyncio.run(main())
