"""The file list of a collection on SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Engine, select

from contracts import SourceState
from ingestion.catalog.sql_rows import state_of
from ingestion.catalog.sql_schema import collections, source_states
from ingestion.catalog.sql_transactions import in_thread, reading, writing
from ingestion.catalog.sql_writes import no_collection, remove_states, store_states


class SqlSourceStates:
    """Port `SourceStates` on the catalog's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def states(self, collection: str, under: str = "") -> Mapping[str, SourceState]:
        """Return the states of the sources that start with `under`, by source."""

        def work(connection: Connection) -> Mapping[str, SourceState]:
            query = select(source_states).where(
                source_states.c.collection == collection, _starts_with(connection, under)
            )
            rows = connection.execute(query.order_by(source_states.c.source)).mappings()
            return {row["source"]: state_of(row) for row in rows}

        return await in_thread(lambda: reading(self._engine, work))

    async def record(self, collection: str, states: Sequence[SourceState]) -> None:
        """Store states of sources that made no document: failures, archives. A document that is there stays. Raises
        NotFoundError."""

        def work() -> None:
            there = select(collections.c.name).where(collections.c.name == collection, ~collections.c.deleted)
            with writing(self._engine) as connection:
                if connection.execute(there).first() is None:
                    raise no_collection(collection)
                store_states(connection, collection, states)

        await in_thread(work)

    async def forget(self, collection: str, sources: Sequence[str]) -> None:
        """Remove states."""

        def work() -> None:
            with writing(self._engine) as connection:
                remove_states(connection, collection, sources)

        await in_thread(work)


def _starts_with(connection: Connection, under: str) -> ColumnElement[bool]:
    """LIKE would take upper and lower case for the same in SQLite; there, texts are in the order of code points."""
    if connection.dialect.name == "sqlite":
        return source_states.c.source.between(under, under + "\U0010ffff")
    return source_states.c.source.startswith(under, autoescape=True)
