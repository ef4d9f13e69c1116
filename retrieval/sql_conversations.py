"""Conversations in SQL: their tables, and transactions on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.exc import SQLAlchemyError

from contracts import NotFoundError, StoreUnavailableError

T = TypeVar("T")

_CHECKPOINT_PATIENCE_MS = 1000
_PATIENCE_MS = 30_000

metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", String, primary_key=True),
    Column("principal", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False, server_default="0"),
    Column("title", String, nullable=False, server_default=""),
    Column("summary", Text, nullable=False, server_default=""),
    Column("summarised_until", BigInteger, nullable=False, server_default="0"),  # the last message in the summary
    Index("conversations_by_use", "principal", "updated_at", "id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("conversation_id", String, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("role", String, nullable=False),
    Column("content", Text, nullable=False),
    Column("tokens", Integer, nullable=False, server_default="0"),
    Index("messages_by_conversation", "conversation_id", "id"),
)


async def reading(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` in a thread on one view of the database. Raises StoreUnavailableError."""

    def transaction() -> T:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            return work(connection)

    return await _in_thread(transaction)


async def writing(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` in a thread, in a transaction that writes. Raises StoreUnavailableError."""

    def transaction() -> T:
        with engine.execution_options(sqlite_begin="BEGIN IMMEDIATE").begin() as connection:
            return work(connection)

    return await _in_thread(transaction)


async def fold_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds what was deleted; readers at work put that off."""
    if engine.dialect.name == "sqlite":

        def checkpoint() -> None:
            with engine.execution_options(sqlite_begin="").connect() as connection:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_CHECKPOINT_PATIENCE_MS}")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")

        await _in_thread(checkpoint)


def unknown(conversation_id: str) -> NotFoundError:
    """Return the error for a conversation that is not there, or not for this principal: the words are the same."""
    return NotFoundError(f"No conversation {conversation_id!r}.")


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except SQLAlchemyError as exc:
        raise StoreUnavailableError(f"The conversations cannot be reached: {exc}. Check the database.") from exc
