"""The types that flow through Footnote and the ports between its packages; imports nothing but the stdlib and numpy.

A document becomes chunks, chunks become vectors, a question finds hits, hits become a prompt, a prompt becomes an
answer. Each is its own frozen type, so that no field is ever "set later". Ports are small async protocols; adapters
do not inherit them, and mypy checks the fit where ``apps/bootstrap.py`` wires them.

Errors::

    FootnoteError
    ├── ConfigurationError        a setting is wrong or does not fit the stored data
    ├── InvalidInputError         the request itself cannot be served (empty question, bad name, unknown filter)
    ├── NotFoundError             no such document, collection, job or conversation
    ├── ConflictError             the thing is in a state that does not allow this
    ├── QueueFullError            too many jobs wait already; later there is room again
    ├── OverloadedError           too many requests wait for the model, or this one waited too long
    ├── RateLimitedError          this caller asks more often than it may
    ├── ParseError                a document could not be read; ``reason`` says why
    ├── BlockedError              a guard refused the input; ``violations`` say why
    ├── ModelUnavailableError     the model server is away or refused the request
    ├── StaleEmbedderError        a collection's embedder changed while something was embedded for it
    └── StoreUnavailableError     the catalog cannot be reached
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
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


class ConflictError(FootnoteError):
    """What is stored under that name is in a state that does not allow this."""


class QueueFullError(FootnoteError):
    """Too many jobs wait already; later there is room again."""


class OverloadedError(FootnoteError):
    """Too many requests wait for the language model already, or this one has waited as long as it may. `retry_after_s`
    is when there may be room."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimitedError(FootnoteError):
    """A caller asks more often than it may; after `retry_after_s` it may again."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ParseFailure(StrEnum):
    """Why a document could not be read."""

    UNSUPPORTED = "unsupported"
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
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


class StaleEmbedderError(FootnoteError):
    """A collection was switched to another embedder meanwhile: embed again."""


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
    IMAGE = "image"


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
    `level` is a title's depth in the outline, 1 the outermost; it means nothing for other kinds. A table's text is
    Markdown; an image's is what was read in it, or its caption. `hidden` text is there but no reader can see it."""

    text: str
    kind: ElementKind = ElementKind.TEXT
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    level: int = 1
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside another one: a member of an archive, a message of a mailbox, an attachment. `name` is its path
    inside, with slashes. It lies at `path`, or `path` is None and `reason` and `message` say why it could not be
    taken out."""

    name: str
    path: Path | None
    reason: ParseFailure | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a parser read in one file; `elements` is empty only where there are `members`, the files inside it.
    `readers` are who may see it where the file itself says so, as front matter can."""

    title: str
    media_type: str
    elements: tuple[Element, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    readers: tuple[str, ...] | None = None


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
    blank line); `position` counts the chunks of the version from 0; `headings` is the heading path, outermost first.
    `focus` is the part of the text that stands for it in the index, where that is not all of it: the sentence in its
    window, the child in its parent. A `hidden` chunk holds text that no reader of the document can see; `flags` are the
    rules of the passage guard that it broke when it was ingested."""

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
    focus: str = ""
    hidden: bool = False
    flags: tuple[str, ...] = ()


class ChunkStrategy(StrEnum):
    """How documents are cut into chunks."""

    STRUCTURAL = "structural"
    FIXED = "fixed"
    SENTENCE_WINDOW = "sentence_window"
    PARENT_CHILD = "parent_child"


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a collection's documents are cut; sizes are in tokens of its embedder."""

    strategy: ChunkStrategy = ChunkStrategy.STRUCTURAL
    chunk_tokens: int = 180
    overlap_tokens: int = 24


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """A document in its current version as lists show it. `ingested_at` is in seconds since the epoch; `versions`
    counts those kept, the current one included; `flagged` counts its chunks with flags."""

    document: Document
    chunks: int
    generation: int
    ingested_at: float
    versions: int = 1
    flagged: int = 0


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A kept version of a document. `ingested_at` is when it last became current, in seconds since the epoch."""

    version: str
    title: str
    size: int
    chunks: int
    ingested_at: float
    current: bool
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents. `embedder` made the vectors that searches use; `next_embedder`, where not empty, is
    being filled beside it. `generation` is that of the last change. Only its `readers` find anything in it, and of that
    only what a document's own readers allow. Answers from it are `cached`, or each is made anew. The counts are 0 where
    nothing was counted."""

    name: str
    embedder: str
    cutting: Cutting
    generation: int
    next_embedder: str = ""
    readers: tuple[str, ...] = (PUBLIC,)
    cached: bool = True
    documents: int = 0
    chunks: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of one file that was read for a collection: a document, an archive, or a failure.

    `fingerprint` is a sign from the file's own system (size, times, ETag) that its bytes are still the same; `digest`
    is their SHA-256; `recipe` names everything that shaped the outcome besides the bytes. `container` is the source
    that holds this one, for a member of an archive. `reason` and `message` are set when it could not be read."""

    source: str
    digest: str
    recipe: str
    fingerprint: str = ""
    container: str = ""
    reason: str | None = None
    message: str | None = None


# --- questions and answers --------------------------------------------------------------------------------------------


def may_read(scope: Sequence[str], readers: Sequence[str]) -> bool:
    """Return whether a caller with this scope is among these readers, of a document or of a collection."""
    return not set(scope).isdisjoint(readers)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a principal and the groups it belongs to."""

    principal: str = "local"
    groups: tuple[str, ...] = ()

    @property
    def scope(self) -> tuple[str, ...]:
        """Every reader name that lets this caller see a document, sorted."""
        return tuple(sorted({PUBLIC, self.principal, *self.groups}))


