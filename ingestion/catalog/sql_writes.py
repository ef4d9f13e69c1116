"""The steps that writes to the catalog share: generations, changes and the states of sources."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, select, update

from contracts import NotFoundError, SourceState
from ingestion.catalog.sql_rows import state_row
from ingestion.catalog.sql_schema import changes, collections, source_states
from ingestion.catalog.sql_transactions import batches, upsert


def no_collection(name: str) -> NotFoundError:
    """Return the error for a collection that does not exist."""
    return NotFoundError(f"No collection {name!r}; `footnote collections` lists them.")


def count_up(connection: Connection, collection: str) -> tuple[int, str]:
    """Count a collection's generation up; return it and the embedder. Raises NotFoundError.

    The row stays locked until the transaction ends, so that generations become visible in order.
    """
    there = (collections.c.name == collection) & ~collections.c.deleted
    bump = update(collections).where(there).values(generation=collections.c.generation + 1)
    row = connection.execute(bump.returning(collections.c.generation, collections.c.embedder)).one_or_none()
    if row is None:
        raise no_collection(collection)
    return row.generation, row.embedder


def note_changes(connection: Connection, collection: str, generation: int, ids: Iterable[str]) -> None:
    """Note that documents changed or went away."""
    rows = [{"collection": collection, "document_id": each, "generation": generation} for each in ids]
    upsert(connection, changes, rows)


def store_states(connection: Connection, collection: str, states: Sequence[SourceState]) -> None:
    """Store states of sources."""
    now = time.time()
    upsert(connection, source_states, [state_row(collection, state, now) for state in states])


def remove_states(connection: Connection, collection: str, sources: Sequence[str]) -> None:
    """Remove states of sources."""
    here = source_states.c.collection == collection
    for some in batches(sources):
        connection.execute(delete(source_states).where(here, source_states.c.source.in_(some)))


def contained_in(connection: Connection, collection: str, sources: Sequence[str]) -> list[str]:
    """Return the sources inside these, and inside those."""
    here = source_states.c.collection == collection
    found: dict[str, None] = {}
    outer = list(sources)
    while outer:
        inner: list[str] = []
        for some in batches(outer):
            query = select(source_states.c.source).where(here, source_states.c.container.in_(some))
            inner += connection.execute(query).scalars()
        outer = [source for source in inner if source not in found]
        found.update(dict.fromkeys(outer))
    return list(found)
