"""Which workers on any machine are alive: each holds an advisory lock of PostgreSQL, which dies with its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool


class PostgresPresence:
    """Port `Presence` for workers that share a PostgreSQL database. A worker that loses its connection counts as gone
    until it enters again: its jobs may start anew elsewhere, and how they end here is then refused."""

    def __init__(self, url: str) -> None:
        driver = make_url(url).set(drivername="postgresql+psycopg")
        self._engine = create_engine(driver, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._held: dict[str, Connection] = {}

    def enter(self, name: str) -> None:
        """Be known as alive under `name`, until `leave` or the end of the process. No other process has this name."""
        if name in self._held and _answers(self._held[name]):
            return
        self._held[name] = self._engine.connect()
        _try_lock(self._held[name], name)

    def leave(self, name: str) -> None:
        """Be gone."""
        self._held.pop(name).close()

    @contextmanager
    def inherit(self, name: str) -> Iterator[bool]:
        """Yield whether `name` is gone; if so, nobody else inherits it meanwhile."""
        with self._engine.connect() as connection:
            yield _try_lock(connection, name)


def _answers(connection: Connection) -> bool:
    try:
        connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        connection.close()
        return False
    return True


def _try_lock(connection: Connection, name: str) -> bool:
    lock = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
    return bool(connection.execute(lock, {"name": f"footnote worker {name}"}).scalar_one())
