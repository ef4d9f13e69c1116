"""The types that flow through Footnote and the ports between its packages; imports nothing but the stdlib and numpy.

A document becomes chunks, chunks become vectors, a question finds hits, hits become a prompt, a prompt becomes an
answer. Each is its own frozen type, so that no field is ever "set later". Ports are small async protocols; adapters
do not inherit them, and mypy checks the fit where ``apps/bootstrap.py`` wires them.

Errors::

    FootnoteError
    ├── ConfigurationError        a setting is wrong or does not fit the stored data
    ├── InvalidInputError         the request itself cannot be served (empty question, bad name, unknown filter)
    ├── NotFoundError             no such document, collection, job or conversation
    ├── ParseError                a document could not be read; ``reason`` says why
    ├── BlockedError              a guard refused the input; ``violations`` say why
    ├── ModelUnavailableError     the model server is away or refused the request
    └── StoreUnavailableError     the catalog cannot be reached
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]  # shape (n, dimension), rows of unit length
PUBLIC = "*"  # the reader that stands for everyone


# --- errors -----------------------------------------------------------------------------------------------------------


class FootnoteError(Exception):
    """Any failure that Footnote names itself. The message says what is wrong and what to do about it."""


class ConfigurationError(FootnoteError):
    """A setting is wrong, or does not fit what is stored."""


class InvalidInputError(FootnoteError):
    """The request cannot be served as it was made."""


class NotFoundError(FootnoteError):
    """Nothing is stored under that name."""


class ParseFailure(StrEnum):
    """Why a document could not be read."""

    UNSUPPORTED = "unsupported"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    INTERNAL = "internal"


class ParseError(FootnoteError):
    """A document could not be turned into text."""

    def __init__(self, reason: ParseFailure, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BlockedError(FootnoteError):
    """A guard refused the input."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("; ".join(v.message for v in violations))
        self.violations = tuple(violations)


class ModelUnavailableError(FootnoteError):
    """The model server is away, or refused the request."""


class StoreUnavailableError(FootnoteError):
    """The catalog cannot be reached."""


# --- documents --------------------------------------------------------------------------------------------------------


class ElementKind(StrEnum):
    """What a piece of a document is."""

    TITLE = "title"
    TEXT = "text"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page; coordinates are fractions of the page's width and height, the origin is top left."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Element:
    """A piece of a document in reading order, as a parser found it. Pages count from 1; None where there are none.
    `level` is a title's depth in the outline, 1 the outermost; it means nothing for other kinds."""

    text: str
    kind: ElementKind = ElementKind.TEXT
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    level: int = 1


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a parser read in one file; `elements` is never empty."""

    title: str
    media_type: str
    elements: tuple[Element, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One source in one version. `id` is stable for collection + source; `version` is the SHA-256 of its bytes."""

    id: str
    collection: str
    version: str
    source: str
    title: str
    media_type: str
    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    readers: tuple[str, ...] = (PUBLIC,)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document version. `span` is a character range in the version's text (its elements joined by a
    blank line); `position` counts the chunks of the version from 0; `headings` is the heading path, outermost first."""

    id: str
    document_id: str
    version: str
    position: int
    text: str
    span: tuple[int, int]
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    headings: tuple[str, ...] = ()
    kind: ElementKind = ElementKind.TEXT


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A document as lists show it. `ingested_at` is in seconds since the epoch; `embedder` made its vectors."""

    document: Document
    embedder: str
    chunks: int
    generation: int
    ingested_at: float


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """A collection as lists show it; `generation` is that of its last change."""

    name: str
    documents: int
    chunks: int
    generation: int


# --- questions and answers --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a principal and the groups it belongs to."""

    principal: str = "local"
    groups: tuple[str, ...] = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """Every reader name that lets this caller see a document, sorted."""
        return tuple(sorted({PUBLIC, self.principal, *self.groups}))


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that retrieval found, with the document it belongs to. `score` is the cosine similarity to the query."""

    chunk: Chunk
    document: Document
    score: float
    views: tuple[str, ...] = ("dense",)


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, or one message of a prompt."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to the chat model; `sources[i]` is the passage shown under marker i + 1."""

    messages: tuple[Message, ...]
    version: str
    sources: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: by whom, of which collection, in which conversation. `filters` are those of `Query`."""

    text: str
    collection: str = "default"
    caller: Caller = Caller()
    conversation_id: str | None = None
    top_k: int | None = None
    filters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the model server reports them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of generated text; the last one of a stream carries the usage, and whether the limit cut it off."""

    text: str
    usage: Usage | None = None
    cut_off: bool = False


