"""Vectors of another embedder on SQL, filled beside those that searches use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, exists, select, update

from contracts import Chunk, Document, InvalidInputError, Vectors
from ingestion.catalog.sql_removals import sweep_embedder, sweep_texts
from ingestion.catalog.sql_rows import chunk_of, documents_of, vector_rows
from ingestion.catalog.sql_schema import changes, chunks, collections, documents
from ingestion.catalog.sql_schema import vectors as vectors_table
from ingestion.catalog.sql_transactions import fold_log, in_thread, reading, upsert, writing
from ingestion.catalog.sql_writes import count_up, no_collection


class SqlBuilds:
    """Port `Builds` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def begin(self, collection: str, embedder: str) -> None:
        """Make `embedder` the collection's next one. One that was begun before is given up; with the embedder that
        searches use, that is all. Raises NotFoundError."""

        def work() -> None:
            with writing(self._engine) as connection:
                used, before = _embedders(connection, collection)
                following = "" if embedder == used else embedder
                _set(connection, collection, next_embedder=following)
                if before not in ("", following):
                    sweep_embedder(connection, before)

        await in_thread(work)

    async def missing(self, collection: str, embedder: str, limit: int) -> tuple[tuple[str, Document, Chunk], ...]:
        """Return up to `limit` current chunks that have no vector of this embedder yet, each with the hash under which
        its vector belongs; of chunks with the same text, one."""

        def work(connection: Connection) -> tuple[tuple[str, Document, Chunk], ...]:
            query = _without_vector(collection, embedder).order_by(chunks.c.key).limit(limit)
            rows = {row["text_hash"]: row for row in connection.execute(query).mappings()}
            owners = documents_of(connection, sorted({row["document_id"] for row in rows.values()}))
            return tuple((text_hash, owners[row["document_id"]], chunk_of(row)) for text_hash, row in rows.items())

        return await in_thread(lambda: reading(self._engine, work))

    async def add(self, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
        """Store vectors of texts, by the hash of the text; for texts that went meanwhile nothing is kept."""

        def work() -> None:
            with writing(self._engine) as connection:
                upsert(connection, vectors_table, vector_rows(embedder, hashes, vectors), keep=True)
                sweep_texts(connection, set(hashes))

        await in_thread(work)

    async def switch(self, collection: str, embedder: str) -> bool:
        """Let searches use the next embedder and remove the vectors of the one before; False, and nothing changed,
        when chunks have come that lack a vector. Raises NotFoundError, and InvalidInputError when `embedder` is not
        the next one."""

        def work() -> bool:
            with writing(self._engine) as connection:
                used, following = _embedders(connection, collection)
                if embedder == used:
                    return True
                if embedder != following:
                    raise InvalidInputError(f"No vectors of {embedder!r} are being made for collection {collection!r}.")
                if connection.execute(_without_vector(collection, embedder).limit(1)).first() is not None:
                    return False
                generation, _ = count_up(connection, collection)
                # Whatever a view has seen so far came of other vectors.
                everything = update(changes).where(changes.c.collection == collection)
                connection.execute(everything.values(generation=generation))
                _set(connection, collection, embedder=embedder, next_embedder="")
                sweep_embedder(connection, used)
            fold_log(self._engine)
            return True

        return await in_thread(work)


def _embedders(connection: Connection, collection: str) -> tuple[str, str]:
    """Return the collection's embedder and the next one. Raises NotFoundError."""
    query = select(collections.c.embedder, collections.c.next_embedder)
    row = connection.execute(query.where(collections.c.name == collection, ~collections.c.deleted)).one_or_none()
    if row is None:
        raise no_collection(collection)
    return row.embedder, row.next_embedder


def _set(connection: Connection, collection: str, **columns: str) -> None:
    connection.execute(update(collections).where(collections.c.name == collection).values(columns))


def _without_vector(collection: str, embedder: str) -> Select[Any]:
    current = (chunks.c.document_id == documents.c.id) & (chunks.c.version == documents.c.version)
    known = exists().where(vectors_table.c.text_hash == chunks.c.text_hash, vectors_table.c.embedder == embedder)
    return select(chunks).join(documents, current).where(documents.c.collection == collection, ~known)
