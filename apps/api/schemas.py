"""What goes over the wire, and how it is made from the types inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from apps.settings import COLLECTION_NAME, MOST_TOKENS
from contracts import (
    PUBLIC,
    Action,
    Answer,
    AnswerMode,
    Attribution,
    CacheStatus,
    Chunk,
    ChunkStrategy,
    Citation,
    Collection,
    ConversationSummary,
    DocumentSummary,
    Filter,
    Finish,
    Hit,
    Job,
    JobState,
    Message,
    Retrieved,
    SearchMode,
    SourceState,
    VersionSummary,
    Violation,
)

CollectionName = Annotated[str, StringConstraints(pattern=f"^{COLLECTION_NAME}$")]
DocumentId = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,64}$")]
ConversationId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ConversationTitle = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Asked = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
FilterText = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
FilterValue = Annotated[FilterText, BeforeValidator(lambda value: str(value) if type(value) in (int, float) else value)]
Metadata = Annotated[dict[FilterText, FilterText], Field(max_length=20)]


class FilterIn(BaseModel):
    """What a document's field must be like; all that is said must hold. Values compare as numbers where both sides are
    numbers, else as texts, so that ISO dates compare as dates. `glob` matches paths: `*` within a folder, `**` across.
    """

    model_config = ConfigDict(extra="forbid")

    any_of: Annotated[list[FilterValue], Field(max_length=1000)] = []
    glob: FilterText = ""
    gt: FilterValue = ""
    gte: FilterValue = ""
    lt: FilterValue = ""
    lte: FilterValue = ""


FilterValues = Annotated[list[FilterValue], Field(max_length=1000)]
Filters = Annotated[
    dict[FilterText, FilterValue | FilterValues | FilterIn],
    Field(
        max_length=20,
        description="By field (`id`, `source`, `title`, `media_type` or a key of the metadata): a value, a list of "
        "alternatives, or conditions. Every field must match.",
        examples=[{"year": {"gte": "2020", "lt": "2024"}, "tags": ["visitors"], "source": {"glob": "**/handbook/*"}}],
    ),
]


class QueryIn(BaseModel):
    """A question."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "When does the museum open?", "stream": False}]}
    )

    question: Asked
    collection: CollectionName = "default"
    conversation_id: ConversationId | None = None
    top_k: int | None = Field(None, ge=1, le=100)
    filters: Filters = {}
    stream: bool = False
    fresh: bool = Field(False, description="Make the answer anew, whatever is cached.")
    priority: int = Field(0, ge=-100, le=100, description="Lower ones are served first while the model is busy.")
    patience_s: float | None = Field(
        None, gt=0, le=3600, description="How long the request may wait for the model; then it is a 503."
    )
    mode: AnswerMode = Field(
        AnswerMode.GROUNDED, description="By the language model, or of the passages' own sentences, quoted."
    )
    json_schema: dict[str, Any] | None = Field(
        None, description="A JSON Schema: the answer is JSON that conforms to it."
    )


class SearchIn(BaseModel):
    """A search for passages."""

    model_config = ConfigDict(extra="forbid")

    query: Asked
    collection: CollectionName = "default"
    top_k: int = Field(8, ge=1, le=100)
    mode: SearchMode | None = Field(None, description="By meaning, by words, or both; else as it is set.")
    filters: Filters = {}
    explain: bool = Field(False, description="Say for each hit where it stood after each step of the search.")


class BoxOut(BaseModel):
    """A rectangle on a page, in fractions of its width and height; the origin is top left."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class StandingOut(BaseModel):
    """Where a hit stood after a step: `dense` (cosine similarity), `sparse` (BM25), `fusion`, `rerank`, `diversity`."""

    step: str
    rank: int
    score: float


class ExplanationOut(BaseModel):
    """Why a hit is where it is: its standing after each step, and the span that was found, where the passage was then
    widened to its neighbours."""

    standings: list[StandingOut]
    expanded_from: tuple[int, int] | None


class HitOut(BaseModel):
    """A passage that was found. `page` counts from 1; `span` is a character range in the document's text. `score` is
    what hits are ordered by, `similarity` the cosine similarity to the query, `views` those that found it. `flags` are
    the rules that it broke when it was checked."""

    chunk_id: str
    document_id: str
    version: str
    title: str
    source: str
    page: int | None
    span: tuple[int, int]
    boxes: list[BoxOut]
    headings: list[str]
    text: str
    score: float
    similarity: float | None
    views: list[str]
    flags: list[str]
    explanation: ExplanationOut | None = None


class CitationOut(HitOut):
    """A passage that the answer cites under a marker such as [1]: written by the model, matched afterwards, or quoted.
    `quote` is the range, in the document's text, of the sentences that say it."""

    marker: int
    attributed_by: Attribution
    quote: tuple[int, int] | None


