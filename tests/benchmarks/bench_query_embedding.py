"""Single queries that come at once: queries per second, milliseconds each and of computing, beside
sentence-transformers called from as many threads.

Run it with ``python -m tests.benchmarks.bench_query_embedding --queries FILE``; FILE holds queries as JSON lines with
a `text`. The contenders take turns on the same queries, and the median round counts. Where other processes want the
same cores, many threads get a larger share of them than one: then compare the milliseconds of computing.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder, packaged_model

Round = Callable[[list[str]], list[float]]  # seconds of each query


def in_threads(at_once: int, torch_threads: int) -> Round:
    """Return rounds of sentence-transformers as its documentation shows it, called by `at_once` threads."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged_model()))

    def one(text: str) -> float:
        start = time.perf_counter()
        model.encode(text, show_progress_bar=False)
        return time.perf_counter() - start

    def ready() -> None:
        torch.set_num_threads(torch_threads)

    pool = ThreadPoolExecutor(at_once, initializer=ready)  # torch keeps this number for each thread
    return lambda texts: list(pool.map(one, texts))


def in_tasks(at_once: int) -> Round:
    """Return rounds of our embedder, called by `at_once` tasks."""
    embedder = SentenceTransformersEmbedder()

    async def caller(texts: Iterator[str]) -> list[float]:
        taken = []
        for text in texts:
            start = time.perf_counter()
            await embedder.embed([text])
            taken.append(time.perf_counter() - start)
        return taken

    async def all_callers(texts: list[str]) -> list[float]:
        waiting = iter(texts)
        return [each for taken in await asyncio.gather(*(caller(waiting) for _ in range(at_once))) for each in taken]

    return lambda texts: asyncio.run(all_callers(texts))


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--per-round", type=int, default=320)
    arguments = parser.parse_args()
    print(f"python -m tests.benchmarks.bench_query_embedding --queries {arguments.queries} --rounds {arguments.rounds}")
    texts = [json.loads(line)["text"] for line in arguments.queries.read_text("utf-8").splitlines()]
    threads = torch.get_num_threads()
    contenders = {
        "footnote": in_tasks(arguments.at_once),
        f"sentence-transformers, torch on {threads}": in_threads(arguments.at_once, threads),
        "same, torch on one": in_threads(arguments.at_once, 1),
        "same, called by one thread": in_threads(1, threads),
    }
    for run in contenders.values():
        run(texts[: arguments.at_once])
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    waits: dict[str, list[float]] = {name: [] for name in contenders}
    work: dict[str, list[float]] = {name: [] for name in contenders}
    drawn = random.Random(0)
    for _ in range(arguments.rounds):
        sample = drawn.choices(texts, k=arguments.per_round)
        for name, run in contenders.items():
            start, worked = time.perf_counter(), time.process_time()
            waits[name] += run(sample)
            rates[name].append(len(sample) / (time.perf_counter() - start))
            work[name].append((time.process_time() - worked) / len(sample))
    ours = statistics.median(rates["footnote"])
    print(f"{'':<40}{'queries/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'footnote is':>13}")
    for name in contenders:
        rate = statistics.median(rates[name])
        p50, p99 = np.percentile(np.array(waits[name]) * 1e3, [50, 99])
        cpu = statistics.median(work[name]) * 1e3
        print(f"{name:<40}{rate:>10.1f}{p50:>9.1f}{p99:>9.1f}{cpu:>9.1f}{ours / rate:>12.1f}x")


if __name__ == "__main__":
    main()