class SearchMode(StrEnum):
    """Which views a search asks: vectors, words, or both."""

    HYBRID = "hybrid"
    DENSE = "dense"
    SPARSE = "sparse"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a document's field must be like. `field` is `id`, `source`, `title`, `media_type` or a key of its metadata;
    a document without it does not match. All that is set must hold.

    `any_of`: it has one of these values; a list such as tags, which metadata hold as text with commas, has each of its
    own. `glob`: it matches a path pattern (`*` within a folder, `**` across). The bounds compare as numbers where both
    sides are numbers, else as texts, so that ISO dates compare as dates."""

    field: str
    any_of: tuple[str, ...] = ()
    glob: str = ""
    above: str = ""
    at_least: str = ""
    below: str = ""
    at_most: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a hit stood after one step of a search: its rank, 1 the best, and its score in that step's own measure.
    Steps are the views `dense` (cosine similarity) and `sparse` (BM25), then `fusion`, `rerank` and `diversity`."""

    step: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that retrieval found, with the document it belongs to. `score` is what the hits are ordered by, in the
    measure of the last step; `similarity` is the cosine similarity to the query, None where no vector was compared.
    `expanded_from` is the span that was found where the chunk was widened to its neighbours after that."""

    chunk: Chunk
    document: Document
    score: float
    similarity: float | None = None
    standings: tuple[Standing, ...] = ()
    expanded_from: tuple[int, int] | None = None


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, or one message of a prompt."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to the chat model; `sources[i]` is the passage shown under marker i + 1. With a `schema`, a JSON
    Schema, the model server lets the model write nothing but JSON that conforms to it. `options` are those of
    `Question`."""

    messages: tuple[Message, ...]
    version: str
    sources: tuple[Hit, ...]
    schema: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class AnswerMode(StrEnum):
    """How an answer is made: by the language model from the passages, or of their own sentences, quoted."""

    GROUNDED = "grounded"
    EXTRACTIVE = "extractive"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: by whom, of which collection, in which conversation. `filters` are those of `Query`. With a
    `schema`, a JSON Schema, the answer is JSON that conforms to it.

    A client that keeps the conversation itself sends what was said as `history`: then nothing is recalled, and nothing
    is remembered. `options` are fields of an OpenAI chat completion request that the model server gets as they are,
    such as `seed`, `stop` or `tools`; they go before the settings. `messages` among them are what the client has to say
    besides: instructions, of the role `system`, and calls of tools, which come after the question.

    A request with a lower `priority` is served first; one that waits for the model longer than `patience_s` is given
    up. `fresh`: the answer is made anew, whatever is cached."""

    text: str
    collection: str = "default"
    caller: Caller = Caller()
    conversation_id: str | None = None
    top_k: int | None = None
    filters: tuple[Filter, ...] = ()
    mode: AnswerMode = AnswerMode.GROUNDED
    schema: Mapping[str, Any] | None = None
    history: tuple[Message, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    patience_s: float | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the model server reports them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of generated text; the last one of a stream carries the usage, whether the limit cut it off, and the name
    of the model that wrote it: another than `ChatModel.name` where a fallback did. `tool_calls` are the calls of tools
    that the model asks for, whole, as OpenAI has them, with the last piece."""

    text: str
    usage: Usage | None = None
    cut_off: bool = False
    model: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()


Attribution = Literal["model", "matched", "quoted"]
CacheOutcome = Literal["exact", "semantic", "miss", "stale"]
CacheStatus = Literal["exact", "semantic", "shared", "miss", "off"]
Action = Literal["block", "redact", "drop", "flag"]
Finish = Literal["complete", "abstained", "blocked", "interrupted", "tool_calls"]


