"""LlamaIndex's and LangChain's stock hybrid retrievers over FAISS and BM25, each in a process of its own.

Run by bench_search in an environment of the peers: ``python search_peers.py PEER FOLDER CHUNKS``, where FOLDER holds
the files that search_material wrote. It says on a line of JSON what loading cost, then answers requests, each a line of
JSON, with milliseconds per search.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TOP = 10
Search = Callable[[str], list[str]]


def llamaindex(texts: list[str], vectors: Any, known: dict[str, Any]) -> Search:
    """QueryFusionRetriever over VectorStoreIndex on FaissVectorStore (Flat) and BM25Retriever (bm25s)."""
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import TextNode
    from llama_index.retrievers.bm25 import BM25Retriever
    from llama_index.vector_stores.faiss import FaissVectorStore

    class Known(BaseEmbedding):
        def _get_query_embedding(self, query: str) -> list[float]:
            found: list[float] = known[query]
            return found

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text: str) -> list[float]:
            raise AssertionError(f"no vector of {text!r}")

    nodes = [TextNode(text=text, embedding=vector.tolist()) for text, vector in zip(texts, vectors, strict=True)]
    context = StorageContext.from_defaults(vector_store=FaissVectorStore(faiss.IndexFlatIP(vectors.shape[1])))
    index = VectorStoreIndex(nodes, storage_context=context, embed_model=Known())
    words = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=TOP)
    both = QueryFusionRetriever(
        [index.as_retriever(similarity_top_k=TOP), words],
        llm=MockLLM(),
        mode="reciprocal_rerank",
        num_queries=1,
        similarity_top_k=TOP,
        use_async=False,
    )
    return lambda query: [hit.node.get_content() for hit in both.retrieve(query)]


def langchain(texts: list[str], vectors: Any, known: dict[str, Any]) -> Search:
    """EnsembleRetriever over the FAISS store (Flat) and BM25Retriever (rank_bm25)."""
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_community.vectorstores import FAISS
    from langchain_core.embeddings import Embeddings

    class Known(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise AssertionError("no vectors of new texts")

        def embed_query(self, text: str) -> list[float]:
            found: list[float] = known[text]
            return found

    store = FAISS.from_embeddings(zip(texts, vectors.tolist(), strict=True), Known())
    words = BM25Retriever.from_texts(texts, k=TOP)
    meaning = store.as_retriever(search_kwargs={"k": TOP})
    both = EnsembleRetriever(retrievers=[meaning, words], weights=[0.5, 0.5])
    return lambda query: [found.page_content for found in both.invoke(query)]


def resident_mib() -> float:
    """Return this process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def timed(search: Search, queries: list[str], callers: int) -> dict[str, Any]:
    """Search with so many threads at once; return milliseconds per search, and seconds for all."""

    def one(query: str) -> float:
        begun = time.perf_counter()
        if not search(query):
            raise SystemExit(f"nothing found for {query!r}")
        return (time.perf_counter() - begun) * 1e3

    with ThreadPoolExecutor(callers) as pool:
        started = time.perf_counter()
        each = list(pool.map(one, queries))
        return {"ms": each, "seconds": time.perf_counter() - started}


def main() -> None:
    """Load, say so, then search as asked."""
    import numpy as np

    peer, folder, chunks = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with (folder / "texts.txt").open(encoding="utf-8") as lines:
        texts = [next(lines).rstrip("\n") for _ in range(chunks)]
    queries = (folder / "queries.txt").read_text("utf-8").splitlines()
    known = dict(zip(queries, np.load(folder / "query_vectors.npy").tolist(), strict=True))
    vectors = np.load(folder / "vectors.npy")
    started, before = time.perf_counter(), resident_mib()
    search = {"llamaindex": llamaindex, "langchain": langchain}[peer](texts, vectors, known)
    print(json.dumps({"seconds": time.perf_counter() - started, "mib": resident_mib() - before}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        asked = queries[request["first"] : request["first"] + request["count"]]
        print(json.dumps(timed(search, asked, request["callers"])), flush=True)


if __name__ == "__main__":
    main()
