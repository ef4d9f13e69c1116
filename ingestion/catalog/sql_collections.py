"""Collections and their settings on SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, exists, func, select, update

from contracts import PUBLIC, Collection, Cutting, may_read
from ingestion.catalog.sql_removals import sweep_embedder
from ingestion.catalog.sql_rows import collection_of, cutting_columns
from ingestion.catalog.sql_schema import collections, document_readers, documents, source_states
from ingestion.catalog.sql_transactions import fold_log, in_thread, reading, upsert, writing
from ingestion.catalog.sql_writes import count_up, no_collection, note_changes


class SqlCollections:
    """Port `Collections` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ensure(self, name: str, embedder: str, cutting: Cutting) -> Collection:
        """Return the collection, made with these settings if it does not exist. Nothing is counted."""
        found = await self.settings(name)
        if found is not None:
            return found

        def work() -> Collection:
            with writing(self._engine) as connection:
                _make(connection, name, embedder, cutting)
                return collection_of(connection.execute(_there(name)).mappings().one())

        return await in_thread(work)

    async def settings(self, name: str) -> Collection | None:
        """Return the collection, or None. Nothing is counted, so that this is fast at any size."""
        return next(iter(await self._read(_there(name))), None)

    async def find(self, name: str, scope: Sequence[str] | None = None) -> Collection | None:
        """Return the collection with its counts, or None. With a `scope`, only if one of these readers may see it, and
        only documents that one of them may read are counted."""
        found = await self.settings(name)
        if found is None or not _may_see(found, scope):
            return None
        return next(iter(await self._read(_with_counts(_there(name), scope))), None)

    async def list(self, scope: Sequence[str] | None = None) -> tuple[Collection, ...]:
        """Return every collection, by name, with its counts; `scope` as in `find`."""
        rows = await self._read(_with_counts(_there().order_by(collections.c.name), scope))
        return tuple(found for found in rows if _may_see(found, scope))

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

    async def share(self, name: str, readers: Sequence[str]) -> None:
        """Change who finds anything in the collection; this counts its generation up. Raises NotFoundError."""

        def work() -> None:
            with writing(self._engine) as connection:
                count_up(connection, name)
                change = update(collections).where(collections.c.name == name)
                connection.execute(change.values(readers=sorted(set(readers))))

        await in_thread(work)

    async def keep_answers(self, name: str, cached: bool) -> None:
        """Say whether answers from the collection are cached. Raises NotFoundError."""

        def work() -> None:
            there = (collections.c.name == name) & ~collections.c.deleted
            with writing(self._engine) as connection:
                change = update(collections).where(there).values(cached=cached)
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
    made = {"embedder": embedder, "next_embedder": "", "deleted": False, "readers": [PUBLIC], "cached": True}
    settings = {**made, **cutting_columns(cutting)}
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


def _there(name: str | None = None) -> Select[Any]:
    query = select(collections).where(~collections.c.deleted)
    return query if name is None else query.where(collections.c.name == name)


def _may_see(found: Collection, scope: Sequence[str] | None) -> bool:
    return scope is None or may_read(scope, found.readers)


def _with_counts(query: Select[Any], scope: Sequence[str] | None) -> Select[Any]:
    """Count the documents, chunks and failures of each of the collections."""
    here = documents.c.collection == collections.c.name
    if scope is not None:
        for_them = document_readers.c.document_id == documents.c.id, document_readers.c.reader.in_(scope)
        here &= exists().where(*for_them)
    failed = (source_states.c.collection == collections.c.name) & source_states.c.reason.is_not(None)
    return query.add_columns(
        select(func.count()).select_from(documents).where(here).scalar_subquery().label("documents"),
        select(func.coalesce(func.sum(documents.c.chunks), 0)).where(here).scalar_subquery().label("chunks"),
        select(func.count()).select_from(source_states).where(failed).scalar_subquery().label("failures"),
    )