@dataclass(frozen=True, slots=True)
class Violation:
    """What a validator found, and what was done about it. `rule` is the validator's name."""

    rule: str
    message: str
    action: Action = "block"


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker in the answer and the passage it stands for: written by the model, matched afterwards, or quoted from
    it. `quote` is the character range, in the text of the document's version, of the sentences that say it."""

    marker: int
    hit: Hit
    attributed_by: Attribution
    quote: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer: where it stands in the answer's text, what it cites, and how well that supports it, 0
    to 1. One that is not `supported` was let out because the policy says so, and cites nothing."""

    span: tuple[int, int]
    markers: tuple[int, ...]
    attributed_by: Attribution
    support: float
    supported: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A cited answer. `grounded`: each of its sentences is supported. `generation` is the collection's when it was made
    or last found to hold; timings are in milliseconds by stage. `mode` is how it was made in the end: `extractive` with
    `notice` "model_unavailable" where the language model was away. `finish` says how it ended: `blocked` by a guard,
    or `interrupted` because the model broke off, after the sentences that stand in it. An answer may ask the client for
    `tool_calls`, as OpenAI has them. `cache` is `shared` for one that was being made for the same question already."""

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
    sentences: tuple[AnswerSentence, ...] = ()
    violations: tuple[Violation, ...] = ()
    mode: AnswerMode = AnswerMode.GROUNDED
    finish: Finish = "complete"
    notice: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer with what is needed to know whether it still holds: its generation, and the passages it rests on.
    `documents` are the ids of theirs. `question` is what was searched for."""

    answer: Answer
    evidence: tuple[str, ...]
    documents: tuple[str, ...] = ()
    question: str = ""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """Where an answer is kept. `exact` is a hash of everything that shapes it but the documents, `space` one of the
    same without the question's own words: only within a space may the answer to one question serve another."""

    collection: str
    exact: str
    space: str


@dataclass(frozen=True, slots=True)
class Similar:
    """A cached answer to a question like another one; `similarity` is the cosine similarity of the two, 0 to 1."""

    key: AnswerKey
    entry: CachedAnswer
    similarity: float


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What an answer cache holds of this catalog, and its counts since they were last cleared: `exact` and `semantic`
    hits, `misses`, entries that were `stale` when they were found, and the model's tokens that hits saved. `bytes` is
    what the whole store takes, None where nobody knows. `semantic_ready` says whether it can look for similar
    questions."""

    answers: int
    exact: int = 0
    semantic: int = 0
    misses: int = 0
    stale: int = 0
    saved_prompt_tokens: int = 0
    saved_completion_tokens: int = 0
    bytes: int | None = None
    semantic_ready: bool = True


# --- guards -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """A guard's word on a question: the text to go on with (redacted where a rule says so), and what was found.
    `restore` maps what was put in place of personal data to what stood there, where answers may show it again."""

    text: str
    blocked: bool = False
    violations: tuple[Violation, ...] = ()
    restore: Mapping[str, str] = field(default_factory=dict)


Outcome = Literal["pass", "flag", "drop", "abstain", "block"]


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A guard's word on a sentence of an answer. `pass`: it may leave. `flag`: it may leave, marked as unsupported.
    `drop`: it must not leave, and the answer goes on. `abstain`: it must not leave, and the answer ends with what was
    said before, or says nothing. `block`: it must not leave, and the answer ends here as blocked.

    `text` is redacted, whatever the outcome, and empty for `block`; its markers are settled where it may leave.
    `markers` name the sources that support it, 1-based, to the degree `support`, 0 to 1. `quotes[i]` is the range in
    the text of the chunk of `markers[i]` that says it."""

    text: str
    markers: tuple[int, ...] = ()
    attributed_by: Attribution = "matched"
    violations: tuple[Violation, ...] = ()
    outcome: Outcome = "pass"
    support: float = 0.0
    quotes: tuple[tuple[int, int] | None, ...] = ()


# --- jobs and services ------------------------------------------------------------------------------------------------


class JobState(StrEnum):
    """The stages of an ingestion job."""

    QUEUED = "queued"
    PARSING = "parsing"
    EMBEDDING = "embedding"
    INDEXING = "indexing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """One file to ingest. Its bytes lie at `path` until it is finished; `readers` None leaves them to the file. `done`
    of `total` chunks are through the present stage; `files` counts the files inside an archive by what became of them.
    `reason` and `message` are set when it failed. Times are in seconds since the epoch."""

    id: str
    collection: str
    source: str
    path: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    readers: tuple[str, ...] | None = None
    state: JobState = JobState.QUEUED
    done: int = 0
    total: int = 0
    document_id: str | None = None
    chunks: int = 0
    files: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None
    message: str | None = None
    created_at: float = 0.0
    updated_at: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    @property
    def percent(self) -> int:
        """How much of the present stage is done; 100 only when all is."""
        if self.state is JobState.DONE:
            return 100
        return min(99, 100 * self.done // self.total) if self.total else 0


Report = Callable[[Job], Awaitable[None]]
JobHandler = Callable[[Job, Report], Awaitable[Job]]


@dataclass(frozen=True, slots=True)
class Service:
    """A child process that the stack needs. `ready` returns True once it answers; it is called in a thread. `cause`
    returns what its log says about why it ended, in a sentence, or nothing."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Callable[[], bool]
    url: str
    timeout_s: float = 60.0
    cause: Callable[[str], str] = lambda log: ""


# --- ports: ingestion -------------------------------------------------------------------------------------------------


