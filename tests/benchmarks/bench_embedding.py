"""Texts a second, milliseconds per query and search quality of each embedding runtime, beside sentence-transformers as
its documentation shows it, and beside LangChain's and LlamaIndex's wrappers of it where they are installed.

Run it with ``python -m tests.benchmarks.bench_embedding --data FOLDER``; FOLDER holds a collection in BEIR's layout:
corpus.jsonl, queries.jsonl and qrels/test.tsv. The contenders take turns, so a busy machine slows all of them; the best
of several rounds counts. nDCG@10 takes each document as one text, as the model cuts it off.
"""

import argparse
import asyncio
import csv
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from contracts import Vectors
from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder, packaged_model

ROUNDS, TEXTS, QUERIES = 5, 96, 15
Embed = Callable[[list[str]], Awaitable[Vectors]]
Qrels = dict[str, dict[str, int]]


def peers() -> dict[str, Embed]:
    """Return each peer that is installed; the first, in float32, is what the others are compared with."""
    import torch
    from sentence_transformers import SentenceTransformer

    threads = torch.get_num_threads()
    model = SentenceTransformer(str(packaged_model()))

    async def plain(texts: list[str]) -> Vectors:
        return np.asarray(model.encode(texts, show_progress_bar=False), dtype=np.float32)

    found = {"sentence-transformers": on_threads(threads, plain), "same, one thread": on_threads(1, plain)}
    try:
        from langchain_huggingface import HuggingFaceEmbeddings

        langchain = HuggingFaceEmbeddings(model_name=str(packaged_model()))

        async def through_langchain(texts: list[str]) -> Vectors:
            return np.asarray(langchain.embed_documents(texts), dtype=np.float32)

        found["langchain"] = on_threads(threads, through_langchain)
    except ImportError:
        print("LangChain's wrapper is not installed: pip install langchain-huggingface")
    try:
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        llamaindex = HuggingFaceEmbedding(model_name=str(packaged_model()))

        async def through_llamaindex(texts: list[str]) -> Vectors:
            return np.asarray(llamaindex.get_text_embedding_batch(texts), dtype=np.float32)

        found["llama-index"] = on_threads(threads, through_llamaindex)
    except ImportError:
        print("LlamaIndex's wrapper is not installed: pip install llama-index-embeddings-huggingface")
    return found


def on_threads(threads: int, embed: Embed) -> Embed:
    """Return `embed` with torch's number of threads, which is the whole process's, set before each call."""
    import torch

    async def ready(texts: list[str]) -> Vectors:
        torch.set_num_threads(threads)
        return await embed(texts)

    return ready


def read(folder: Path) -> tuple[dict[str, str], dict[str, str], Qrels]:
    """Return documents and queries by id, and the graded relevance of documents by query."""

    def lines(name: str) -> dict[str, str]:
        rows = map(json.loads, (folder / name).read_text("utf-8").splitlines())
        return {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in rows}

    qrels: Qrels = {}
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
        for query, document, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            qrels.setdefault(query, {})[document] = int(grade)
    return lines("corpus.jsonl"), lines("queries.jsonl"), qrels


def ndcg(ranked: list[str], relevant: dict[str, int], k: int = 10) -> float:
    """Return nDCG@k with linear gain, as trec_eval computes it."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    best = np.array(sorted((max(0, grade) for grade in relevant.values()), reverse=True)[:k])
    got = np.array([max(0, relevant.get(one, 0)) for one in ranked[:k]])
    return float((got * discounts[: len(got)]).sum() / max(1e-12, float((best * discounts[: len(best)]).sum())))


async def time_one(embed: Embed, texts: list[str], queries: list[str]) -> tuple[float, float]:
    """Return seconds per text and the median of seconds per query."""
    start = time.perf_counter()
    await embed(texts)
    per_text = (time.perf_counter() - start) / len(texts)
    single = []
    for query in queries:
        start = time.perf_counter()
        await embed([query])
        single.append(time.perf_counter() - start)
    return per_text, statistics.median(single)


async def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--no-quality", action="store_true")
    arguments = parser.parse_args()
    print(f"python -m tests.benchmarks.bench_embedding --data {arguments.data}")
    documents, queries, qrels = read(arguments.data)
    contenders = peers()
    first = next(iter(contenders))
    for runtime in ("torch", "openvino"):
        embedder = SentenceTransformersEmbedder(runtime=runtime)
        await embedder.embed(["ready"])
        contenders[f"footnote, {runtime}"] = on_threads(torch.get_num_threads(), embedder.embed)
    drawn = random.Random(0)
    best = dict.fromkeys(contenders, (np.inf, np.inf))
    for embed in contenders.values():
        await embed(list(documents.values())[:32])
    for _ in range(ROUNDS):
        texts, singles = drawn.sample(list(documents.values()), TEXTS), drawn.sample(list(queries.values()), QUERIES)
        for name, embed in contenders.items():
            times = await time_one(embed, texts, singles)
            best[name] = (min(best[name][0], times[0]), min(best[name][1], times[1]))
    print(f"{'runtime':<24}{'texts/s':>9}{'ratio':>7}{'query ms':>10}{'ratio':>7}{'cosine':>9}{'nDCG@10':>9}")
    truth: Vectors | None = None
    for name, embed in contenders.items():
        per_text, per_query = best[name]
        quality = ""
        if not arguments.no_quality:
            vectors = await embed(list(documents.values()))
            truth = vectors if truth is None else truth
            found = await embed([queries[query] for query in qrels])
            ranks = np.argsort(-(found @ vectors.T), axis=1)[:, :10]
            ids = list(documents)
            scores = [ndcg([ids[i] for i in row], qrels[query]) for row, query in zip(ranks, qrels, strict=True)]
            quality = f"{float((vectors * truth).sum(axis=1).min()):>9.5f}{statistics.mean(scores):>9.4f}"
        text_ratio, query_ratio = best[first][0] / per_text, best[first][1] / per_query
        print(f"{name:<24}{1 / per_text:>9.1f}{text_ratio:>7.2f}{per_query * 1e3:>10.1f}{query_ratio:>7.2f}{quality}")


if __name__ == "__main__":
    asyncio.run(main())
