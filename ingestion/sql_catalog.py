"""The catalog on SQL: each document version with its chunks, vectors and generation is one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from contracts import Chunk, CollectionSummary, Document, DocumentSummary, NotFoundError, Vectors
from ingestion.sql_rows import chunk_of, chunk_row, document_of, in_thread, readers_of
from ingestion.sql_schema import changes, chunks, collections, document_readers, documents, identity, vectors


class SqlCatalog:
    """Port `Catalog` on an SQLAlchemy engine (SQLite or PostgreSQL)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def put(self, document: Document, chunks: Sequence[Chunk], vectors: Vectors, embedder: str) -> int:
        """Store a document version with its chunks and vectors, replacing the version before; return the generation."""
        if len(chunks) != len(vectors):
            raise ValueError(f"{len(chunks)} chunks but {len(vectors)} vectors")

        def work() -> int:
            with self._engine.begin() as connection:
                generation = _next_generation(connection, document.collection, document.id)
                connection.execute(delete(documents).where(documents.c.id == document.id))
                _insert_document(connection, document, embedder, generation)
                _insert_chunks(connection, chunks, vectors, embedder)
                return generation

        return await in_thread(work)

    async def delete(self, collection: str, document_id: str) -> int:
        """Remove a document with its chunks and vectors; return the generation. Raises NotFoundError."""

        def work() -> int:
            with self._engine.begin() as connection:
                found = connection.execute(
                    delete(documents).where(documents.c.id == document_id, documents.c.collection == collection)
                )
                if found.rowcount == 0:
                    raise _no_document(collection, document_id)
                return _next_generation(connection, collection, document_id)

        return await in_thread(work)

    async def find(self, collection: str, document_id: str) -> DocumentSummary | None:
        """Return the document, or None."""

        def work() -> DocumentSummary | None:
            with self._engine.connect() as connection:
                query = _summaries().where(documents.c.collection == collection, documents.c.id == document_id)
                row = connection.execute(query).one_or_none()
                return _summary(connection, [row])[0] if row else None

        return await in_thread(work)

    async def uses(self, version: str) -> bool:
        """Return whether any document, in any collection, is in this version."""

        def work() -> bool:
            with self._engine.connect() as connection:
                query = select(documents.c.id).where(documents.c.version == version).limit(1)
                return connection.execute(query).first() is not None

        return await in_thread(work)

    async def list(self, collection: str, *, limit: int = 100, after: str = "") -> tuple[DocumentSummary, ...]:
        """Return documents ordered by source, then id, starting after the document with the id `after`."""

        def work() -> tuple[DocumentSummary, ...]:
            query = _summaries().where(documents.c.collection == collection)
            query = query.order_by(documents.c.source, documents.c.id).limit(limit)
            if after:
                last = select(documents.c.source, documents.c.id).where(documents.c.id == after).subquery()
                here = tuple_(documents.c.source, documents.c.id)
                query = query.where(here > select(last.c.source, last.c.id).scalar_subquery())
            with self._engine.connect() as connection:
                return _summary(connection, connection.execute(query).all())

        return await in_thread(work)

    async def chunks(self, collection: str, document_id: str) -> tuple[Chunk, ...]:
        """Return a document's chunks in reading order. Raises NotFoundError."""

        def work() -> tuple[Chunk, ...]:
            query = (
                select(chunks)
                .join(documents, documents.c.id == chunks.c.document_id)
                .where(documents.c.collection == collection, documents.c.id == document_id)
                .order_by(chunks.c.position)
            )
            with self._engine.connect() as connection:
                return tuple(chunk_of(row) for row in connection.execute(query).mappings())

        found = await in_thread(work)
        if not found:
            raise _no_document(collection, document_id)
        return found

    async def collections(self) -> tuple[CollectionSummary, ...]:
        """Return every collection that holds or held documents, by name."""

        def work() -> tuple[CollectionSummary, ...]:
            query = (
                select(
                    collections.c.name,
                    func.count(func.distinct(documents.c.id)),
                    func.count(chunks.c.key),
                    collections.c.generation,
                )
                .outerjoin(documents, documents.c.collection == collections.c.name)
                .outerjoin(chunks, chunks.c.document_id == documents.c.id)
                .group_by(collections.c.name, collections.c.generation)
                .order_by(collections.c.name)
            )
            with self._engine.connect() as connection:
                return tuple(CollectionSummary(*row) for row in connection.execute(query))

        return await in_thread(work)


def read_identity(engine: Engine) -> str:
    """Return the random name of this catalog."""
    with engine.connect() as connection:
        name: str = connection.execute(select(identity.c.name)).scalar_one()
        return name


def _no_document(collection: str, document_id: str) -> NotFoundError:
    return NotFoundError(f"No document {document_id!r} in collection {collection!r}; `footnote documents` lists them.")


def _next_generation(connection: Connection, collection: str, document_id: str) -> int:
    """Count the collection's generation up and note the change. The row stays locked until the transaction ends, so
    generations become visible in order."""
    upsert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    bump = upsert(collections).values(name=collection, generation=1)
    bump = bump.on_conflict_do_update(
        index_elements=[collections.c.name], set_={"generation": collections.c.generation + 1}
    )
    generation: int = connection.execute(bump.returning(collections.c.generation)).scalar_one()
    connection.execute(insert(changes).values(collection=collection, generation=generation, document_id=document_id))
    return generation


def _insert_document(connection: Connection, document: Document, embedder: str, generation: int) -> None:
    connection.execute(
        insert(documents).values(
            id=document.id,
            collection=document.collection,
            source=document.source,
            version=document.version,
            title=document.title,
            media_type=document.media_type,
            size=document.size,
            metadata=dict(document.metadata),
            embedder=embedder,
            generation=generation,
            ingested_at=time.time(),
        )
    )
    connection.execute(
        insert(document_readers), [{"document_id": document.id, "reader": r} for r in sorted(set(document.readers))]
    )


def _insert_chunks(connection: Connection, new: Sequence[Chunk], array: Vectors, embedder: str) -> None:
    keys = connection.execute(
        insert(chunks).returning(chunks.c.key, sort_by_parameter_order=True), [chunk_row(chunk) for chunk in new]
    ).scalars()
    rows = [
        {"chunk_key": key, "embedder": embedder, "vector": np.ascontiguousarray(vector, dtype="<f4").tobytes()}
        for key, vector in zip(keys, array, strict=True)
    ]
    connection.execute(insert(vectors), rows)


_chunk_count = select(func.count()).select_from(chunks).where(chunks.c.document_id == documents.c.id).scalar_subquery()


def _summaries() -> Select[Any]:
    return select(documents, _chunk_count.label("chunk_count"))


def _summary(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[DocumentSummary, ...]:
    readers = readers_of(connection, [row.id for row in rows])
    return tuple(
        DocumentSummary(
            document=document_of(row._mapping, readers.get(row.id, ())),
            embedder=row.embedder,
            chunks=row.chunk_count,
            generation=row.generation,
            ingested_at=row.ingested_at,
        )
        for row in rows
    )
