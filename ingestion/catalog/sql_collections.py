"""Collections and their settings on SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, func, select, update

from contracts import Collection, Cutting
from ingestion.catalog.sql_removals import sweep_embedder
from ingestion.catalog.sql_rows import collection_of, cutting_columns
from ingestion.catalog.sql_schema import chunks, collections, documents, source_states
from ingestion.catalog.sql_transactions import fold_log, in_thread, reading, upsert, writing
from ingestion.catalog.sql_writes import count_up, no_collection, note_changes


class SqlCollections:
    """Port `Collections` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ensure(self, name: str, embedder: str, cutting: Cutting) -> Collection:
        """Return the collection, made with these settings if it does not exist."""
        found = await self.find(name)
        if found is not None:
            return found

        def work() -> Collection:
            with writing(self._engine) as connection:
                _make(connection, name, embedder, cutting)
                return collection_of(connection.execute(_with_counts(name)).mappings().one())

        return await in_thread(work)

    async def find(self, name: str) -> Collection | None:
        """Return the collection, or None."""
        rows = await self._read(_with_counts(name))
        return rows[0] if rows else None

    async def list(self) -> tuple[Collection, ...]:
        """Return every collection, by name."""
        return await self._read(_with_counts().order_by(collections.c.name))

    async def recut(self, name: str, cutting: Cutting) -> None:
        """Change how documents are cut from now on; those that are there change when they are next synced. Raises
        NotFoundError."""

        def work() -> None:
            there = (collections.c.name == name) & ~collections.c.deleted
            with writing(self._engine) as connection:
                change = update(collections).where(there).values(cutting_columns(cutting))
                if connection.execute(change).rowcount == 0:
                    raise no_collection(name)

        await in_thread(work)

    async def delete(self, name: str) -> None:
        """Remove the collection with all that it holds. Raises NotFoundError."""

        def work() -> None:
            with writing(self._engine) as connection:
                _remove(connection, name)
            fold_log(self._engine)

        await in_thread(work)

    async def _read(self, query: Select[Any]) -> tuple[Collection, ...]:
        def work(connection: Connection) -> tuple[Collection, ...]:
            return tuple(map(collection_of, connection.execute(query).mappings()))

        return await in_thread(lambda: reading(self._engine, work))


def _make(connection: Connection, name: str, embedder: str, cutting: Cutting) -> None:
    settings = {"embedder": embedder, "next_embedder": "", "deleted": False, **cutting_columns(cutting)}
    upsert(connection, collections, [{"name": name, "generation": 0, **settings, "deleted": True}], keep=True)
    gone = (collections.c.name == name) & collections.c.deleted
    connection.execute(update(collections).where(gone).values(settings))


def _remove(connection: Connection, name: str) -> None:
    generation, _ = count_up(connection, name)
    here = documents.c.collection == name
    ids = connection.execute(select(documents.c.id).where(here)).scalars().all()
    note_changes(connection, name, generation, ids)
    connection.execute(delete(documents).where(here))
    connection.execute(delete(source_states).where(source_states.c.collection == name))
    row = connection.execute(select(collections).where(collections.c.name == name)).one()
    blank = {"embedder": "", "next_embedder": "", "deleted": True}
    connection.execute(update(collections).where(collections.c.name == name).values(blank))
    for embedder in {row.embedder, row.next_embedder} - {""}:
        sweep_embedder(connection, embedder)


def _with_counts(name: str | None = None) -> Select[Any]:
    here = documents.c.collection == collections.c.name
    current = (chunks.c.document_id == documents.c.id) & (chunks.c.version == documents.c.version)
    failed = (source_states.c.collection == collections.c.name) & source_states.c.reason.is_not(None)
    query = select(
        collections,
        select(func.count()).select_from(documents).where(here).scalar_subquery().label("documents"),
        select(func.count()).select_from(documents.join(chunks, current)).where(here).scalar_subquery().label("chunks"),
        select(func.count()).select_from(source_states).where(failed).scalar_subquery().label("failures"),
    ).where(~collections.c.deleted)
    return query if name is None else query.where(collections.c.name == name)
