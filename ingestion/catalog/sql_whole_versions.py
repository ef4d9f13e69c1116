"""Reads a version of a document whole, as it was put: with its chunks, their vectors and the state of its source."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from contracts import EmbeddedVersion, NotFoundError
from ingestion.catalog.sql_reads import find_vectors
from ingestion.catalog.sql_rows import chunk_of, document_of, readers_of, state_of
from ingestion.catalog.sql_schema import chunks, documents, source_states, versions


def read_version(
    connection: Connection, collection: str, document_id: str, version: str, embedder: str
) -> EmbeddedVersion:
    """Return a kept version whole. Raises NotFoundError, also when `embedder` has not made all its vectors."""
    row = _row(connection, collection, document_id, version)
    query = select(chunks).where(chunks.c.document_id == document_id, chunks.c.version == version)
    rows = connection.execute(query.order_by(chunks.c.position)).mappings().all()
    hashes = tuple(each["text_hash"] for each in rows)
    vectors = find_vectors(connection, hashes, embedder)
    if missing := set(hashes) - set(vectors):
        raise NotFoundError(f"{len(missing)} passages of {row['source']!r} were not embedded with {embedder!r}.")
    return EmbeddedVersion(
        document=document_of(row, readers_of(connection, [document_id]).get(document_id, ())),
        chunks=tuple(map(chunk_of, rows)),
        hashes=hashes,
        vectors=np.stack([vectors[each] for each in hashes]),
        state=state_of(row),
    )


def _row(connection: Connection, collection: str, document_id: str, version: str) -> Any:
    """Return the document's id and place with what the version and the state of its source say."""
    query = (
        select(documents.c.id, documents.c.source, versions, source_states)
        .join(versions, versions.c.document_id == documents.c.id)
        .join(
            source_states,
            (source_states.c.collection == documents.c.collection) & (source_states.c.source == documents.c.source),
        )
        .where(documents.c.collection == collection, documents.c.id == document_id, versions.c.version == version)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"No version {version!r} of document {document_id!r} in collection {collection!r}.")
    return row
