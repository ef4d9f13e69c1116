"""How the catalog's database is written to: in a thread, one writer at a time, and what was deleted leaves the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from contracts import StoreUnavailableError

T = TypeVar("T")
Row = dict[str, Any]

_IN_ONE_STATEMENT = 500
_WRITER = 0x466F6F746E  # any number, the same in every process
_CHECKPOINT_PATIENCE_MS = 1000
_PATIENCE_MS = 30_000
_ADVICE = {
    "disk is full": "Free some disk space",
    "No space left": "Free some disk space",
    "readonly": "Make the file and its folder writable",
    "read-only": "Make the file and its folder writable",
    "locked": "Another process keeps the database busy: end it, or try again",
}


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread; a database that fails becomes StoreUnavailableError, one that refuses what it is given
    does not: that would be refused again."""
    try:
        return await asyncio.to_thread(work)
    except (DataError, IntegrityError):
        raise
    except SQLAlchemyError as exc:
        reason = str(getattr(exc, "orig", None) or exc)
        advice = next((hint for sign, hint in _ADVICE.items() if sign in reason), "Check the disk and its permissions")
        raise StoreUnavailableError(
            f"The catalog database failed: {reason}. {advice}; FOOTNOTE_CATALOG__URL says which database it is."
        ) from exc


def reading(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` on one view of the database: who may read a document and what it holds are of the same moment."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        return work(connection)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes. There is one at a time in the whole catalog, since vectors are shared by all
    collections: whether one is still needed must not change while that is being found out."""
    with engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITER})
        yield connection


def upsert(connection: Connection, table: Table, rows: Sequence[Row], *, keep: bool = False) -> None:
    """Insert rows; one whose primary key is there replaces what is there, or with `keep` changes nothing."""
    if not rows:
        return
    statement = (sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert)(table)
    keys = [column.name for column in table.primary_key]
    if keep:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
    connection.execute(statement, rows)


def batches(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the values in runs that fit into one statement."""
    for start in range(0, len(values), _IN_ONE_STATEMENT):
        yield values[start : start + _IN_ONE_STATEMENT]


def fold_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds what was deleted; readers at work put that off."""
    if engine.dialect.name == "sqlite":
        with _outside_transactions(engine) as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_CHECKPOINT_PATIENCE_MS}")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")


def compact(engine: Engine) -> None:
    """Give the space of what was deleted back to the disk."""
    if engine.dialect.name == "sqlite":
        with _outside_transactions(engine) as connection:
            connection.exec_driver_sql("VACUUM")
        fold_log(engine)


def _outside_transactions(engine: Engine) -> Connection:
    return engine.execution_options(sqlite_begin="").connect()
