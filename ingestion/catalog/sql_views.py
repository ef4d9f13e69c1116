"""What index views and searches read of the catalog: its changes, its vectors, and the passages behind their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, Row, Select, bindparam, case, select

from contracts import (
    Change,
    Chunk,
    Document,
    Filter,
    NotFoundError,
    Readable,
    StoredText,
    StoredTexts,
    StoredVectors,
    may_read,
)
from ingestion.catalog.filters import check
from ingestion.catalog.sql_hydration import passages_of
from ingestion.catalog.sql_matching import MatchedDocuments
from ingestion.catalog.sql_rows import chunk_of, readers_of, vectors_of
from ingestion.catalog.sql_schema import changes, chunks, collections, documents, vectors, versions
from ingestion.catalog.sql_transactions import batches, in_thread, reading

_generation = select(collections.c.generation).where(collections.c.name == bindparam("name"))


class SqlChangeFeed:
    """Port `ChangeFeed` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change, 0 before the first."""

        def work(connection: Connection) -> int:
            return connection.execute(_generation, {"name": collection}).scalar() or 0

        return await in_thread(lambda: reading(self._engine, work))

    async def changes(self, collection: str, since: int) -> tuple[Change, ...]:
        """Return the documents that changed after generation `since`, each once, by its last change."""

        def work(connection: Connection) -> tuple[Change, ...]:
            query = select(changes.c.generation, changes.c.document_id)
            query = query.where(changes.c.collection == collection, changes.c.generation > since)
            rows = connection.execute(query.order_by(changes.c.generation, changes.c.document_id))
            return tuple(Change(*row) for row in rows)

        return await in_thread(lambda: reading(self._engine, work))

    async def vectors(self, document_ids: Sequence[str], embedder: str) -> Mapping[str, StoredVectors]:
        """Return the vectors of the documents' current versions made by `embedder`; a deleted document is missing."""

        def work(connection: Connection) -> Mapping[str, StoredVectors]:
            found: dict[str, StoredVectors] = {}
            for some in batches(document_ids):
                rows = connection.execute(_vectors(some, embedder)).all()
                readers = readers_of(connection, some)
                for document_id, mine in groupby(rows, key=_document_id):
                    found[document_id] = _stored_vectors(list(mine), readers.get(document_id, ()))
            return found

        return await in_thread(lambda: reading(self._engine, work))

    async def texts(self, document_ids: Sequence[str]) -> Mapping[str, StoredTexts]:
        """Return the texts of the documents' current versions; a deleted document is missing."""

        def work(connection: Connection) -> Mapping[str, StoredTexts]:
            found: dict[str, StoredTexts] = {}
            for some in batches(document_ids):
                rows = connection.execute(_texts(some)).all()
                readers = readers_of(connection, some)
                for document_id, mine in groupby(rows, key=_document_id):
                    found[document_id] = _stored_texts(list(mine), readers.get(document_id, ()))
            return found

        return await in_thread(lambda: reading(self._engine, work))


class SqlPassages:
    """Port `Passages` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._matched = MatchedDocuments()

    async def readable(self, collection: str, scope: Sequence[str]) -> Readable:
        """Return the collection's state. Raises NotFoundError, in the same words, when it does not exist, never had a
        document, or may not be searched by any reader in `scope`."""

        def work(connection: Connection) -> Readable:
            row = connection.execute(_state, {"name": collection}).one_or_none()
            if row is None or not may_read(scope, row.readers):
                raise NotFoundError(
                    f"Collection {collection!r} holds no documents yet, or does not exist. Add some: "
                    "`footnote ingest PATH`, or upload."
                )
            return Readable(row.generation, row.embedder, row.cached)

        return await in_thread(lambda: reading(self._engine, work))

    async def matching(self, collection: str, filters: Sequence[Filter]) -> frozenset[str] | None:
        """Return the ids of the documents that match all filters, whoever may read them; None without filters. Raises
        InvalidInputError."""
        if not filters:
            return None
        for each in filters:
            check(each)
        wanted = tuple(sorted(set(filters), key=repr))
        return await in_thread(
            lambda: reading(self._engine, lambda connection: self._matched.find(connection, collection, wanted))
        )

    async def hydrate(self, keys: Sequence[int]) -> Mapping[int, tuple[Chunk, Document]]:
        """Return chunk and document by key; keys of chunks that are deleted or not of a current version are missing."""

        def work(connection: Connection) -> Mapping[int, tuple[Chunk, Document]]:
            found: dict[int, tuple[Chunk, Document]] = {}
            for some in batches([int(key) for key in keys]):
                found.update(passages_of(connection, some))
            return found

        return await in_thread(lambda: reading(self._engine, work))

    async def neighbours(self, chunk: Chunk, reach: int) -> tuple[Chunk, ...]:
        """Return the chunks of the same document version whose position is at most `reach` from the chunk's, in
        reading order, itself among them; none when the version is gone."""
        version = chunks.c.document_id == chunk.document_id, chunks.c.version == chunk.version
        near = chunks.c.position.between(chunk.position - reach, chunk.position + reach)
        query = select(chunks).where(*version, near).order_by(chunks.c.position)

        def work(connection: Connection) -> tuple[Chunk, ...]:
            return tuple(map(chunk_of, connection.execute(query).mappings()))

        return await in_thread(lambda: reading(self._engine, work))


_current = (documents.c.id == chunks.c.document_id) & (documents.c.version == chunks.c.version)
_state = select(collections.c.generation, collections.c.embedder, collections.c.readers, collections.c.cached).where(
    collections.c.name == bindparam("name"), ~collections.c.deleted, collections.c.generation > 0
)
_document_id = attrgetter("document_id")


def _vectors(ids: Sequence[str], embedder: str) -> Select[Any]:
    return (
        select(chunks.c.document_id, chunks.c.key, vectors.c.vector)
        .join(documents, _current)
        .join(vectors, (vectors.c.text_hash == chunks.c.text_hash) & (vectors.c.embedder == embedder))
        .where(documents.c.id.in_(ids))
        .order_by(chunks.c.document_id, chunks.c.key)
    )


def _stored_vectors(rows: Sequence[Row[Any]], readers: tuple[str, ...]) -> StoredVectors:
    keys = np.array([row.key for row in rows], dtype=np.int64)
    return StoredVectors(keys, vectors_of([row.vector for row in rows]), readers)


def _texts(ids: Sequence[str]) -> Select[Any]:
    stands_for_it = case((chunks.c.focus != "", chunks.c.focus), else_=chunks.c.text).label("text")
    return (
        select(chunks.c.document_id, chunks.c.key, versions.c.title, chunks.c.headings, stands_for_it)
        .join(documents, _current)
        .join(versions, (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.version))
        .where(documents.c.id.in_(ids))
        .order_by(chunks.c.document_id, chunks.c.key)
    )


def _stored_texts(rows: Sequence[Row[Any]], readers: tuple[str, ...]) -> StoredTexts:
    title = rows[0].title
    texts = (
        StoredText(row.key, tuple(heading for heading in row.headings if heading != title), row.text) for row in rows
    )
    return StoredTexts(title, tuple(texts), readers)
