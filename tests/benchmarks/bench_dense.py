"""The FAISS view at several sizes: time to build, milliseconds per query, recall, memory, time to load, and the cost of
one more document.

Run it with ``python -m tests.benchmarks.bench_dense --rows 10000 100000 --folder FOLDER``; FOLDER takes the snapshots.
``--structure exact|graph|lists`` has one structure at every size instead of the policy's. Vectors are a mixture of
Gaussians on the sphere with 384 dimensions, ten to a document, whose spectrum falls as that of real embeddings does;
``--vectors FILE.npy`` takes real ones. Recall is of the ten nearest by brute force. `topic` is a scope that may read
the documents of half the clusters, `half`, `tenth` ... one that may read as many at random.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from contracts import Selection, Vectors
from retrieval.dense.faiss_index import FaissIndex
from retrieval.dense.index_policy import IndexPolicy
from tests.feeds import MemoryFeed

DIMENSION, PER_DOCUMENT, K = 384, 10, 10
SCOPES = {"half": 0.5, "tenth": 0.1, "hundredth": 0.01, "thousandth": 0.001}
POLICIES = {
    "policy": IndexPolicy(),
    "exact": IndexPolicy(exact_rows=1 << 40),
    "graph": IndexPolicy(exact_rows=1000, graph_rows=1 << 40),
    "lists": IndexPolicy(exact_rows=1000, graph_rows=0),
    "small lists": IndexPolicy(exact_rows=1000, graph_rows=0, memory_bytes=0),
}


def clustered(count: int, seed: int, clusters: int) -> tuple[Vectors, np.ndarray]:
    """Return `count` vectors and, for every ten of them, their cluster."""
    centres = np.random.default_rng(0).standard_normal((clusters, DIMENSION), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    spectrum = np.arange(1, DIMENSION + 1, dtype=np.float32) ** -0.5
    spectrum /= np.linalg.norm(spectrum)
    random = np.random.default_rng(seed)
    chosen = random.integers(clusters, size=-(-count // PER_DOCUMENT))
    rows = np.empty((count, DIMENSION), dtype=np.float32)
    for start in range(0, count, 50_000):
        part = rows[start : start + 50_000]
        part[:] = random.standard_normal(part.shape, dtype=np.float32) * spectrum
        part += centres[np.repeat(chosen, PER_DOCUMENT)[start : start + len(part)]]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows, chosen


def nearest(rows: Vectors, queries: Vectors, among: np.ndarray) -> np.ndarray:
    """Return the ten rows nearest to each query."""
    import faiss

    found = [np.empty((len(queries), 0), dtype=np.int64)]
    scores = [np.empty((len(queries), 0), dtype=np.float32)]
    for start in range(0, len(among), 100_000):
        part = among[start : start + 100_000]
        best, places = faiss.knn(queries, rows[part], min(K, len(part)), faiss.METRIC_INNER_PRODUCT)
        found.append(part[places])
        scores.append(best)
    order = np.argsort(-np.concatenate(scores, axis=1), axis=1)[:, :K]
    return np.take_along_axis(np.concatenate(found, axis=1), order, axis=1)


def fill(feed: MemoryFeed, rows: Vectors, clusters: np.ndarray) -> dict[str, np.ndarray]:
    """Put the rows into documents; return, by scope, the rows it may read. Row i has key i + 1."""
    random = np.random.default_rng(5)
    draws = random.random(len(clusters))
    for n, draw in enumerate(draws):
        readers = ["*", *(scope for scope, share in SCOPES.items() if draw < share)]
        readers += ["topic"] if clusters[n] % 2 else []
        part = rows[n * PER_DOCUMENT : (n + 1) * PER_DOCUMENT]
        feed.put(f"document-{n:08d}", vectors=part, readers=tuple(readers))
    by_row = np.repeat(draws, PER_DOCUMENT)[: len(rows)]
    may = {scope: np.flatnonzero(by_row < share) for scope, share in SCOPES.items()}
    of_topic = np.repeat(clusters % 2 == 1, PER_DOCUMENT)[: len(rows)]
    return {"*": np.arange(len(rows)), **may, "topic": np.flatnonzero(of_topic)}


async def timed(index: FaissIndex, queries: Vectors, scope: str) -> tuple[list[float], list[set[int]]]:
    """Return milliseconds and keys of each query, one after another."""
    taken, found = [], []
    for query in queries:
        start = time.perf_counter()
        hits = await index.search(query, K, Selection((scope,)))
        taken.append(1000 * (time.perf_counter() - start))
        found.append({key for key, _ in hits})
    return taken, found


def quantiles(taken: list[float]) -> str:
    """Return median and 99th percentile."""
    return f"p50 {np.quantile(taken, 0.5):7.3f} ms  p99 {np.quantile(taken, 0.99):7.3f} ms"


async def while_building(index: FaissIndex, queries: Vectors) -> tuple[str, list[float]]:
    """Return how long the index takes to settle, and how long queries take meanwhile."""
    start, cpu = time.perf_counter(), time.process_time()
    building = asyncio.create_task(index.settle())
    taken: list[float] = []
    while not building.done():
        taken += (await timed(index, queries[len(taken) % len(queries) :][:1], "*"))[0]
        await asyncio.sleep(0.5)
    await building
    return f"{time.perf_counter() - start:.1f} s ({time.process_time() - cpu:.1f} s of CPU, with those queries)", taken


async def throughput(index: FaissIndex, queries: Vectors, at_once: int) -> float:
    """Return queries per second with several under way."""
    start = time.perf_counter()
    await asyncio.gather(*(timed(index, queries[n::at_once], "*") for n in range(at_once)))
    return len(queries) / (time.perf_counter() - start)


async def one_more(feed: MemoryFeed, index: FaissIndex, extra: Vectors) -> list[float]:
    """Return milliseconds from a new document to its being found."""
    taken = []
    for n, row in enumerate(extra):
        start = time.perf_counter()
        (key,) = feed.put(f"extra-{n}", vectors=row[None])
        await index.refresh()
        hits = await index.search(row, 1, Selection(("*",)))
        taken.append(1000 * (time.perf_counter() - start))
        assert hits[0][0] == key
    return taken


async def bench(count: int, folder: Path, policy: IndexPolicy, given: Vectors | None) -> None:
    """Print the figures of one size."""
    if given is None:
        rows, clusters = clustered(count, 1, max(50, int(2 * count**0.5)))
        queries, _ = clustered(300, 2, max(50, int(2 * count**0.5)))
        extra, _ = clustered(50, 3, max(50, int(2 * count**0.5)))
    else:
        rows, queries, extra = given[:count], given[-300:], given[-350:-300]
        clusters = np.arange(-(-count // PER_DOCUMENT)) * 20 // -(-count // PER_DOCUMENT)
    feed = MemoryFeed()
    may = fill(feed, rows, clusters)
    index = FaissIndex(feed, "bench", embedder="e", dimension=DIMENSION, folder=folder, policy=policy, quiet_s=3600)
    start = time.perf_counter()
    await index.refresh()
    print(f"{count} rows: read from the feed in {time.perf_counter() - start:.1f} s")
    took, meanwhile = await while_building(index, queries)
    kind = index._state.structure.kind if index._state.structure else "exact"
    print(f"  {kind}: built and written in {took}; meanwhile {quantiles(meanwhile)}")
    await timed(index, queries[:50], "*")
    for scope, rows_of in may.items():
        await timed(index, queries[:5], scope)
        taken, found = await timed(index, queries, scope)
        truth = [set((each + 1).tolist()) for each in nearest(rows, queries, rows_of)]
        recall = np.mean([len(one & other) / len(other) for one, other in zip(found, truth, strict=True)])
        print(f"  scope {scope:10s} {quantiles(taken)}  recall@10 {recall:.3f}")
    print(f"  {await throughput(index, queries, 4):.0f} queries/s, four at once")
    print(f"  one more document found after {quantiles(await one_more(feed, index, extra))}")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"  {size / count:.0f} bytes per chunk on disk")
    await index.aclose()


async def load(count: int, folder: Path) -> None:
    """Print what it takes to open the snapshot in a new process."""
    import faiss

    faiss.omp_set_num_threads(1)  # its import is not counted
    queries, _ = clustered(200, 4, 50)
    feed = MemoryFeed()
    feed._generation = 1 << 40  # whatever the snapshot's is; nothing changed after it
    before = resident()
    index = FaissIndex(feed, "bench", embedder="e", dimension=DIMENSION, folder=folder, quiet_s=3600)
    start = time.perf_counter()
    await index.refresh()
    loaded = time.perf_counter() - start
    await timed(index, queries[:1], "*")
    first = time.perf_counter() - start
    await timed(index, queries, "*")
    own, mapped = ((after - was) / count for after, was in zip(resident(), before, strict=True))
    print(f"snapshot loaded in {loaded:.3f} s, first hit after {first:.3f} s;", end=" ")
    print(f"after 200 queries memory is {own:.0f} bytes per chunk of its own and {mapped:.0f} of mapped files")


def resident() -> tuple[int, int]:
    """Return the bytes of memory of this process: its own, and of files."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own, mapped = (int(status[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile"))
    return own, mapped


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--structure", choices=POLICIES, default="policy")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--load", type=int)
    arguments = parser.parse_args()
    if arguments.load:
        asyncio.run(load(arguments.load, arguments.folder))
        return
    given = np.load(arguments.vectors) if arguments.vectors else None
    for count in arguments.rows:
        folder = arguments.folder / f"{count}-{arguments.structure.replace(' ', '-')}"
        asyncio.run(bench(count, folder, POLICIES[arguments.structure], given))
        again = [sys.executable, "-m", "tests.benchmarks.bench_dense", "--load", str(count), "--folder", str(folder)]
        print(f"  {subprocess.run(again, capture_output=True, check=True, text=True).stdout.strip()}")


if __name__ == "__main__":
    main()
