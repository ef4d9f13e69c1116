"""Conversation memory in SQL, per principal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from contracts import Message, NotFoundError, StoreUnavailableError
from retrieval.sql_conversations import conversations, messages

T = TypeVar("T")


class SqlMemory:
    """Port `Memory` on an SQLAlchemy engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def recent(self, conversation_id: str, principal: str, limit: int) -> tuple[Message, ...]:
        """Return the last `limit` messages, oldest first; none for a new conversation. Raises NotFoundError when the
        conversation belongs to another principal."""

        def work(connection: Connection) -> tuple[Message, ...]:
            if not _exists(connection, conversation_id, principal):
                return ()
            query = (
                select(messages.c.role, messages.c.content)
                .where(messages.c.conversation_id == conversation_id)
                .order_by(messages.c.id.desc())
                .limit(limit)
            )
            return tuple(Message(*row) for row in reversed(connection.execute(query).all()))

        return await self._run(work)

    async def append(self, conversation_id: str, principal: str, turns: Sequence[Message]) -> None:
        """Add messages, creating the conversation when it is new. Raises NotFoundError as `recent` does."""

        def work(connection: Connection) -> None:
            new = {"id": conversation_id, "principal": principal, "created_at": time.time()}
            upsert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
            # Its first turns may end at the same time.
            connection.execute(upsert(conversations).values(**new).on_conflict_do_nothing())
            _exists(connection, conversation_id, principal)
            rows = [{"conversation_id": conversation_id, "role": t.role, "content": t.content} for t in turns]
            connection.execute(insert(messages), rows)

        await self._run(work)

    async def forget(self, conversation_id: str, principal: str) -> None:
        """Delete a conversation. Raises NotFoundError."""

        def work(connection: Connection) -> None:
            mine = conversations.c.id == conversation_id, conversations.c.principal == principal
            if connection.execute(delete(conversations).where(*mine)).rowcount == 0:
                raise _unknown(conversation_id)

        await self._run(work)

    async def _run(self, work: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        try:
            return await asyncio.to_thread(transaction)
        except SQLAlchemyError as exc:
            raise StoreUnavailableError(f"The conversations cannot be reached: {exc}. Check the database.") from exc


def _exists(connection: Connection, conversation_id: str, principal: str) -> bool:
    owner = connection.execute(select(conversations.c.principal).where(conversations.c.id == conversation_id)).scalar()
    if owner is not None and owner != principal:
        raise _unknown(conversation_id)
    return owner is not None


def _unknown(conversation_id: str) -> NotFoundError:
    return NotFoundError(f"No conversation {conversation_id!r}.")
