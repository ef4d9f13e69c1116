"""What the catalog tells of documents, their versions and chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select, tuple_

from contracts import Chunk, DocumentSummary, NotFoundError, VersionSummary
from ingestion.catalog.sql_rows import chunk_of, current_documents, document_of, readers_of, vectors_of
from ingestion.catalog.sql_schema import chunks, documents, identity, vectors, versions
from ingestion.catalog.sql_transactions import batches

_chunks = (
    select(func.count())
    .select_from(chunks)
    .where(chunks.c.document_id == versions.c.document_id, chunks.c.version == versions.c.version)
    .scalar_subquery()
    .label("chunks")
)
_kept = versions.alias()
_versions = (
    select(func.count()).select_from(_kept).where(_kept.c.document_id == documents.c.id).scalar_subquery()
).label("versions")


def no_document(collection: str, document_id: str) -> NotFoundError:
    """Return the error for a document that does not exist."""
    return NotFoundError(f"No document {document_id!r} in collection {collection!r}; `footnote documents` lists them.")


def read_identity(connection: Connection) -> str:
    """Return the random name of this catalog."""
    name: str = connection.execute(select(identity.c.name)).scalar_one()
    return name


def find_document(connection: Connection, collection: str, document_id: str) -> DocumentSummary | None:
    """Return the document, or None."""
    query = _summaries(collection).where(documents.c.id == document_id)
    return next(iter(_read(connection, query)), None)


def list_documents(
    connection: Connection, collection: str, limit: int, after: str, *, flagged: bool = False
) -> tuple[DocumentSummary, ...]:
    """Return documents, or only those with flagged chunks, ordered by source, then id, starting after the document with
    the id `after`."""
    query = _summaries(collection).order_by(documents.c.source, documents.c.id).limit(limit)
    if flagged:
        query = query.where(documents.c.flagged > 0)
    if after:
        last = select(documents.c.source, documents.c.id)
        row = connection.execute(
            last.where(documents.c.collection == collection, documents.c.id == after)
        ).one_or_none()
        if row is None:
            raise no_document(collection, after)
        query = query.where(tuple_(documents.c.source, documents.c.id) > tuple_(*row))
    return _read(connection, query)


def list_versions(connection: Connection, collection: str, document_id: str) -> tuple[VersionSummary, ...]:
    """Return the kept versions of a document, newest first. Raises NotFoundError."""
    current = (documents.c.version == versions.c.version).label("current")
    query = (
        select(versions, _chunks, current)
        .join(documents, documents.c.id == versions.c.document_id)
        .where(documents.c.collection == collection, documents.c.id == document_id)
        .order_by(current.desc(), versions.c.ingested_at.desc())
    )
    rows = connection.execute(query).all()
    if not rows:
        raise no_document(collection, document_id)
    return tuple(
        VersionSummary(
            row.version, row.title, row.size, row.chunks, row.ingested_at, bool(row.current), row._mapping["metadata"]
        )
        for row in rows
    )


def versions_of(connection: Connection, collection: str, ids: Sequence[str]) -> frozenset[str]:
    """Return every version, current or kept, of these documents."""
    found: set[str] = set()
    for some in batches(ids):
        query = select(versions.c.version).join(documents, documents.c.id == versions.c.document_id)
        query = query.where(documents.c.collection == collection, documents.c.id.in_(some))
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def list_chunks(connection: Connection, collection: str, document_id: str, version: str) -> tuple[Chunk, ...]:
    """Return the chunks of a version (default: the current one) in reading order. Raises NotFoundError."""
    wanted = versions.c.version == (version or documents.c.version)
    of_document = documents.c.collection == collection, documents.c.id == document_id
    there = select(versions.c.version).join(documents, documents.c.id == versions.c.document_id)
    found = connection.execute(there.where(*of_document, wanted)).scalar()
    if found is None:
        if version:
            raise NotFoundError(
                f"No version {version!r} of document {document_id!r} in collection {collection!r}; "
                "`footnote documents versions` lists them."
            )
        raise no_document(collection, document_id)
    query = select(chunks).where(chunks.c.document_id == document_id, chunks.c.version == found)
    return tuple(chunk_of(row) for row in connection.execute(query.order_by(chunks.c.position)).mappings())


def used_versions(connection: Connection, wanted: Sequence[str]) -> set[str]:
    """Return those of these versions that a document has, in any collection, current or kept."""
    found: set[str] = set()
    for some in batches(wanted):
        found.update(connection.execute(select(versions.c.version).where(versions.c.version.in_(some))).scalars())
    return found


def find_vectors(connection: Connection, hashes: Sequence[str], embedder: str) -> dict[str, NDArray[np.float32]]:
    """Return the vectors that are stored for these texts, by hash."""
    found: dict[str, NDArray[np.float32]] = {}
    for some in batches(hashes):
        query = select(vectors.c.text_hash, vectors.c.vector)
        query = query.where(vectors.c.embedder == embedder, vectors.c.text_hash.in_(some))
        if rows := connection.execute(query).all():
            found.update(zip((row[0] for row in rows), vectors_of([row[1] for row in rows]), strict=True))
    return found


def _summaries(collection: str) -> Select[Any]:
    return current_documents().add_columns(_versions).where(documents.c.collection == collection)


def _read(connection: Connection, query: Select[Any]) -> tuple[DocumentSummary, ...]:
    rows = connection.execute(query).mappings().all()
    readers = readers_of(connection, [row["id"] for row in rows])
    return tuple(
        DocumentSummary(
            document=document_of(row, readers.get(row["id"], ())),
            chunks=row["chunks"],
            generation=row["generation"],
            ingested_at=row["ingested_at"],
            versions=row["versions"],
            flagged=row["flagged"],
        )
        for row in rows
    )