class Parser(Protocol):
    """Reads one file."""

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        """Return the text of the file at `path`, called `name` (default: the path's name).

        Files inside it are written below the folder `scratch`, which is the caller's to remove, and listed as
        `members`; without it they are left where they are, unlisted. Raises ParseError with a reason; an empty result
        is an error, never a success.
        """
        ...


class Splitter(Protocol):
    """Cuts a parsed file into chunks."""

    @property
    def name(self) -> str:
        """Strategy, sizes and edition: whatever makes the same file come out differently changes it."""
        ...

    def split(self, document: Document, parsed: ParsedFile) -> tuple[Chunk, ...]:
        """Return the chunks in reading order. No chunk crosses a page or joins hidden with visible text, and what
        stands for it in the index is within the embedder's budget."""
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


class SentenceEncoder(Embedder, Protocol):
    """An embedder that counts as its model reads: in tokens of its own tokenizer, special ones left out."""

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that the model reads; it does not see what comes after them."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` is, without a limit."""
        ...

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is; faster than one by one."""
        ...


@dataclass(frozen=True, slots=True)
class Description:
    """What is said about a file beside it: who may see it (None: nothing said), and its metadata. `problem` says why
    that cannot be understood."""

    readers: tuple[str, ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a source tree. `fingerprint` changes with its bytes; it is empty where the tree has no such sign."""

    name: str
    fingerprint: str
    description: Description = Description()


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a source tree, and the folders below which some could not be listed, each with the reason."""

    files: tuple[ListedFile, ...]
    unreadable: Mapping[str, str] = field(default_factory=dict)


class SourceTree(Protocol):
    """A folder, a bucket, a share, or a single file of one."""

    @property
    def root(self) -> str:
        """What the names of all its files start with."""
        ...

    async def list(self) -> Listing:
        """Return its files. Raises InvalidInputError when it does not exist or cannot be reached."""
        ...

    async def fetch(self, name: str, scratch: Path) -> Path:
        """Return where the bytes of a file are on this machine: perhaps in the folder `scratch`. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A private copy of a source's bytes while it is being read; `digest` is their SHA-256, `size` is in bytes."""

    path: Path
    digest: str
    size: int


