"""The only place that constructs adapters: settings in, a wired Footnote out. Models are loaded at their first use."""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apps.composing import model_servers, open_policies, open_prompts, open_token_counter, open_writing
from apps.composing_cache import Caches, open_cached_answers, open_caches
from apps.database import open_database
from apps.embedding_batches import heading_line
from apps.flagged import ListFlagged
from apps.indexing import Indexing
from apps.parsing import PARSING_EDITION, open_parser
from apps.reembedding import Reembedding
from apps.searching import (
    forget_vectors,
    open_condenser,
    open_rephraser,
    open_retriever,
    open_summariser,
    open_views,
    remove_views,
)
from apps.settings import IngestionSettings, Settings, heeds_proxy
from apps.syncing import Syncing
from apps.transfer import Transfer
from apps.upkeep import Housekeeping
from contracts import (
    Admission,
    AnswerCache,
    Catalog,
    ChatModel,
    ChunkStrategy,
    Collections,
    Conversations,
    Cutting,
    GuardPolicies,
    JobQueue,
    Memory,
    Retriever,
    RunLog,
    SentenceEncoder,
    SourceStates,
    SourceTree,
    Splitter,
    StoreUnavailableError,
    TokenCounter,
    Tracer,
    VectorCache,
)
from observability.recording_tracer import NullTracer

if TYPE_CHECKING:
    from apps.answering import Answering
    from ingestion.splitting.token_meter import Tokens
    from observability.metrics import Metrics
    from observability.mlflow_tracer import MlflowTracer
    from retrieval.embedding.embedder_shelf import EmbedderShelf
    from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder
    from retrieval.views import Views
    from serving.langchain_chat_model import LangChainChatModel


@dataclass(frozen=True, slots=True)
class Library:
    """Documents and their search: what works with every other process down."""

    settings: Settings
    catalog: Catalog
    collections: Collections
    states: SourceStates
    jobs: JobQueue
    memory: Memory
    conversations: Conversations
    policies: GuardPolicies
    caches: Caches
    open_embedder: Callable[[str], SentenceEncoder]
    retriever: Retriever
    views: Views
    indexing: Indexing
    syncing: Syncing
    reembedding: Reembedding
    transfer: Transfer
    housekeeping: Housekeeping
    list_flagged: ListFlagged
    originals_path: Callable[[str], Path]
    remove_views: Callable[[str], None]
    identity: str
    aclose: Callable[[], Awaitable[None]]


