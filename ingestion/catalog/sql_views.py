"""What index views and searches read of the catalog: its changes, its vectors, and the passages behind their keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, Row, RowMapping, Select, select

from contracts import Change, Chunk, Document, InvalidInputError, StoredVectors
from ingestion.catalog.sql_rows import chunk_of, documents_of, vectors_of
from ingestion.catalog.sql_schema import changes, chunks, collections, document_readers, documents, vectors, versions
from ingestion.catalog.sql_transactions import batches, in_thread, reading
from ingestion.catalog.sql_writes import no_collection

_REMEMBERED_SCOPES = 256


class SqlChangeFeed:
    """Port `ChangeFeed` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change, 0 before the first."""

        def work(connection: Connection) -> int:
            query = select(collections.c.generation).where(collections.c.name == collection)
            return connection.execute(query).scalar() or 0

        return await in_thread(lambda: reading(self._engine, work))

    async def changes(self, collection: str, since: int) -> tuple[Change, ...]:
        """Return the documents that changed after generation `since`, each once, by its last change."""

        def work(connection: Connection) -> tuple[Change, ...]:
            query = select(changes.c.generation, changes.c.document_id)
            query = query.where(changes.c.collection == collection, changes.c.generation > since)
            rows = connection.execute(query.order_by(changes.c.generation, changes.c.document_id))
            return tuple(Change(*row) for row in rows)

        return await in_thread(lambda: reading(self._engine, work))

    async def embedder(self, collection: str) -> str:
        """Return the name of the embedder whose vectors searches of the collection use. Raises NotFoundError."""

        def work(connection: Connection) -> str:
            query = select(collections.c.embedder).where(collections.c.name == collection, ~collections.c.deleted)
            name: str | None = connection.execute(query).scalar()
            if name is None:
                raise no_collection(collection)
            return name

        return await in_thread(lambda: reading(self._engine, work))

    async def vectors(self, document_ids: Sequence[str], embedder: str) -> Mapping[str, StoredVectors]:
        """Return the vectors of the documents' current versions made by `embedder`; a deleted document is missing."""

        def work(connection: Connection) -> Mapping[str, StoredVectors]:
            found: dict[str, StoredVectors] = {}
            for some in batches(document_ids):
                rows = connection.execute(_vectors(some, embedder)).all()
                found.update(_by_document(rows))
            return found

        return await in_thread(lambda: reading(self._engine, work))


class SqlPassages:
    """Port `Passages` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._visible: OrderedDict[object, frozenset[str] | None] = OrderedDict()

    async def visible(self, collection: str, scope: Sequence[str], filters: Mapping[str, str]) -> frozenset[str] | None:
        """Return the ids of the documents that `scope` may read and that match `filters`; None stands for all.

        A filter names `id`, `source`, `title`, `media_type` or a key of the document's metadata.
        """

        def work(connection: Connection) -> frozenset[str] | None:
            of_collection = select(collections.c.generation).where(collections.c.name == collection)
            generation = connection.execute(of_collection).scalar() or 0
            key = (collection, generation, tuple(scope), tuple(sorted(filters.items())))
            if key not in self._visible:
                self._visible[key] = _visible(connection, collection, scope, filters)
            found = self._visible[key]
            if len(self._visible) > _REMEMBERED_SCOPES:
                self._visible.popitem(last=False)
            return found

        return await in_thread(lambda: reading(self._engine, work))

    async def hydrate(self, keys: Sequence[int]) -> Mapping[int, tuple[Chunk, Document]]:
        """Return chunk and document by key; keys of chunks that are deleted or not of a current version are missing."""

        def work(connection: Connection) -> Mapping[int, tuple[Chunk, Document]]:
            rows: list[RowMapping] = []
            for some in batches(keys):
                rows += connection.execute(select(chunks).where(chunks.c.key.in_(some))).mappings()
            owners = documents_of(connection, sorted({row["document_id"] for row in rows}))
            return {
                row["key"]: (chunk_of(row), owner)
                for row in rows
                if (owner := owners.get(row["document_id"])) is not None and owner.version == row["version"]
            }

        return await in_thread(lambda: reading(self._engine, work))


def _vectors(ids: Sequence[str], embedder: str) -> Select[Any]:
    return (
        select(chunks.c.document_id, chunks.c.key, vectors.c.vector)
        .join(documents, (documents.c.id == chunks.c.document_id) & (documents.c.version == chunks.c.version))
        .join(vectors, (vectors.c.text_hash == chunks.c.text_hash) & (vectors.c.embedder == embedder))
        .where(documents.c.id.in_(ids))
        .order_by(chunks.c.document_id, chunks.c.key)
    )


def _by_document(rows: Sequence[Row[Any]]) -> Iterator[tuple[str, StoredVectors]]:
    for document_id, group in groupby(rows, key=lambda row: row.document_id):
        mine = list(group)
        keys = np.array([row.key for row in mine], dtype=np.int64)
        yield document_id, StoredVectors(keys, vectors_of([row.vector for row in mine]))


def _visible(
    connection: Connection, collection: str, scope: Sequence[str], filters: Mapping[str, str]
) -> frozenset[str] | None:
    here = documents.c.collection == collection
    may_read = documents.c.id.in_(select(document_readers.c.document_id).where(document_readers.c.reader.in_(scope)))
    if not filters and connection.execute(select(documents.c.id).where(here, ~may_read).limit(1)).first() is None:
        return None
    current = (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.version)
    wanted = [_filter(name, value) for name, value in filters.items()]
    query = select(documents.c.id).join(versions, current).where(here, may_read, *wanted)
    return frozenset(connection.execute(query).scalars())


def _filter(name: str, value: str) -> ColumnElement[bool]:
    if name in ("id", "source"):
        return documents.c[name] == value
    if name in ("title", "media_type"):
        return versions.c[name] == value
    if not name.isidentifier():
        raise InvalidInputError(f"Unknown filter {name!r}: name a document field or a metadata key.")
    matches: ColumnElement[bool] = versions.c.metadata[name].as_string() == value
    return matches