Attribution = Literal["model", "matched"]
CacheStatus = Literal["exact", "miss", "off"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker in the answer and the passage it stands for: written by the model, or matched afterwards."""

    marker: int
    hit: Hit
    attributed_by: Attribution


@dataclass(frozen=True, slots=True)
class Answer:
    """A cited answer. `generation` is the collection's when it was made or last found to hold; timings are in
    milliseconds by stage."""

    text: str
    citations: tuple[Citation, ...]
    grounded: bool
    abstained: bool
    cache: CacheStatus
    generation: int
    trace_id: str
    conversation_id: str | None = None
    usage: Usage = Usage()
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer with what is needed to know whether it still holds: its generation, and the passages it rests on."""

    answer: Answer
    evidence: tuple[str, ...]


# --- guards -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Violation:
    """What a validator found. `rule` is the validator's name."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A guard's word on a text: the text to go on with (redacted where a rule says so), and what was found."""

    text: str
    blocked: bool = False
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence of an answer that may leave: `markers` name the sources that support it, 1-based."""

    text: str
    markers: tuple[int, ...]
    attributed_by: Attribution
    violations: tuple[Violation, ...] = ()


# --- jobs and services ------------------------------------------------------------------------------------------------


class JobState(StrEnum):
    """The stages of an ingestion job."""

    QUEUED = "queued"
    PARSING = "parsing"
    EMBEDDING = "embedding"
    INDEXING = "indexing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One file to ingest. `reason` and `message` are set when it failed, `worker` once a worker claimed it."""

    id: str
    collection: str
    source: str
    path: str
    state: JobState = JobState.QUEUED
    document_id: str | None = None
    chunks: int = 0
    reason: str | None = None
    message: str | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A child process that the stack needs. `ready` returns True once it answers; it is called in a thread."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Callable[[], bool]
    url: str
    timeout_s: float = 60.0


# --- ports: ingestion -------------------------------------------------------------------------------------------------


class Parser(Protocol):
    """Reads one file."""

    async def parse(self, path: Path, name: str | None = None) -> ParsedFile:
        """Return the text of the file at `path`, called `name` (default: the path's name).

        Raises ParseError with a reason; an empty result is an error, never a success.
        """
        ...


class Splitter(Protocol):
    """Cuts a parsed file into chunks."""

    def split(self, document: Document, parsed: ParsedFile) -> tuple[Chunk, ...]:
        """Return the chunks in reading order. No chunk crosses a page, and none is over the embedder's budget."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """Name and revision of the model; vectors of two names are never mixed."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, rows of unit length."""
        ...


class Catalog(Protocol):
    """Documents, their chunks and vectors: the truth that indexes are views of. Writes are one transaction each."""

    async def put(self, document: Document, chunks: Sequence[Chunk], vectors: Vectors, embedder: str) -> int:
        """Store a document version with its chunks and vectors, replacing the version before; return the generation."""
        ...

    async def delete(self, collection: str, document_id: str) -> int:
        """Remove a document with its chunks and vectors; return the generation. Raises NotFoundError."""
        ...

    async def find(self, collection: str, document_id: str) -> DocumentSummary | None:
        """Return the document, or None."""
        ...

    async def uses(self, version: str) -> bool:
        """Return whether any document, in any collection, is in this version."""
        ...

    async def list(self, collection: str, *, limit: int = 100, after: str = "") -> tuple[DocumentSummary, ...]:
        """Return documents ordered by source, then id, starting after the document with the id `after`."""
        ...

    async def chunks(self, collection: str, document_id: str) -> tuple[Chunk, ...]:
        """Return a document's chunks in reading order. Raises NotFoundError."""
        ...

    async def collections(self) -> tuple[CollectionSummary, ...]:
        """Return every collection that holds or held documents, by name."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """A document of a collection that changed or went away at a generation."""

    generation: int
    document_id: str


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """The vectors of one document: `keys` are stable int64 ids, row i of `vectors` belongs to keys[i]."""

    keys: NDArray[np.int64]
    vectors: Vectors


class ChangeFeed(Protocol):
    """What an index view needs of the catalog to follow it."""

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change, 0 before the first."""
        ...

    async def changes(self, collection: str, since: int) -> tuple[Change, ...]:
        """Return the documents that changed after generation `since`, each once, by its last change."""
        ...

    async def embedders(self, collection: str) -> frozenset[str]:
        """Return the names of the embedders that made the vectors of the collection's documents."""
        ...

    async def vectors(self, document_id: str, embedder: str) -> StoredVectors:
        """Return the document's current vectors made by `embedder`; none if it was deleted."""
        ...


class Passages(Protocol):
    """What a search needs of the catalog besides the index."""

    async def visible(self, collection: str, scope: Sequence[str], filters: Mapping[str, str]) -> frozenset[str] | None:
        """Return the ids of the documents that `scope` may read and that match `filters`; None stands for all."""
        ...

    async def hydrate(self, keys: Sequence[int]) -> Mapping[int, tuple[Chunk, Document]]:
        """Return chunk and document by key; keys of deleted chunks are missing."""
        ...


class JobQueue(Protocol):
    """Ingestion jobs, kept in the catalog's database."""

    async def enqueue(self, job: Job) -> None:
        """Add a job."""
        ...

    async def claim(self, worker: str) -> Job | None:
        """Take the oldest queued job, or one whose worker stopped reporting; None when there is nothing to do. A job
        that two workers died of has failed: it is not taken a third time."""
        ...

    async def report(self, job: Job) -> None:
        """Store the job's state; it also counts as the worker's sign of life. Nothing is stored when the job is
        finished, or another worker's by now."""
        ...

    async def get(self, job_id: str) -> Job:
        """Return the job. Raises NotFoundError."""
        ...


# --- ports: retrieval -------------------------------------------------------------------------------------------------


class DenseIndex(Protocol):
    """A nearest-neighbour view of one collection's vectors."""

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        ...

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        ...

    async def search(
        self, vector: NDArray[np.float32], k: int, allowed: frozenset[str] | None
    ) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, cosine similarity) pairs, best first, among the allowed documents only (None: all)."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """A search: what, where, for whom."""

    text: str
    collection: str
    caller: Caller
    top_k: int
    filters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Hits, best first, with the generation they were found at and milliseconds by step (embed, search)."""

    hits: tuple[Hit, ...]
    generation: int
    timings: Mapping[str, float] = field(default_factory=dict)