def open_library(
    settings: Settings,
    tracer: Tracer | None = None,
    model: ChatModel | None = None,
    *,
    share_vectors: bool = False,
) -> Library:
    """Wire ingestion and retrieval; `model` is asked for other words where the settings say so, one of its own by
    default. A process that answers questions shares their vectors with others; one that reads documents must not: what
    is deleted would stay there. Raises ConfigurationError or StoreUnavailableError."""
    from ingestion.catalog.sql_builds import SqlBuilds
    from ingestion.catalog.sql_catalog import SqlCatalog, read_identity
    from ingestion.catalog.sql_collections import SqlCollections
    from ingestion.catalog.sql_source_states import SqlSourceStates
    from ingestion.catalog.sql_views import SqlChangeFeed, SqlPassages
    from ingestion.sources.originals import Originals
    from ingestion.sources.zstandard_package import pack, unpack
    from retrieval.embedding.embedder_shelf import EmbedderShelf
    from retrieval.sql_conversation_list import SqlConversations
    from retrieval.sql_memory import SqlMemory

    reading = settings.ingestion
    engine = open_database(settings.catalog_url)
    identity = read_identity(engine)
    caches = open_caches(settings, identity)
    embedders = EmbedderShelf(functools.partial(_embedder, settings, caches.vectors if share_vectors else None))
    parser = open_parser(reading)
    originals = Originals(settings.data_dir / "originals", max_bytes=reading.max_file_mb << 20)
    own_model = open_model(settings)  # connects to nothing before it is asked
    rephraser = None if settings.retrieval.rephrase == "off" else open_rephraser(settings, model or own_model)
    policies = open_policies(settings, embedders.open("").embed)
    views = open_views(settings, SqlChangeFeed(engine), identity)
    catalog = SqlCatalog(engine, keep_versions=reading.keep_versions, keep_days=reading.keep_version_days)
    collections = SqlCollections(engine)
    indexing = Indexing(
        parser=parser,
        edition=PARSING_EDITION,
        open_splitter=functools.cache(functools.partial(_splitter, embedders)),
        open_embedder=embedders.open,
        catalog=catalog,
        collections=collections,
        states=SqlSourceStates(engine),
        originals=originals,
        on_removed=functools.partial(_forget, settings, caches.answers),
        on_collection_removed=functools.partial(remove_views, settings),
        run_log=_run_log(settings),
        embedder=embedders.open(settings.embedding.model).name,
        cutting=default_cutting(settings),
        scratch=_scratch(settings.data_dir),
        passage_guard=policies.passage_guard,
        max_members=reading.max_members,
        max_unpacked_bytes=reading.max_unpacked_mb << 20,
        limits=_limits(reading),
    )

    async def aclose() -> None:
        await asyncio.gather(parser.close(), caches.close(), views.aclose(), own_model.close())

    return Library(
        settings=settings,
        catalog=catalog,
        collections=collections,
        states=indexing.states,
        jobs=_jobs(settings),
        memory=SqlMemory(
            engine, embedders.open(settings.embedding.model).count_tokens, open_summariser(settings, model or own_model)
        ),
        conversations=SqlConversations(engine),
        policies=policies,
        caches=caches,
        open_embedder=embedders.open,
        retriever=open_retriever(settings, SqlPassages(engine), views, embedders, tracer or NullTracer(), rephraser),
        views=views,
        indexing=indexing,
        syncing=Syncing(indexing),
        reembedding=Reembedding(collections, SqlBuilds(engine), embedders.open),
        transfer=Transfer(catalog, collections, indexing.states, originals, pack, unpack, indexing.scratch),
        housekeeping=Housekeeping(catalog, originals, indexing.scratch),
        list_flagged=catalog.flagged,
        originals_path=originals.path,
        remove_views=functools.partial(remove_views, settings),
        identity=identity,
        aclose=aclose,
    )


def open_tree(location: str) -> SourceTree:
    """Return the files at a path or URL."""
    from ingestion.sources.fsspec_tree import FsspecTree

    return FsspecTree(location)


def open_watch(settings: Settings, trees: Sequence[SourceTree], interval_s: float) -> AsyncGenerator[None]:
    """Return what tells when to look at the trees again."""
    from ingestion.sources.watchfiles_watch import watch

    places = [Path(tree.root) for tree in trees if "://" not in tree.root]
    return watch(places, interval_s, ignored=settings.data_dir)


def default_cutting(settings: Settings) -> Cutting:
    """Return how a collection is cut where nothing else is said."""
    ingestion = settings.ingestion
    return Cutting(chunk_tokens=ingestion.chunk_tokens, overlap_tokens=ingestion.chunk_overlap_tokens)


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


def open_model(settings: Settings) -> LangChainChatModel:
    """Return the language model behind the model servers."""
    from serving.langchain_chat_model import LangChainChatModel

    return LangChainChatModel(*model_servers(settings))


def open_admission(settings: Settings) -> Admission:
    """Return what decides who may use the language model now."""
    from serving.bounded_admission import BoundedAdmission

    serving = settings.serving
    return BoundedAdmission(serving.concurrent_requests, serving.queued_requests, serving.patience_s)


def open_answering(
    library: Library,
    tracer: Tracer,
    model: ChatModel,
    counter: TokenCounter | None = None,
    admission: Admission | None = None,
) -> Answering:
    """Wire the online use case. Importing the guards takes seconds, at the first question."""
    from apps.answering import Answering, AnsweringPolicy
    from retrieval.questions.conversation_context import conversation_context
    from validation.personal_data.pii_placeholders import restore
    from validation.support.answerability import is_answerable

    settings, retrieval = library.settings, library.settings.retrieval
    prompts = open_prompts(settings)
    return Answering(
        policies=library.policies,
        cached=open_cached_answers(settings, library.caches, library.open_embedder("").embed, library.identity),
        admission=admission or open_admission(settings),
        condenser=open_condenser(settings, model),
        context=conversation_context,
        retriever=library.retriever,
        prompts=prompts,
        writing=open_writing(
            settings, model, prompts, counter or open_token_counter(settings), library.open_embedder("").embed
        ),
        memory=library.memory,
        tracer=tracer,
        is_answerable=functools.partial(is_answerable, threshold=retrieval.min_answerability),
        restore=restore,
        policy=AnsweringPolicy(
            top_k=retrieval.top_k,
            mode=retrieval.mode,
            prompt_sources=retrieval.prompt_sources,
            floor=retrieval.floor,
            history_tokens=retrieval.history_tokens,
        ),
    )