class SentenceOut(BaseModel):
    """A sentence of the answer: where it stands in it, what it cites, and how well that supports it, 0 to 1. One that
    is not `supported` was let out because the collection's policy says so."""

    model_config = ConfigDict(from_attributes=True)

    span: tuple[int, int]
    markers: list[int]
    attributed_by: Attribution
    support: float
    supported: bool


class ViolationOut(BaseModel):
    """What a guard found in question or answer, and what was done about it; also the event `violation`."""

    model_config = ConfigDict(from_attributes=True)

    rule: str
    message: str
    action: Action


class UsageOut(BaseModel):
    """Tokens as the model server counts them."""

    prompt_tokens: int
    completion_tokens: int


class AnswerOut(BaseModel):
    """A cited answer. `timings` are milliseconds by stage. `mode` is how it was made in the end; `notice` says
    `model_unavailable` where that is not how it was to be made. `finish` is `blocked` when a guard ended it, and
    `interrupted` when the model broke off."""

    answer: str
    citations: list[CitationOut]
    grounded: bool
    abstained: bool
    cache: CacheStatus
    generation: int
    trace_id: str
    conversation_id: str | None
    usage: UsageOut
    timings: dict[str, float]
    sentences: list[SentenceOut]
    violations: list[ViolationOut]
    mode: AnswerMode
    finish: Finish
    notice: str


class FoundOut(BaseModel):
    """The event `retrieval`: what the answer is made from."""

    hits: list[HitOut]
    generation: int
    cache: CacheStatus


class TokenOut(BaseModel):
    """The event `token`: a piece of the answer that has passed the guard; one that no source supports is marked so."""

    text: str
    supported: bool


class SearchOut(BaseModel):
    """Passages, best first. `timings` are milliseconds by step; `searched_for` is what was searched for, the query
    first, besides it the ways in which the model said it."""

    hits: list[HitOut]
    generation: int
    timings: dict[str, float]
    searched_for: list[str]


class DocumentOut(BaseModel):
    """A document. `ingested_at` is in seconds since the epoch; `flagged` of its `chunks` broke a rule when they were
    checked."""

    id: str
    title: str
    source: str
    media_type: str
    version: str
    size: int
    chunks: int
    generation: int
    ingested_at: float
    versions: int
    flagged: int
    readers: list[str]
    metadata: dict[str, str]


class DocumentsOut(BaseModel):
    """One page of documents; `next` is the `after` of the next page."""

    documents: list[DocumentOut]
    next: str | None


class VersionOut(BaseModel):
    """A kept version of a document. `ingested_at`, when it last became current, is in seconds since the epoch."""

    model_config = ConfigDict(from_attributes=True)

    version: str
    title: str
    size: int
    chunks: int
    ingested_at: float
    current: bool


class VersionsOut(BaseModel):
    """The kept versions of a document, newest first."""

    versions: list[VersionOut]


class FailureOut(BaseModel):
    """A file that could not be read; `source` may lie in an archive, which `container` names."""

    source: str
    container: str
    reason: str
    message: str


class FailuresOut(BaseModel):
    """The files of a collection that could not be read."""

    failures: list[FailureOut]


class ChunkOut(BaseModel):
    """A passage of a document. `hidden` text is there, but no reader of the document can see it; `flags` are the rules
    that the passage broke when it was checked."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    position: int
    page: int | None
    span: tuple[int, int]
    headings: list[str]
    kind: str
    text: str
    hidden: bool
    flags: list[str]


class ChunksOut(BaseModel):
    """A document's passages in reading order."""

    chunks: list[ChunkOut]


Readers = Annotated[
    list[FilterText],
    Field(min_length=1, max_length=1000, description="People and groups who find anything in it; `*` is everyone."),
]


class CuttingIn(BaseModel):
    """How documents are cut; sizes are in tokens of the embedder. What is not said stays as it is."""

    model_config = ConfigDict(extra="forbid")

    strategy: ChunkStrategy | None = None
    chunk_tokens: int | None = Field(None, ge=32, le=MOST_TOKENS)
    overlap_tokens: int | None = Field(None, ge=0, le=MOST_TOKENS)


