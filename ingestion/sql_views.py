"""What index views and searches read of the catalog: its changes, its vectors, and the passages behind their keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import ColumnElement, Engine, func, select

from contracts import Change, Chunk, Document, InvalidInputError, StoredVectors
from ingestion.sql_rows import chunk_of, document_of, in_thread, readers_of
from ingestion.sql_schema import changes, chunks, collections, document_readers, documents, vectors

_REMEMBERED_SCOPES = 256


class SqlChangeFeed:
    """Port `ChangeFeed` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def generation(self, collection: str) -> int:
        """Return the generation of the collection's last change, 0 before the first."""

        def work() -> int:
            query = select(collections.c.generation).where(collections.c.name == collection)
            with self._engine.connect() as connection:
                return connection.execute(query).scalar() or 0

        return await in_thread(work)

    async def changes(self, collection: str, since: int) -> tuple[Change, ...]:
        """Return the documents that changed after generation `since`, each once, by its last change."""

        def work() -> tuple[Change, ...]:
            last = func.max(changes.c.generation)
            query = (
                select(last, changes.c.document_id)
                .where(changes.c.collection == collection, changes.c.generation > since)
                .group_by(changes.c.document_id)
                .order_by(last)
            )
            with self._engine.connect() as connection:
                return tuple(Change(*row) for row in connection.execute(query))

        return await in_thread(work)

    async def embedders(self, collection: str) -> frozenset[str]:
        """Return the names of the embedders that made the vectors of the collection's documents."""

        def work() -> frozenset[str]:
            query = select(documents.c.embedder).where(documents.c.collection == collection).distinct()
            with self._engine.connect() as connection:
                return frozenset(connection.execute(query).scalars())

        return await in_thread(work)

    async def vectors(self, document_id: str, embedder: str) -> StoredVectors:
        """Return the document's current vectors made by `embedder`; none if it was deleted."""

        def work() -> StoredVectors:
            query = (
                select(vectors.c.chunk_key, vectors.c.vector)
                .join(chunks, chunks.c.key == vectors.c.chunk_key)
                .where(chunks.c.document_id == document_id, vectors.c.embedder == embedder)
                .order_by(vectors.c.chunk_key)
            )
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
            keys = np.array([key for key, _ in rows], dtype=np.int64)
            if not rows:
                return StoredVectors(keys, np.empty((0, 0), dtype=np.float32))
            return StoredVectors(keys, np.stack([np.frombuffer(raw, dtype="<f4") for _, raw in rows]))

        return await in_thread(work)


class SqlPassages:
    """Port `Passages` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._visible: OrderedDict[object, frozenset[str] | None] = OrderedDict()

    async def visible(self, collection: str, scope: Sequence[str], filters: Mapping[str, str]) -> frozenset[str] | None:
        """Return the ids of the documents that `scope` may read and that match `filters`; None stands for all.

        A filter names `id`, `source`, `title`, `media_type` or a key of the document's metadata.
        """

        def work() -> frozenset[str] | None:
            with self._engine.connect() as connection:
                of_collection = select(collections.c.generation).where(collections.c.name == collection)
                generation = connection.execute(of_collection).scalar() or 0
                key = (collection, generation, tuple(scope), tuple(sorted(filters.items())))
                if key in self._visible:
                    return self._visible[key]
                may_read = documents.c.id.in_(
                    select(document_readers.c.document_id).where(document_readers.c.reader.in_(scope))
                )
                here = documents.c.collection == collection
                hidden = select(documents.c.id).where(here, ~may_read).limit(1)
                if not filters and connection.execute(hidden).first() is None:
                    found = None
                else:
                    wanted = [_filter(name, value) for name, value in filters.items()]
                    found = frozenset(
                        connection.execute(select(documents.c.id).where(here, may_read, *wanted)).scalars()
                    )
            self._visible[key] = found
            if len(self._visible) > _REMEMBERED_SCOPES:
                self._visible.popitem(last=False)
            return found

        return await in_thread(work)

    async def hydrate(self, keys: Sequence[int]) -> Mapping[int, tuple[Chunk, Document]]:
        """Return chunk and document by key; keys of deleted chunks are missing."""

        def work() -> Mapping[int, tuple[Chunk, Document]]:
            with self._engine.connect() as connection:
                rows = connection.execute(select(chunks).where(chunks.c.key.in_(keys))).mappings().all()
                ids = {row["document_id"] for row in rows}
                readers = readers_of(connection, list(ids))
                owners = {
                    row["id"]: document_of(row, readers.get(row["id"], ()))
                    for row in connection.execute(select(documents).where(documents.c.id.in_(ids))).mappings()
                }
            return {
                row["key"]: (chunk_of(row), owners[row["document_id"]]) for row in rows if row["document_id"] in owners
            }

        return await in_thread(work)


def _filter(name: str, value: str) -> ColumnElement[bool]:
    if name in ("id", "source", "title", "media_type"):
        return documents.c[name] == value
    if not name.isidentifier():
        raise InvalidInputError(f"Unknown filter {name!r}: name a document field or a metadata key.")
    matches: ColumnElement[bool] = documents.c.metadata[name].as_string() == value
    return matches