def _embedder(settings: Settings, shared: VectorCache | None, model: str) -> SentenceTransformersEmbedder:
    from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder

    embedding = settings.embedding
    return SentenceTransformersEmbedder(
        model,
        runtime=embedding.runtime,
        batch_tokens=embedding.batch_tokens,
        threads=embedding.threads,
        shared=shared,
    )


def _splitter(embedders: EmbedderShelf, cutting: Cutting, embedder: str) -> Splitter:
    return build_splitter(embedders.open(embedder), cutting)


def build_splitter(tokens: Tokens, cutting: Cutting) -> Splitter:
    """Return what cuts documents so for an embedder with these tokens."""
    from ingestion.splitting.fixed_splitter import FixedSplitter
    from ingestion.splitting.parent_child_splitter import ParentChildSplitter
    from ingestion.splitting.sentence_window_splitter import SentenceWindowSplitter
    from ingestion.splitting.structural_splitter import StructuralSplitter

    size, overlap = cutting.chunk_tokens, cutting.overlap_tokens
    match cutting.strategy:
        case ChunkStrategy.STRUCTURAL:
            return StructuralSplitter(tokens, heading_line, chunk_tokens=size, overlap_tokens=overlap)
        case ChunkStrategy.FIXED:
            return FixedSplitter(tokens, heading_line, chunk_tokens=size, overlap_tokens=overlap)
        case ChunkStrategy.SENTENCE_WINDOW:
            return SentenceWindowSplitter(tokens, heading_line, chunk_tokens=size)
        case ChunkStrategy.PARENT_CHILD:
            return ParentChildSplitter(tokens, heading_line, chunk_tokens=size, overlap_tokens=overlap)


async def _forget(settings: Settings, answers: AnswerCache, collection: str, document_ids: Sequence[str]) -> None:
    """Remove what was made of documents outside the catalog: cached answers, and vectors in snapshots."""
    forget_vectors(settings, collection)
    await answers.forget(document_ids)


def _limits(ingestion: IngestionSettings) -> str:
    """Return a sign of the passwords and limits: too short a one to tell anything about a password."""
    passwords = [password.get_secret_value() for password in ingestion.passwords]
    sizes = [ingestion.max_file_mb, ingestion.max_unpacked_mb, ingestion.max_members, ingestion.parse_memory_mb]
    return hashlib.sha256(repr((passwords, sizes)).encode()).hexdigest()[:4]


def _scratch(data_dir: Path) -> Path:
    """Return the folder of temporary files, in a data folder that is made and never taken for documents."""
    from ingestion.sources.fsspec_tree import IGNORE_FILE

    folder, ignore = data_dir / "scratch", data_dir / IGNORE_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as exc:
        message = f"The data folder cannot be used: {exc}. Set FOOTNOTE_DATA_DIR to a folder that can be written to."
        raise StoreUnavailableError(message) from exc
    return folder


def _jobs(settings: Settings) -> JobQueue:
    from ingestion.jobs.dbos_job_queue import DbosJobQueue, JobLimits
    from ingestion.jobs.filelock_presence import FilelockPresence
    from ingestion.jobs.postgres_presence import PostgresPresence

    url = settings.jobs_url
    local = url.startswith("sqlite")
    presence = FilelockPresence(settings.data_dir / "workers") if local else PostgresPresence(url)
    ingestion = settings.ingestion
    limits = JobLimits(
        queued=ingestion.max_queued_jobs, at_once=ingestion.concurrent_jobs, attempts=ingestion.job_attempts
    )
    return DbosJobQueue(url, presence, limits)


def _run_log(settings: Settings) -> RunLog:
    from observability.mlflow_runs import MlflowRunLog

    return MlflowRunLog(settings.mlflow_url, settings.observability.experiment)
