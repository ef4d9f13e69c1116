"""The only place that constructs adapters: settings in, a wired Footnote out. Models are loaded at their first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apps.database import open_database
from apps.indexing import Indexing
from apps.settings import Settings, heeds_proxy
from contracts import AnswerCache, Catalog, ChatModel, DenseIndex, Embedder, JobQueue, Memory, Retriever, RunLog, Tracer
from observability.recording_tracer import NullTracer

if TYPE_CHECKING:
    from apps.answering import Answering
    from cache.memory_answer_cache import NullAnswerCache
    from cache.redis_answer_cache import RedisAnswerCache
    from observability.metrics import Metrics
    from observability.mlflow_tracer import MlflowTracer
    from retrieval.sentence_transformers_embedder import SentenceTransformersEmbedder
    from serving.langchain_chat_model import LangChainChatModel


@dataclass(frozen=True, slots=True)
class Library:
    """Documents and their search: what works with every other process down."""

    settings: Settings
    catalog: Catalog
    jobs: JobQueue
    memory: Memory
    embedder: Embedder
    retriever: Retriever
    indexing: Indexing
    originals_path: Callable[[str], Path]
    identity: str


def open_library(settings: Settings, tracer: Tracer | None = None) -> Library:
    """Wire ingestion and retrieval. Raises ConfigurationError or StoreUnavailableError."""
    from ingestion.csv_parser import CsvParser
    from ingestion.llamaindex_splitter import LlamaIndexSplitter
    from ingestion.media_types import CSV, PDF
    from ingestion.originals import Originals
    from ingestion.parser_router import ParserRouter
    from ingestion.pdfium_parser import PdfiumParser
    from ingestion.sql_catalog import SqlCatalog, read_identity
    from ingestion.sql_job_queue import SqlJobQueue
    from ingestion.sql_views import SqlChangeFeed, SqlPassages
    from ingestion.unstructured_parser import UnstructuredParser
    from retrieval.dense_retriever import DenseRetriever
    from retrieval.faiss_index import FaissIndex
    from retrieval.sql_memory import SqlMemory

    engine = open_database(settings.catalog_url)
    catalog = SqlCatalog(engine)
    originals = Originals(settings.data_dir / "originals")
    embedder = _embedder(settings)
    feed = SqlChangeFeed(engine)
    identity = read_identity(engine)

    def open_index(collection: str) -> DenseIndex:
        snapshot = settings.data_dir / "index" / f"{collection}.npz"
        return FaissIndex(
            feed, collection, embedder=embedder.name, dimension=embedder.dimension, snapshot=snapshot, catalog=identity
        )

    return Library(
        settings=settings,
        catalog=catalog,
        jobs=SqlJobQueue(engine),
        memory=SqlMemory(engine),
        embedder=embedder,
        retriever=DenseRetriever(
            embedder=embedder,
            feed=feed,
            passages=SqlPassages(engine),
            open_index=open_index,
            tracer=tracer or NullTracer(),
        ),
        indexing=Indexing(
            parser=ParserRouter(
                {PDF: PdfiumParser(), CSV: CsvParser()},
                UnstructuredParser(),
                max_bytes=settings.ingestion.max_file_mb << 20,
            ),
            splitter=LlamaIndexSplitter(
                embedder.count_tokens,
                chunk_tokens=settings.ingestion.chunk_tokens,
                chunk_overlap_tokens=settings.ingestion.chunk_overlap_tokens,
            ),
            embedder=embedder,
            catalog=catalog,
            originals=originals,
            run_log=_run_log(settings),
        ),
        originals_path=originals.path,
        identity=identity,
    )


def open_tracer(settings: Settings, metrics: Metrics) -> MlflowTracer:
    """Return a tracer into MLflow."""
    from observability.mlflow_tracer import MlflowTracer

    watch = settings.observability
    return MlflowTracer(
        settings.mlflow_url,
        watch.experiment,
        queue_size=watch.queue_size,
        record_text=watch.trace_text,
        on_drop=metrics.dropped_spans,
        heeds_proxy=heeds_proxy(settings.mlflow_url),
    )


def open_cache(settings: Settings) -> RedisAnswerCache | NullAnswerCache:
    """Return the answer cache in Redis."""
    from cache.memory_answer_cache import NullAnswerCache
    from cache.redis_answer_cache import RedisAnswerCache

    if not settings.cache.enabled:
        return NullAnswerCache()
    return RedisAnswerCache(settings.cache_url, ttl_s=settings.cache.ttl_s, timeout_s=settings.cache.timeout_s)


def open_model(settings: Settings) -> LangChainChatModel:
    """Return the language model behind the model server."""
    from serving.langchain_chat_model import LangChainChatModel

    return LangChainChatModel(
        settings.model_name,
        base_url=settings.model_url,
        api_key=settings.serving.api_key.get_secret_value(),
        timeout_s=settings.serving.timeout_s,
        heeds_proxy=heeds_proxy(settings.model_url),
    )


def open_answering(library: Library, tracer: Tracer, cache: AnswerCache, model: ChatModel) -> Answering:
    """Wire the online use case. Importing the guards takes seconds."""
    from apps.answering import Answering, AnsweringPolicy
    from retrieval.followup_condenser import FollowupCondenser
    from serving.langchain_prompts import LangChainPromptBuilder
    from validation.guardrails_guards import GuardrailsInputGuard, GuardrailsOutputGuard
    from validation.sentences import SentenceStream

    settings = library.settings
    serving, retrieval = settings.serving, settings.retrieval
    return Answering(
        input_guard=GuardrailsInputGuard(max_chars=settings.validation.max_question_chars),
        cache=cache,
        condenser=FollowupCondenser(),
        retriever=library.retriever,
        prompts=LangChainPromptBuilder(
            "brief" if settings.focus_sentences else "grounded", focus_sentences=settings.focus_sentences
        ),
        model=model,
        sentences=SentenceStream,
        output_guard=GuardrailsOutputGuard(min_support=settings.validation.min_support),
        memory=library.memory,
        tracer=tracer,
        policy=AnsweringPolicy(
            top_k=retrieval.top_k,
            prompt_sources=retrieval.prompt_sources,
            floor=retrieval.floor,
            max_tokens=serving.max_tokens,
            temperature=serving.temperature,
        ),
        cache_enabled=settings.cache.enabled,
        namespace=f"{library.identity} {library.embedder.name} {settings.validation!r}",
    )


def _embedder(settings: Settings) -> SentenceTransformersEmbedder:
    from retrieval.sentence_transformers_embedder import SentenceTransformersEmbedder

    embedding = settings.embedding
    return SentenceTransformersEmbedder(embedding.model, batch_size=embedding.batch_size, threads=embedding.threads)


def _run_log(settings: Settings) -> RunLog:
    from observability.mlflow_runs import MlflowRunLog

    return MlflowRunLog(settings.mlflow_url, settings.observability.experiment)