class CollectionChangeIn(CuttingIn):
    """What changes of a collection; what is not said stays as it is."""

    readers: Readers | None = None
    cached: bool | None = Field(None, description="Whether answers from it are cached.")


class CollectionIn(CuttingIn):
    """A new collection; what is not said is as in the settings."""

    readers: Readers = [PUBLIC]
    embedder: FilterText = Field("", max_length=200, description="A sentence encoder's hub id or folder.")


class CollectionOut(BaseModel):
    """A collection. Of its documents and chunks those are counted that the caller may read; `failures` counts files
    that could not be read; `next_embedder` is being filled."""

    name: str
    documents: int
    chunks: int
    failures: int
    generation: int
    embedder: str
    next_embedder: str
    strategy: ChunkStrategy
    chunk_tokens: int
    overlap_tokens: int
    readers: list[str]
    cached: bool


class CacheOut(BaseModel):
    """What is cached of answers, and what it was good for since it was last cleared. `stale` entries were found and not
    served, because what they rest on had changed. `bytes` is what the whole store takes, where that is known. Without
    `semantic_ready` only the same words find an answer: the server behind it has no vector sets."""

    model_config = ConfigDict(from_attributes=True)

    answers: int
    exact: int
    semantic: int
    misses: int
    stale: int
    saved_prompt_tokens: int
    saved_completion_tokens: int
    bytes: int | None
    semantic_ready: bool


class ClearedOut(BaseModel):
    """How many cached answers were removed."""

    answers: int


class CollectionsOut(BaseModel):
    """All collections that the caller may search."""

    collections: list[CollectionOut]


class JobOut(BaseModel):
    """An ingestion job. `done` of `total` passages are through the present stage, `percent` of it; `files` counts the
    files inside an archive by what became of them. `reason` and `message` are set when it failed. Times are in seconds
    since the epoch."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    collection: str
    source: str
    state: JobState
    done: int
    total: int
    percent: int
    document_id: str | None
    chunks: int
    files: dict[str, int]
    reason: str | None
    message: str | None
    created_at: float
    updated_at: float


class JobsOut(BaseModel):
    """Jobs: those of an upload, one per file, or the newest."""

    jobs: list[JobOut]


class MessageOut(BaseModel):
    """One turn of a conversation."""

    role: str
    content: str


class ConversationSummaryOut(BaseModel):
    """A conversation as lists show it. Its title is the first question until it is renamed; `messages` counts them.
    Times are in seconds since the epoch."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    messages: int
    created_at: float
    updated_at: float


class ConversationsOut(BaseModel):
    """One page of conversations, the last used first; `next` is the `after` of the next page."""

    conversations: list[ConversationSummaryOut]
    next: str | None


class ConversationOut(BaseModel):
    """A conversation with its messages, oldest first. Times are in seconds since the epoch."""

    id: str
    title: str
    messages: list[MessageOut]
    created_at: float
    updated_at: float


class ConversationChangeIn(BaseModel):
    """What changes of a conversation."""

    model_config = ConfigDict(extra="forbid")

    title: ConversationTitle


class ComponentOut(BaseModel):
    """One part of the running stack."""

    state: Literal["ready", "starting", "away"]
    required: bool
    detail: str = ""


class ReadyOut(BaseModel):
    """Whether questions can be answered, and each part's state."""

    ready: bool
    components: dict[str, ComponentOut]


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    violations: list[str] | None = None


def filters_of(filters: Filters) -> tuple[Filter, ...]:
    """Return the filters of a request."""
    return tuple(_filter_of(field, value) for field, value in filters.items())


def _filter_of(field: str, value: str | list[str] | FilterIn) -> Filter:
    if isinstance(value, FilterIn):
        return Filter(field, tuple(value.any_of), value.glob, value.gt, value.gte, value.lt, value.lte)
    return Filter(field, (value,) if isinstance(value, str) else tuple(value))


def hit_out(hit: Hit, *, explain: bool = False) -> HitOut:
    """Return a hit for the wire."""
    explanation = None
    if explain:
        standings = [StandingOut(step=s.step, rank=s.rank, score=round(s.score, 4)) for s in hit.standings]
        explanation = ExplanationOut(standings=standings, expanded_from=hit.expanded_from)
    return HitOut(**_hit_fields(hit), explanation=explanation)