class OriginalStore(Protocol):
    """Where the bytes of documents are kept, under their SHA-256."""

    def path(self, version: str) -> Path:
        """Return where the bytes are, or would be."""
        ...

    async def digest(self, source: Path) -> str:
        """Return the SHA-256 of a file in hex. Raises OSError."""
        ...

    async def stage(self, source: Path, called: str) -> StagedFile:
        """Copy a file, so that it cannot change while it is read. Raises ParseError and OSError."""
        ...

    async def adopt(self, staged: StagedFile) -> None:
        """Keep the staged bytes under their hash."""
        ...

    async def release(self, staged: StagedFile) -> None:
        """Remove the staged copy."""
        ...

    async def discard(self, version: str) -> None:
        """Remove the bytes."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddedVersion:
    """A document version ready to be stored: row i of `vectors` belongs to chunk i, and `hashes[i]` names the text that
    it was made of."""

    document: Document
    chunks: tuple[Chunk, ...]
    hashes: tuple[str, ...]
    vectors: Vectors
    state: SourceState


class Catalog(Protocol):
    """Documents in their versions, with chunks and vectors: the truth that indexes are views of. Each write is one
    transaction, and counts the collection's generation up."""

    async def put(self, versions: Sequence[EmbeddedVersion], embedder: str) -> int:
        """Store documents of one collection in a new current version, or in the same one cut anew, with their states;
        return the generation. The versions before are kept, without being searched, as far as the policy says. Raises
        StaleEmbedderError when the vectors are not of the collection's embedder any more."""
        ...

    async def delete(self, collection: str, document_ids: Sequence[str]) -> int:
        """Remove documents with all their versions, and the states of their sources; ids that are gone are passed
        over. Return the generation."""
        ...

    async def move(self, collection: str, document_id: str, new: Document, state: SourceState) -> int:
        """Store a document under the id, source and title of `new`, with its versions; return the generation. Raises
        NotFoundError."""
        ...

    async def find(self, collection: str, document_id: str) -> DocumentSummary | None:
        """Return the document, or None."""
        ...

    async def list(self, collection: str, *, limit: int = 100, after: str = "") -> tuple[DocumentSummary, ...]:
        """Return documents ordered by source, then id, starting after the document with the id `after`."""
        ...

    async def versions(self, collection: str, document_id: str) -> tuple[VersionSummary, ...]:
        """Return the kept versions of a document, newest first. Raises NotFoundError."""
        ...

    async def kept_versions(self, collection: str, document_ids: Sequence[str]) -> frozenset[str]:
        """Return every version, current or kept, of these documents; of those that are gone there is none."""
        ...

    async def chunks(self, collection: str, document_id: str, version: str = "") -> tuple[Chunk, ...]:
        """Return the chunks of a document's version (default: the current one) in reading order. Raises
        NotFoundError."""
        ...

    async def read(self, collection: str, document_id: str, version: str, embedder: str) -> EmbeddedVersion:
        """Return a kept version whole, as it was put. Raises NotFoundError."""
        ...

    async def unused(self, versions: Sequence[str]) -> frozenset[str]:
        """Return those of these versions that no document, in any collection, has, current or kept."""
        ...

    async def known_vectors(self, hashes: Sequence[str], embedder: str) -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors that are stored for these texts, by hash."""
        ...


class Upkeep(Protocol):
    """What a catalog needs from time to time."""

    async def prune(self) -> tuple[str, ...]:
        """Remove old versions that the policy keeps no longer; return those that no document has any more."""
        ...

    async def unused(self, versions: Sequence[str]) -> frozenset[str]:
        """Return those of these versions that no document has: their originals can go."""
        ...

    async def compact(self) -> None:
        """Give the space of what was deleted back to the disk."""
        ...


class Collections(Protocol):
    """The collections and their settings."""

    async def ensure(self, name: str, embedder: str, cutting: Cutting) -> Collection:
        """Return the collection, made with these settings if it does not exist. Nothing is counted."""
        ...

    async def settings(self, name: str) -> Collection | None:
        """Return the collection, or None. Nothing is counted, so that this is fast at any size."""
        ...

    async def find(self, name: str, scope: Sequence[str] | None = None) -> Collection | None:
        """Return the collection with its counts, or None. With a `scope`, only if one of these readers may see it, and
        only documents that one of them may read are counted."""
        ...

    async def list(self, scope: Sequence[str] | None = None) -> tuple[Collection, ...]:
        """Return every collection, by name, with its counts; `scope` as in `find`."""
        ...

    async def recut(self, name: str, cutting: Cutting) -> None:
        """Change how documents are cut from now on; those that are there change when they are next synced."""
        ...

    async def share(self, name: str, readers: Sequence[str]) -> None:
        """Change who finds anything in the collection; this counts its generation up. Raises NotFoundError."""
        ...

    async def keep_answers(self, name: str, cached: bool) -> None:
        """Say whether answers from the collection are cached. Raises NotFoundError."""
        ...

    async def delete(self, name: str) -> None:
        """Remove the collection with all that it holds. Raises NotFoundError."""
        ...


class SourceStates(Protocol):
    """The file list of a collection: which files were read, and what became of them."""

    async def states(self, collection: str, under: str = "") -> Mapping[str, SourceState]:
        """Return the states of the sources that start with `under`, by source."""
        ...

    async def record(self, collection: str, states: Sequence[SourceState]) -> None:
        """Store states of sources that made no document: failures, archives. A document that is there stays."""
        ...

    async def forget(self, collection: str, sources: Sequence[str]) -> None:
        """Remove states."""
        ...


class Builds(Protocol):
    """Vectors of another embedder, filled beside those that searches use."""

    async def begin(self, collection: str, embedder: str) -> None:
        """Make `embedder` the collection's next one. One that was begun before is given up."""
        ...

    async def missing(self, collection: str, embedder: str, limit: int) -> tuple[tuple[str, Document, Chunk], ...]:
        """Return up to `limit` current chunks that have no vector of this embedder yet, each with the hash under which
        its vector belongs."""
        ...

    async def add(self, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
        """Store vectors of texts, by the hash of the text."""
        ...

    async def switch(self, collection: str, embedder: str) -> bool:
        """Let searches use the next embedder and remove the vectors of the one before; False, and nothing changed,
        when chunks have come that lack a vector."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """A document of a collection that changed or went away at a generation."""

    generation: int
    document_id: str


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """The vectors of one document and who may read it: `keys` are stable int64 ids of its chunks, never used again,
    and row i of `vectors` belongs to keys[i]."""

    keys: NDArray[np.int64]
    vectors: Vectors
    readers: tuple[str, ...] = (PUBLIC,)


@dataclass(frozen=True, slots=True)
class StoredText:
    """What is indexed of one chunk: the heading path without the document's title, and the text that stands for it."""

    key: int
    headings: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class StoredTexts:
    """The texts of one document, its title, and who may read it."""

    title: str
    texts: tuple[StoredText, ...]
    readers: tuple[str, ...] = (PUBLIC,)


@dataclass(frozen=True, slots=True)
class Readable:
    """A collection that the caller may search: the generation of its last change, the embedder whose vectors searches
    of it use, and whether answers from it are cached."""

    generation: int
    embedder: str
    cached: bool = True


class ChangeFeed(Protocol):
    """What an index view needs of the catalog to follow it."""

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change, 0 before the first."""
        ...

    async def changes(self, collection: str, since: int) -> tuple[Change, ...]:
        """Return the documents that changed after generation `since`, each once, by its last change."""
        ...

    async def vectors(self, document_ids: Sequence[str], embedder: str) -> Mapping[str, StoredVectors]:
        """Return the vectors of the documents' current versions made by `embedder`; a deleted document is missing."""
        ...

    async def texts(self, document_ids: Sequence[str]) -> Mapping[str, StoredTexts]:
        """Return the texts of the documents' current versions; a deleted document is missing."""
        ...


class Passages(Protocol):
    """What a search needs of the catalog besides its indexes."""

    async def readable(self, collection: str, scope: Sequence[str]) -> Readable:
        """Return the collection's state. Raises NotFoundError, in the same words, when it does not exist, never had a
        document, or may not be searched by any reader in `scope`."""
        ...

    async def matching(self, collection: str, filters: Sequence[Filter]) -> frozenset[str] | None:
        """Return the ids of the documents that match all filters, whoever may read them; None without filters. Raises
        InvalidInputError."""
        ...

    async def hydrate(self, keys: Sequence[int]) -> Mapping[int, tuple[Chunk, Document]]:
        """Return chunk and document by key; keys of chunks that are deleted or not of a current version are missing."""
        ...

    async def neighbours(self, chunk: Chunk, reach: int) -> tuple[Chunk, ...]:
        """Return the chunks of the same document version whose position is at most `reach` from the chunk's, in
        reading order, itself among them; none when the version is gone."""
        ...


class JobQueue(Protocol):
    """Ingestion jobs, which outlive every process."""

    async def enqueue(self, jobs: Sequence[Job]) -> None:
        """Add jobs. Raises QueueFullError, and adds none, when too many would wait."""
        ...

    async def get(self, job_id: str) -> Job:
        """Return the job. Raises NotFoundError."""
        ...

    async def list(self, collection: str | None = None, *, limit: int = 100) -> tuple[Job, ...]:
        """Return the jobs of a collection, or of all, newest first."""
        ...

    async def superseded(self, job: Job) -> bool:
        """Return whether a later job brings the same source, and was not cancelled."""
        ...

    async def cancel(self, job_id: str) -> None:
        """Cancel a job that waits or runs. Raises NotFoundError, and ConflictError when it is finished."""
        ...

    async def run(self, handler: JobHandler, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set. The handler reports how far it is and returns the job as it ended. It is
        cancelled with its job, and called again with a job whose worker died or was stopped; it tries again by itself
        when it raises StoreUnavailableError, and any other error fails the job."""
        ...


# --- ports: retrieval -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Selection:
    """What a search may find: documents that one of the readers in `scope` may read, of these only those in
    `documents`, where that is not None. A document with the reader PUBLIC is for everyone whose scope holds PUBLIC,
    which every caller's does."""

    scope: tuple[str, ...]
    documents: frozenset[str] | None = None


class DenseIndex(Protocol):
    """A nearest-neighbour view of one collection's vectors."""

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        ...

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        ...

    async def search(self, vector: NDArray[np.float32], k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, cosine similarity) pairs, best first, of the selected documents only."""
        ...

    async def vectors(self, keys: Sequence[int]) -> Mapping[int, NDArray[np.float32]]:
        """Return the vectors of these keys as far as the view holds them, each of shape (dimension,)."""
        ...

    async def aclose(self) -> None:
        """Finish what is done in the background, and let go of files and threads."""
        ...


class SparseIndex(Protocol):
    """A view of one collection's words."""

    @property
    def generation(self) -> int:
        """The generation this view stands for."""
        ...

    async def refresh(self) -> int:
        """Apply what changed in the catalog; return the generation now stood for."""
        ...

    async def search(self, text: str, k: int, selection: Selection) -> tuple[tuple[int, float], ...]:
        """Return up to k (key, BM25 score) pairs, best first, of the selected documents only. What stands in quotes in
        `text` must occur as it is; a text without a word that counts finds nothing."""
        ...

    async def aclose(self) -> None:
        """Let go of files and threads."""
        ...


class Reranker(Protocol):
    """Judges how well passages answer a query, slower and better than the views can."""

    @property
    def name(self) -> str:
        """The model's name, part of every cache key."""
        ...

    async def score(self, query: str, hits: Sequence[Hit]) -> Sequence[float]:
        """Return a score per hit, higher is better."""
        ...


@dataclass(frozen=True, slots=True)
class Rewording:
    """What a query is searched by besides its own text: `texts` in every view, `passages` (answers as they might stand
    in a document) by their vectors alone."""

    texts: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()


class Rephraser(Protocol):
    """Says a query in other ways, so that it is found in other words too."""

    @property
    def name(self) -> str:
        """What shapes the rewordings, part of every cache key."""
        ...

    async def reword(self, query: str) -> Rewording:
        """Return other ways to say it; nothing when the model is away."""
        ...


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that a search is also about; the query's own text counts 1."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Query:
    """A search: what, where, for whom. Every filter must hold. `context` is what colours it: in a conversation,
    what was asked before."""

    text: str
    collection: str
    caller: Caller
    top_k: int
    filters: tuple[Filter, ...] = ()
    mode: SearchMode = SearchMode.HYBRID
    context: tuple[Wording, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Hits, best first, with the generation they were found at and milliseconds by step. `rewording` is what was
    searched for besides the query."""

    hits: tuple[Hit, ...]
    generation: int
    timings: Mapping[str, float] = field(default_factory=dict)
    rewording: Rewording = Rewording()


class Condenser(Protocol):
    """Turns a follow-up into a question that can be searched for on its own."""

    async def condense(self, question: str, history: Sequence[Message]) -> str:
        """Return the question itself when it stands alone, else one that carries what it refers to."""
        ...


class Retriever(Protocol):
    """Finds passages."""

    @property
    def recipe(self) -> str:
        """Everything besides the query and the documents that shapes what is found, part of every cache key."""
        ...

    async def readable(self, collection: str, caller: Caller) -> Readable:
        """Return the collection's state. Raises NotFoundError as `retrieve` does."""
        ...

    async def retrieve(self, query: Query) -> Retrieved:
        """Return the best hits the caller may see. Raises NotFoundError when there is no such collection for them,
        InvalidInputError for an empty query or a filter that cannot be, and ConfigurationError when a model cannot be
        loaded."""
        ...


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of a conversation: the last turns, oldest first, and a summary of those before them."""

    messages: tuple[Message, ...] = ()
    summary: str = ""


class Memory(Protocol):
    """What was said in conversations, per principal."""

    async def recall(self, conversation_id: str, principal: str, budget_tokens: int) -> Remembered:
        """Return the last turns that fit the budget, and the summary of what came before, as far as there is one;
        nothing for a new conversation. Raises NotFoundError when the conversation belongs to another principal."""
        ...

    async def append(self, conversation_id: str, principal: str, messages: Sequence[Message]) -> None:
        """Add messages, creating the conversation when it is new. Raises NotFoundError as `recall` does."""
        ...

    async def summarise(self, conversation_id: str, principal: str, budget_tokens: int) -> None:
        """Bring the summary of what no longer fits the budget up to date; does nothing when it is."""
        ...


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as lists show it. Its title is the first question until it is renamed; times are in seconds since
    the epoch."""

    id: str
    title: str
    messages: int
    created_at: float
    updated_at: float


class Conversations(Protocol):
    """The conversations of each principal, to look at and to manage."""

    async def list(
        self, principal: str, *, query: str = "", limit: int = 100, after: str = ""
    ) -> tuple[ConversationSummary, ...]:
        """Return conversations, the last used first, starting after the one with the id `after`; with a `query`, those
        that say it."""
        ...

    async def read(self, conversation_id: str, principal: str) -> tuple[ConversationSummary, tuple[Message, ...]]:
        """Return all of a conversation, oldest first. Raises NotFoundError."""
        ...

    async def rename(self, conversation_id: str, principal: str, title: str) -> None:
        """Give it another title. Raises NotFoundError."""
        ...

    async def forget(self, conversation_id: str, principal: str) -> None:
        """Delete it. Raises NotFoundError."""
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


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A model server's own response: its status, the headers that say what it is, and its bytes as they come."""

    status: int
    headers: Mapping[str, str]
    body: AsyncGenerator[bytes]


class PassThrough(Protocol):
    """Hands requests on to the model servers as they are."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models that requests may name."""
        ...

    def send(self, model: str, body: bytes) -> AbstractAsyncContextManager[PassedOn]:
        """Send a chat completion request in OpenAI's form to a server of the model; leaving the context stops the
        server's work. Raises ModelUnavailableError, from the body too."""
        ...


class PromptBuilder(Protocol):
    """Lays out what the model is asked."""

    @property
    def version(self) -> str:
        """Name and content hash of the templates, part of every cache key."""
        ...

    def build(
        self,
        question: str,
        sources: Sequence[Hit],
        history: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> Prompt:
        """Return the prompt with each source under its marker, 1-based; with a `schema`, one for JSON. A `system`
        message in the history is a summary of what was said before it."""
        ...


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt as it is kept in files: its messages hold variables in single braces. `version` is its name and content
    hash, as traces carry it."""

    version: str
    messages: tuple[Message, ...]


class PromptRegistry(Protocol):
    """Shows prompts, in all their versions, to people. Fails open."""

    async def register(self, prompts: Mapping[str, PromptText]) -> bool:
        """Add those prompts, by name, whose content is not that of the latest version there; return whether all are
        there now."""
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
    """Answers by key and by the likeness of questions. Fails open: an unreachable store is a miss, logged."""

    async def get(self, key: AnswerKey) -> CachedAnswer | None:
        """Return the entry, or None."""
        ...

    async def similar(self, key: AnswerKey, vector: NDArray[np.float32], limit: int) -> tuple[Similar, ...]:
        """Return up to `limit` entries of the key's space with the vectors nearest to this one (unit length, shape
        (dimension,)), the nearest first; nothing where the store cannot look for them."""
        ...

    async def put(
        self, key: AnswerKey, entry: CachedAnswer, *, ttl_s: int, vector: NDArray[np.float32] | None = None
    ) -> None:
        """Store the entry for `ttl_s` seconds; with the vector of its question it can be found by others like it."""
        ...

    async def drop(self, key: AnswerKey) -> None:
        """Remove the entry."""
        ...

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Remove every entry that rests on one of these documents."""
        ...


NOTHING_SAVED = Usage()


class CacheUpkeep(Protocol):
    """What is known of the answer cache of this catalog. Fails open like the cache itself."""

    async def count(self, outcome: CacheOutcome, saved: Usage = NOTHING_SAVED) -> None:
        """Count a lookup; `saved` is what the answer that was found had taken of the model."""
        ...

    async def stats(self) -> CacheStats | None:
        """Return what there is, or None when the store does not answer."""
        ...

    async def clear(self, collection: str = "") -> int | None:
        """Remove every answer, or those from one collection; return how many there were, or None when the store does
        not answer. Clearing everything starts the counts anew."""
        ...

    async def alive(self) -> bool:
        """Return whether the store answers."""
        ...


class VectorCache(Protocol):
    """Vectors of questions, shared by processes. Fails open."""

    async def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors that are known, by text, each of shape (dimension,)."""
        ...

    async def put(self, embedder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors by text."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something may happen: so many a minute, and as many as `burst` at once."""

    per_minute: float
    burst: float


class RateLimiter(Protocol):
    """Token buckets shared by processes. Fails open."""

    async def take(self, key: str, rate: Rate, cost: float = 1.0) -> float:
        """Take `cost` tokens of the bucket `key`, if they are there, and return 0; else take nothing and return the
        seconds until they are."""
        ...


class Admission(Protocol):
    """Decides who may use the language model now: so many at once, the others in turn."""

    def slot(self, *, priority: int = 0, patience_s: float | None = None) -> AbstractAsyncContextManager[None]:
        """Wait for a place and hold it within the context. Lower priorities are first, and among equals who came first.
        Raises OverloadedError when too many wait already, or after `patience_s` without a place."""
        ...


class TokenCounter(Protocol):
    """Counts tokens as the chat model does."""

    async def window(self) -> int:
        """Return how many tokens of prompt and answer together the model can hold. Raises ModelUnavailableError."""
        ...

    async def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the messages are, laid out by the model's own chat template. Raises
        ModelUnavailableError."""
        ...


def most_tokens(messages: Sequence[Message]) -> int:
    """Return a number of tokens that the messages never exceed, without asking anyone.

    A tokenizer that falls back on bytes has no more tokens than a text has bytes, and a chat template adds a role and
    delimiters to each message; some add a system message of their own."""
    return 128 + sum(16 + len(message.content.encode("utf-8", "surrogatepass")) for message in messages)


class Summarizer(Protocol):
    """Reads texts that are too long for one prompt, by several calls of the chat model."""

    def summarize(self, texts: Sequence[str], question: str = "") -> AsyncGenerator[Token]:
        """Yield a summary of the texts, in reading order, piece by piece, or with a question what they say about it.
        The last piece carries the usage of all calls. Raises ModelUnavailableError."""
        ...


class InputGuard(Protocol):
    """Checks a question before anything else sees it."""

    async def check(self, question: str) -> Verdict:
        """Return a verdict; blocked means that the question must not go on."""
        ...


class OutputGuard(Protocol):
    """Checks an answer sentence by sentence."""

    async def check(self, sentence: str, sources: Sequence[Hit], question: str = "") -> CheckedSentence:
        """Return the sentence, redacted and with its markers settled, and whether it may leave."""
        ...


class PassageGuard(Protocol):
    """Checks the passages of documents when they are ingested."""

    @property
    def version(self) -> str:
        """Whatever makes the same passage be judged otherwise changes it."""
        ...

    async def check(self, texts: Sequence[str]) -> Sequence[tuple[str, ...]]:
        """Return, for each text, the names of the rules that it breaks."""
        ...


@dataclass(frozen=True, slots=True)
class Guards:
    """What watches over the questions to a collection, its passages and its answers. No answer rests on a passage with
    a flag that is `quarantined`. `version` is part of every cache key."""

    input: InputGuard
    passages: PassageGuard
    output: OutputGuard
    quarantined: frozenset[str]
    version: str


class GuardPolicies(Protocol):
    """The guards of each collection."""

    def guards(self, collection: str) -> Guards:
        """Return the guards that its policy names, as it is now. Raises ConfigurationError when it cannot be
        understood: nothing goes unguarded."""
        ...

    def passage_guard(self, collection: str) -> PassageGuard:
        """Return only what checks its passages, which is quicker to have. Raises ConfigurationError."""
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

    async def record(
        self, name: str, params: Mapping[str, str], metrics: Mapping[str, float], files: Sequence[Path] = ()
    ) -> bool:
        """Store one finished run with copies of these files; return whether it was stored."""
        ...
