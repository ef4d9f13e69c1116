"""How well the product finds what was judged relevant: each view alone, each way of fusion, and reranked.

Run it with ``python -m tests.benchmarks.bench_retrieval_quality DATA``. DATA holds sets in BEIR's layout (corpus.jsonl,
queries.jsonl, qrels/*.tsv) at any depth, or corpora beside question files (see `judged_sets`). Each set is cut,
embedded and stored in a catalog of its own below `--work`, and searched through the real FAISS and Tantivy views by the
product's own retriever. A document's rank is that of its best chunk. `--queries` and `--split` name other files in the
set's folder, `--prefix` what its queries begin with and is no part of them.

p is by a paired randomisation test over queries, of `hybrid` against each other line.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from apps.bootstrap import Library, open_library
from apps.database import open_database
from apps.evaluation.beir_dataset import Dataset, read_dataset
from apps.evaluation.corpus_index import index_corpus
from apps.evaluation.judged_runs import Search, document_search
from apps.evaluation.retrieval_evaluation import Evaluation, evaluate
from apps.settings import IngestionSettings, Settings
from contracts import Reranker, SearchMode
from ingestion.catalog.sql_views import SqlPassages
from observability.recording_tracer import NullTracer
from retrieval.ranking.fusion import Fusion, FusionMethod
from retrieval.retriever import HybridRetriever, RetrievalPolicy
from tests.benchmarks.judged_sets import judged_sets, without_prefix

_COLLECTION = "judged"
_DEFAULT = Fusion()
_HYBRID = "hybrid"
_LATE = "late_interaction"


def main() -> None:
    """Print a table per set."""
    asked = _arguments()
    print(f"$ python -m tests.benchmarks.bench_retrieval_quality {shlex.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        for folder in judged_sets(asked.data, work / "sets"):
            if asked.only and folder.name not in asked.only:
                continue
            queries = asked.queries
            if asked.prefix:
                queries = without_prefix(folder / (queries or "queries.jsonl"), asked.prefix, work / "queries")
            read = read_dataset(folder, asked.split, Path(queries) if queries else None)
            dataset = read.sample(asked.limit_queries or len(read.queries), seed=0)
            asyncio.run(_measure(dataset, work / f"{folder.name}-{asked.chunk_tokens}", asked))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", help="names of sets")
    parser.add_argument("--queries", default="", help="another file of queries in the set's folder")
    parser.add_argument("--split", default="", help="the file in qrels/")
    parser.add_argument("--prefix", default="", help="what every query begins with and is no part of it")
    parser.add_argument("--limit-queries", type=int, default=0)
    parser.add_argument("--candidates", type=int, default=RetrievalPolicy().candidates, help="of each view")
    parser.add_argument("--chunk-tokens", type=int, default=IngestionSettings().chunk_tokens)
    parser.add_argument("--depth", type=int, default=100, help="documents per query")
    parser.add_argument(
        "--rerankers", nargs="*", default=[_LATE], help=f"{_LATE}, or cross-encoders by hub id or folder"
    )
    parser.add_argument("--work", type=Path, help="keeps the catalogs for the next run")
    return parser.parse_args()


async def _measure(dataset: Dataset, folder: Path, asked: argparse.Namespace) -> None:
    ingestion = IngestionSettings(chunk_tokens=asked.chunk_tokens)
    library = open_library(Settings(data_dir=folder, ingestion=ingestion))
    try:
        corpus = await index_corpus(library.indexing, dataset.passages(), _COLLECTION)
        searches = _searches(library, asked, corpus.chunks / max(1, corpus.documents))
        compared = [(_HYBRID, name) for name in searches if name != _HYBRID]
        found = await evaluate(searches, dataset.queries, dataset.qrels, depth=asked.depth, compared=compared)
    finally:
        await library.aclose()
    print(
        f"\n{dataset.name} {dataset.split}: {len(dataset.queries)} queries, {corpus.documents} documents, "
        f"{corpus.chunks} chunks of up to {asked.chunk_tokens} tokens, {asked.candidates} candidates of each view"
    )
    _print(found)


def _searches(library: Library, asked: argparse.Namespace, chunks_per_document: float) -> Mapping[str, Search]:
    passages = SqlPassages(open_database(library.settings.catalog_url))

    def searching(mode: SearchMode, fusion: Fusion = _DEFAULT, reranker: Reranker | None = None) -> Search:
        retriever = HybridRetriever(
            passages=passages,
            views=library.views,
            open_embedder=library.open_embedder,
            count_tokens=len,
            tracer=NullTracer(),
            policy=RetrievalPolicy(candidates=asked.candidates, fusion=fusion),
            reranker=reranker,
        )
        return document_search(retriever, _COLLECTION, mode, chunks_per_document=chunks_per_document)

    return {
        "dense": searching(SearchMode.DENSE),
        "sparse": searching(SearchMode.SPARSE),
        _HYBRID: searching(SearchMode.HYBRID),
        **{
            f"hybrid, {method.value}": searching(SearchMode.HYBRID, Fusion(method))
            for method in FusionMethod
            if method is not _DEFAULT.method
        },
        **{f"hybrid, {name}": searching(SearchMode.HYBRID, reranker=_reranker(name)) for name in asked.rerankers},
    }


def _reranker(name: str) -> Reranker:
    from retrieval.ranking.cross_encoder_reranker import CrossEncoderReranker
    from retrieval.ranking.late_interaction_reranker import LateInteractionReranker
    from retrieval.ranking.sentence_transformers_tokens import SentenceTransformersTokens

    return LateInteractionReranker(SentenceTransformersTokens()) if name == _LATE else CrossEncoderReranker(name)


def _print(found: Evaluation) -> None:
    names = list(next(iter(found.modes.values())).estimates)
    print(f"{'':26}" + "".join(f"{name:>11}" for name in names) + f"{'p nDCG@10':>11}{'p50 ms':>9}")
    p_values = {each.other: each.p_value for each in found.comparisons if each.measure == "nDCG@10"}
    for mode, result in found.modes.items():
        figures = "".join(f"{result.estimates[name].mean:11.3f}" for name in names)
        p = f"{p_values[mode]:11.4f}" if mode in p_values else f"{'':11}"
        print(f"{mode:26}{figures}{p}{result.run.p50_ms:9.1f}", flush=True)


if __name__ == "__main__":
    main()
