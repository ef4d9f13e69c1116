"""How documents and chunks are written to and read from rows of the catalog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.exc import SQLAlchemyError

from contracts import PUBLIC, Box, Chunk, Document, ElementKind, StoreUnavailableError
from ingestion.sql_schema import document_readers

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread; a database that fails becomes StoreUnavailableError."""
    try:
        return await asyncio.to_thread(work)
    except SQLAlchemyError as exc:
        reason = str(getattr(exc, "orig", None) or exc)
        raise StoreUnavailableError(
            f"The catalog database failed: {reason}. Check FOOTNOTE_CATALOG__URL, the disk and its permissions."
        ) from exc


def chunk_row(chunk: Chunk) -> dict[str, Any]:
    """Return the columns of a chunk, without its key."""
    return {
        "id": chunk.id,
        "document_id": chunk.document_id,
        "version": chunk.version,
        "position": chunk.position,
        "text": chunk.text,
        "span_start": chunk.span[0],
        "span_end": chunk.span[1],
        "page": chunk.page,
        "boxes": [[b.page, b.x0, b.y0, b.x1, b.y1] for b in chunk.boxes],
        "headings": list(chunk.headings),
        "kind": chunk.kind.value,
    }


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
    )


def document_of(row: RowMapping, readers: Sequence[str] = (PUBLIC,)) -> Document:
    """Return the document of a row of `documents`."""
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
    found: dict[str, list[str]] = {}
    query = select(document_readers).where(document_readers.c.document_id.in_(ids)).order_by(document_readers.c.reader)
    for row in connection.execute(query).mappings():
        found.setdefault(row["document_id"], []).append(row["reader"])
    return {key: tuple(value) for key, value in found.items()}