def search_out(query: str, found: Retrieved, *, explain: bool) -> SearchOut:
    """Return what a search found for the wire."""
    return SearchOut(
        hits=[hit_out(hit, explain=explain) for hit in found.hits],
        generation=found.generation,
        timings=dict(found.timings),
        searched_for=[query, *found.rewording.texts, *found.rewording.passages],
    )


def citation_out(citation: Citation) -> CitationOut:
    """Return a citation for the wire."""
    return CitationOut(
        **_hit_fields(citation.hit),
        marker=citation.marker,
        attributed_by=citation.attributed_by,
        quote=citation.quote,
    )


def answer_out(answer: Answer) -> AnswerOut:
    """Return an answer for the wire."""
    return AnswerOut(
        answer=answer.text,
        citations=[citation_out(citation) for citation in answer.citations],
        grounded=answer.grounded,
        abstained=answer.abstained,
        cache=answer.cache,
        generation=answer.generation,
        trace_id=answer.trace_id,
        conversation_id=answer.conversation_id,
        usage=UsageOut(prompt_tokens=answer.usage.prompt_tokens, completion_tokens=answer.usage.completion_tokens),
        timings=dict(answer.timings),
        sentences=[SentenceOut.model_validate(sentence) for sentence in answer.sentences],
        violations=[violation_out(violation) for violation in answer.violations],
        mode=answer.mode,
        finish=answer.finish,
        notice=answer.notice,
    )


def violation_out(violation: Violation) -> ViolationOut:
    """Return what a guard found for the wire."""
    return ViolationOut.model_validate(violation)


def conversation_summary_out(summary: ConversationSummary) -> ConversationSummaryOut:
    """Return a conversation of a list for the wire."""
    return ConversationSummaryOut.model_validate(summary)


def conversation_out(summary: ConversationSummary, messages: Sequence[Message]) -> ConversationOut:
    """Return a conversation for the wire."""
    return ConversationOut(
        id=summary.id,
        title=summary.title,
        messages=[MessageOut(role=message.role, content=message.content) for message in messages],
        created_at=summary.created_at,
        updated_at=summary.updated_at,
    )


def document_out(summary: DocumentSummary) -> DocumentOut:
    """Return a document for the wire."""
    document = summary.document
    return DocumentOut(
        id=document.id,
        title=document.title,
        source=document.source,
        media_type=document.media_type,
        version=document.version,
        size=document.size,
        chunks=summary.chunks,
        generation=summary.generation,
        ingested_at=summary.ingested_at,
        versions=summary.versions,
        flagged=summary.flagged,
        readers=list(document.readers),
        metadata=dict(document.metadata),
    )


def version_out(version: VersionSummary) -> VersionOut:
    """Return a version for the wire."""
    return VersionOut.model_validate(version)


def failure_out(state: SourceState) -> FailureOut:
    """Return a failure for the wire."""
    return FailureOut(
        source=state.source, container=state.container, reason=state.reason or "", message=state.message or ""
    )


def chunk_out(chunk: Chunk) -> ChunkOut:
    """Return a passage for the wire."""
    return ChunkOut.model_validate(chunk)


def collection_out(collection: Collection) -> CollectionOut:
    """Return a collection for the wire."""
    return CollectionOut(
        name=collection.name,
        documents=collection.documents,
        chunks=collection.chunks,
        failures=collection.failures,
        generation=collection.generation,
        embedder=collection.embedder,
        next_embedder=collection.next_embedder,
        strategy=collection.cutting.strategy,
        chunk_tokens=collection.cutting.chunk_tokens,
        overlap_tokens=collection.cutting.overlap_tokens,
        readers=list(collection.readers),
        cached=collection.cached,
    )


def job_out(job: Job) -> JobOut:
    """Return a job for the wire."""
    return JobOut.model_validate(job)


def _hit_fields(hit: Hit) -> dict[str, object]:
    chunk, document = hit.chunk, hit.document
    return {
        "chunk_id": chunk.id,
        "document_id": document.id,
        "version": document.version,
        "title": document.title,
        "source": document.source,
        "page": chunk.page,
        "span": chunk.span,
        "boxes": [BoxOut(page=b.page, x0=b.x0, y0=b.y0, x1=b.x1, y1=b.y1) for b in chunk.boxes],
        "headings": list(chunk.headings),
        "text": chunk.text,
        "score": round(hit.score, 4),
        "similarity": None if hit.similarity is None else round(hit.similarity, 4),
        "views": [standing.step for standing in hit.standings if standing.step in ("dense", "sparse")],
        "flags": list(chunk.flags),
    }
