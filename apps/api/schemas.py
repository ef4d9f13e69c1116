"""What goes over the wire, and how it is made from the types inside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts import Answer, Attribution, CacheStatus, Citation, CollectionSummary, DocumentSummary, Hit, Job, JobState

CollectionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
ConversationId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Asked = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
FilterText = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Filters = Annotated[dict[FilterText, FilterText], Field(max_length=20)]


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


class SearchIn(BaseModel):
    """A search for passages."""

    model_config = ConfigDict(extra="forbid")

    query: Asked
    collection: CollectionName = "default"
    top_k: int = Field(8, ge=1, le=100)
    mode: Literal["dense"] = "dense"
    filters: Filters = {}


class BoxOut(BaseModel):
    """A rectangle on a page, in fractions of its width and height; the origin is top left."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class HitOut(BaseModel):
    """A passage that was found. `page` counts from 1; `span` is a character range in the document's text."""

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
    views: list[str]


class CitationOut(HitOut):
    """A passage that the answer cites under a marker such as [1]."""

    marker: int
    attributed_by: Attribution


class UsageOut(BaseModel):
    """Tokens as the model server counts them."""

    prompt_tokens: int
    completion_tokens: int


class AnswerOut(BaseModel):
    """A cited answer. `timings` are milliseconds by stage."""

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


class FoundOut(BaseModel):
    """The event `retrieval`: what the answer is made from."""

    hits: list[HitOut]
    generation: int
    cache: CacheStatus


class TokenOut(BaseModel):
    """The event `token`: a piece of the answer that has passed the guard."""

    text: str


class SearchOut(BaseModel):
    """Passages, best first."""

    hits: list[HitOut]
    generation: int
    timings: dict[str, float]


class DocumentOut(BaseModel):
    """A document. `ingested_at` is in seconds since the epoch."""

    id: str
    title: str
    source: str
    media_type: str
    version: str
    size: int
    chunks: int
    generation: int
    ingested_at: float
    metadata: dict[str, str]


class DocumentsOut(BaseModel):
    """One page of documents; `next` is the `after` of the next page."""

    documents: list[DocumentOut]
    next: str | None


class ChunkOut(BaseModel):
    """A passage of a document."""

    id: str
    position: int
    page: int | None
    span: tuple[int, int]
    headings: list[str]
    kind: str
    text: str


class ChunksOut(BaseModel):
    """A document's passages in reading order."""

    chunks: list[ChunkOut]


class CollectionOut(BaseModel):
    """A collection."""

    name: str
    documents: int
    chunks: int
    generation: int


class CollectionsOut(BaseModel):
    """All collections."""

    collections: list[CollectionOut]


class JobOut(BaseModel):
    """An ingestion job. `reason` and `message` are set when it failed."""

    id: str
    collection: str
    source: str
    state: JobState
    document_id: str | None
    chunks: int
    reason: str | None
    message: str | None


class JobsOut(BaseModel):
    """The jobs of an upload, one per file."""

    jobs: list[JobOut]


class MessageOut(BaseModel):
    """One turn of a conversation."""

    role: str
    content: str


class ConversationOut(BaseModel):
    """A conversation."""

    id: str
    messages: list[MessageOut]


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


def hit_out(hit: Hit) -> HitOut:
    """Return a hit for the wire."""
    return HitOut(**_hit_fields(hit))


def citation_out(citation: Citation) -> CitationOut:
    """Return a citation for the wire."""
    return CitationOut(**_hit_fields(citation.hit), marker=citation.marker, attributed_by=citation.attributed_by)


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
        metadata=dict(document.metadata),
    )


def collection_out(summary: CollectionSummary) -> CollectionOut:
    """Return a collection for the wire."""
    return CollectionOut(
        name=summary.name, documents=summary.documents, chunks=summary.chunks, generation=summary.generation
    )


def job_out(job: Job) -> JobOut:
    """Return a job for the wire."""
    return JobOut(
        id=job.id,
        collection=job.collection,
        source=job.source,
        state=job.state,
        document_id=job.document_id,
        chunks=job.chunks,
        reason=job.reason,
        message=job.message,
    )


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
        "views": list(hit.views),
    }
