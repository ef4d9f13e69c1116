"""How documents, versions, chunks and states are written to and read from rows of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, Select, select

from contracts import (
    PUBLIC,
    Box,
    Chunk,
    ChunkStrategy,
    Collection,
    Cutting,
    Document,
    ElementKind,
    EmbeddedVersion,
    SourceState,
    Vectors,
)
from ingestion.catalog.sql_schema import document_readers, documents, versions
from ingestion.catalog.sql_transactions import Row, batches

_VERSION_COLUMNS = (
    versions.c.title,
    versions.c.media_type,
    versions.c.size,
    versions.c.metadata,
    versions.c.ingested_at,
)


def current_documents() -> Select[Any]:
    """Select documents, each with what its current version says."""
    return select(documents, *_VERSION_COLUMNS).join(
        versions, (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.version)
    )


def document_of(row: RowMapping, readers: Sequence[str] = (PUBLIC,)) -> Document:
    """Return the document of a row of `current_documents`."""
    return Document(
        id=row["id"],
        collection=row["collection"],
        version=row["version"],
        source=row["source"],
        title=row["title"],
        media_type=row["media_type"],
        size=row["size"],
        metadata=row["metadata"],
        readers=tuple(readers),
    )


def readers_of(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the readers of each of the documents `ids`."""
    found: dict[str, tuple[str, ...]] = {}
    for some in batches(ids):
        query = select(document_readers.c.document_id, document_readers.c.reader)
        query = query.where(document_readers.c.document_id.in_(some)).order_by(document_readers.c.reader)
        for document_id, reader in connection.execute(query):
            found[document_id] = (*found.get(document_id, ()), reader)
    return found


def documents_of(connection: Connection, ids: Sequence[str]) -> dict[str, Document]:
    """Return the documents `ids` in their current versions, by id."""
    readers = readers_of(connection, ids)
    found: dict[str, Document] = {}
    for some in batches(ids):
        for row in connection.execute(current_documents().where(documents.c.id.in_(some))).mappings():
            found[row["id"]] = document_of(row, readers.get(row["id"], ()))
    return found


def reader_rows(document: Document) -> list[Row]:
    """Return a row for each reader of a document."""
    return [{"document_id": document.id, "reader": reader} for reader in sorted(set(document.readers))]


def version_row(document: Document, ingested_at: float) -> Row:
    """Return the row of a document's version."""
    return {
        "document_id": document.id,
        "version": document.version,
        "title": _storable(document.title),
        "media_type": document.media_type,
        "size": document.size,
        "metadata": {_storable(name): _storable(value) for name, value in document.metadata.items()},
        "ingested_at": ingested_at,
    }


def chunk_rows(new: EmbeddedVersion) -> list[Row]:
    """Return the rows of a version's chunks, without their keys."""
    return [
        {
            "id": chunk.id,
            "document_id": new.document.id,
            "version": new.document.version,
            "position": chunk.position,
            "text": _storable(chunk.text),
            "span_start": chunk.span[0],
            "span_end": chunk.span[1],
            "page": chunk.page,
            "boxes": [[b.page, b.x0, b.y0, b.x1, b.y1] for b in chunk.boxes],
            "headings": [_storable(heading) for heading in chunk.headings],
            "kind": chunk.kind.value,
            "focus": _storable(chunk.focus),
            "hidden": chunk.hidden,
            "text_hash": text_hash,
            "flags": list(chunk.flags),
        }
        for chunk, text_hash in zip(new.chunks, new.hashes, strict=True)
    ]


def _storable(text: str) -> str:
    return text.replace("\0", "\ufffd")  # PostgreSQL takes no NUL; of the same length, so that spans stay right


def chunk_of(row: RowMapping) -> Chunk:
    """Return the chunk of a row of `chunks`."""
    return Chunk(
        id=row["id"],
        document_id=row["document_id"],
        version=row["version"],
        position=row["position"],
        text=row["text"],
        span=(row["span_start"], row["span_end"]),
        page=row["page"],
        boxes=tuple(Box(*values) for values in row["boxes"]),
        headings=tuple(row["headings"]),
        kind=ElementKind(row["kind"]),
        focus=row["focus"],
        hidden=row["hidden"],
        flags=tuple(row["flags"]),
    )


def vector_rows(embedder: str, hashes: Sequence[str], vectors: Vectors) -> list[Row]:
    """Return a row for each text."""
    raw = np.ascontiguousarray(vectors, dtype="<f4")
    return [
        {"text_hash": text_hash, "embedder": embedder, "vector": vector.tobytes()}
        for text_hash, vector in zip(hashes, raw, strict=True)
    ]


def vectors_of(raw: Sequence[bytes]) -> NDArray[np.float32]:
    """Return stored vectors of one length as an array, one a row."""
    return np.frombuffer(b"".join(raw), dtype="<f4").reshape(len(raw), -1)


def state_row(collection: str, state: SourceState, checked_at: float) -> Row:
    """Return the row of a source's state."""
    return {
        "collection": collection,
        "source": state.source,
        "digest": state.digest,
        "recipe": state.recipe,
        "fingerprint": state.fingerprint,
        "container": state.container,
        "reason": None if state.reason is None else str(state.reason),
        "message": state.message,
        "checked_at": checked_at,
    }


def state_of(row: RowMapping) -> SourceState:
    """Return the state of a row of `source_states`."""
    return SourceState(
        source=row["source"],
        digest=row["digest"],
        recipe=row["recipe"],
        fingerprint=row["fingerprint"],
        container=row["container"],
        reason=row["reason"],
        message=row["message"],
    )


def cutting_columns(cutting: Cutting) -> Row:
    """Return the columns of `collections` that say how documents are cut."""
    return {
        "strategy": cutting.strategy.value,
        "chunk_tokens": cutting.chunk_tokens,
        "overlap_tokens": cutting.overlap_tokens,
    }


def collection_of(row: RowMapping) -> Collection:
    """Return the collection of a row of `collections`, with its counts where they are in the row."""
    return Collection(
        name=row["name"],
        embedder=row["embedder"],
        cutting=Cutting(ChunkStrategy(row["strategy"]), row["chunk_tokens"], row["overlap_tokens"]),
        generation=row["generation"],
        next_embedder=row["next_embedder"],
        readers=tuple(row["readers"]),
        cached=row["cached"],
        documents=row.get("documents", 0),
        chunks=row.get("chunks", 0),
        failures=row.get("failures", 0),
    )