class Condenser(Protocol):
    """Turns a follow-up into a question that can be searched for on its own."""

    async def condense(self, question: str, history: Sequence[Message]) -> str:
        """Return the question itself when it stands alone, else one that carries what it refers to."""
        ...


class Retriever(Protocol):
    """Finds passages."""

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change."""
        ...

    async def retrieve(self, query: Query) -> Retrieved:
        """Return the best hits the caller may see. Raises NotFoundError when the collection does not exist, and
        ConfigurationError when its vectors are another embedder's."""
        ...


class Memory(Protocol):
    """Conversations, per principal."""

    async def recent(self, conversation_id: str, principal: str, limit: int) -> tuple[Message, ...]:
        """Return the last `limit` messages, oldest first; none for a new conversation. Raises NotFoundError when the
        conversation belongs to another principal."""
        ...

    async def append(self, conversation_id: str, principal: str, messages: Sequence[Message]) -> None:
        """Add messages, creating the conversation when it is new."""
        ...

    async def forget(self, conversation_id: str, principal: str) -> None:
        """Delete a conversation. Raises NotFoundError."""
        ...


# --- ports: answering -------------------------------------------------------------------------------------------------


class ChatModel(Protocol):
    """A language model behind a server."""

    async def prepare(self) -> None:
        """Find out the model's name, where only the server knows it. Raises ModelUnavailableError."""
        ...

    @property
    def name(self) -> str:
        """The model's name, part of every cache key; known once `prepare` was awaited."""
        ...

    def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield the generated text piece by piece; the last piece carries the usage. Raises ModelUnavailableError."""
        ...


class PromptBuilder(Protocol):
    """Lays out what the model is asked."""

    @property
    def version(self) -> str:
        """Name and content hash of the template, part of every cache key."""
        ...

    def build(self, question: str, sources: Sequence[Hit], history: Sequence[Message]) -> Prompt:
        """Return the prompt with each source under its marker, 1-based."""
        ...


class SentenceStream(Protocol):
    """Cuts a stream of text into sentences; the sentences joined are the text."""

    def feed(self, text: str) -> list[str]:
        """Take the next piece and return the sentences that are now complete, with their white space."""
        ...

    def flush(self) -> list[str]:
        """Return what is left."""
        ...


class AnswerCache(Protocol):
    """Answers by key. Fails open: an unreachable store is a miss, logged and counted."""

    async def get(self, key: str) -> CachedAnswer | None:
        """Return the entry, or None."""
        ...

    async def put(self, key: str, entry: CachedAnswer) -> None:
        """Store the entry."""
        ...

    async def drop(self, key: str) -> None:
        """Remove the entry."""
        ...

    async def alive(self) -> bool:
        """Return whether the store answers."""
        ...


class InputGuard(Protocol):
    """Checks a question before anything else sees it."""

    async def check(self, question: str) -> Verdict:
        """Return a verdict; blocked means that the question must not go on."""
        ...


class OutputGuard(Protocol):
    """Checks an answer sentence by sentence."""

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence | None:
        """Return the sentence, redacted and with its markers settled; None when no source supports it, or when it only
        says the question again."""
        ...


class Span(Protocol):
    """One stage of a trace."""

    @property
    def trace_id(self) -> str:
        """The id under which the whole trace can be found."""
        ...

    def set(self, **attributes: Any) -> None:
        """Record `inputs=`, `outputs=` (JSON-like values) or any other attribute."""
        ...


class Tracer(Protocol):
    """Records what happened, off the request path. Never raises into the request and never blocks it."""

    def span(self, name: str, **attributes: Any) -> AbstractContextManager[Span]:
        """Open a span below the current one; the outermost span is the trace. An exception marks the span as failed."""
        ...


class RunLog(Protocol):
    """Records ingestion and evaluation runs. Fails open."""

    async def record(self, name: str, params: Mapping[str, str], metrics: Mapping[str, float]) -> None:
        """Store one finished run."""
        ...
