"""Turns that meet are stored together: one transaction for all of them, of which each is whole or not there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from contracts import Message
from retrieval.sql_conversations import conversations, messages, unknown, writing

_TOGETHER = 200  # turns of one transaction


@dataclass(frozen=True, slots=True)
class Turn:
    """Messages that are to be added to a conversation, with the title and the time of a new one."""

    conversation_id: str
    principal: str
    title: str
    said: Sequence[Message]
    at: float


class TurnBatches:
    """Stores turns on an SQLAlchemy engine; while one transaction is written the next ones gather. `size_of` counts the
    tokens of a text; it is called in the thread that writes."""

    def __init__(self, engine: Engine, size_of: Callable[[str], int]) -> None:
        self._engine = engine
        self._size_of = size_of
        self._waiting: list[tuple[Turn, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def store(self, turn: Turn) -> None:
        """Return once the turn is stored. Raises NotFoundError when the conversation belongs to another principal, and
        StoreUnavailableError."""
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, stored))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await stored

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            turns = [turn for turn, _ in batch]
            try:
                foreign = await writing(self._engine, partial(self._store, turns=turns))
            except Exception as exc:  # whoever waits must hear of it, and the next batch may do better
                for _, stored in batch:
                    if not stored.done():
                        stored.set_exception(exc)
                continue
            for turn, stored in batch:
                if stored.done():
                    continue
                if turn.conversation_id in foreign and turn.principal != foreign[turn.conversation_id]:
                    stored.set_exception(unknown(turn.conversation_id))
                else:
                    stored.set_result(None)

    def _store(self, connection: Connection, turns: Sequence[Turn]) -> dict[str, str]:
        """Store those turns whose conversation is their principal's, or new; return whose each conversation is. The
        rows of conversations stay locked until this transaction ends."""
        connection.execute(_upsert(connection.dialect.name), [_conversation(turn) for turn in turns])
        ids = list({turn.conversation_id for turn in turns})
        owners = {row.id: row.principal for row in connection.execute(_OWNERS, {"ids": ids})}
        mine = [turn for turn in turns if owners[turn.conversation_id] == turn.principal]
        if rows := [self._row(turn, message) for turn in mine for message in turn.said]:
            connection.execute(insert(messages), rows)
        return owners

    def _row(self, turn: Turn, message: Message) -> dict[str, Any]:
        size = self._size_of(message.content)
        return {
            "conversation_id": turn.conversation_id,
            "role": message.role,
            "content": message.content,
            "tokens": size,
        }


_OWNERS = select(conversations.c.id, conversations.c.principal).where(
    conversations.c.id.in_(bindparam("ids", expanding=True))
)


def _conversation(turn: Turn) -> dict[str, Any]:
    return {
        "id": turn.conversation_id,
        "principal": turn.principal,
        "created_at": turn.at,
        "updated_at": turn.at,
        "title": turn.title,
    }


@cache
def _upsert(dialect: str) -> Any:
    """Return what makes a conversation if it is new, or notes that its principal used it."""
    added = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(conversations)
    mine = conversations.c.principal == added.excluded.principal
    return added.on_conflict_do_update(
        index_elements=["id"], set_={"updated_at": added.excluded.updated_at}, where=mine
    )
