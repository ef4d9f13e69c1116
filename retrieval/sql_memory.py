"""Conversation memory in SQL, per principal: the last turns as they were said, and a summary of those before."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, update

from contracts import Message, Remembered
from retrieval.conversation_title import first_title
from retrieval.conversation_window import CountTokens, Said, approximate_tokens, shortened, size_of, window
from retrieval.questions.rule_summariser import RuleSummariser
from retrieval.questions.summarising import Summariser
from retrieval.sql_conversations import conversations, messages, reading, unknown, writing
from retrieval.turn_batches import Turn, TurnBatches

_MOST_MESSAGES = 200  # that are looked at; a prompt has no use for more
_FOLDED_CHARS = 4000  # of a message that are summarised
_ATTEMPTS = 3  # to summarise, when others do so at the same time


class SqlMemory:
    """Port `Memory` on an SQLAlchemy engine. `count_tokens` is called in a thread; it need not be exact.

    Example: ``SqlMemory(engine, embedder.count_tokens, LlmSummariser(model, fallback=RuleSummariser()))``
    """

    def __init__(
        self, engine: Engine, count_tokens: CountTokens = approximate_tokens, summariser: Summariser | None = None
    ) -> None:
        self._engine = engine
        self._count = count_tokens
        self._summariser = summariser or RuleSummariser()
        self._turns = TurnBatches(engine, lambda text: size_of(text, count_tokens))

    async def recall(self, conversation_id: str, principal: str, budget_tokens: int) -> Remembered:
        """Return the last whole turns that fit the budget, oldest first, with the summary, which may reach into them;
        nothing for a new conversation. A message that is too long for the budget is shortened. Raises NotFoundError
        when the conversation belongs to another principal."""

        def work(connection: Connection) -> Remembered:
            told = _find(connection, conversation_id, principal)
            if told is None:
                return Remembered()
            shown = window(_last(connection, conversation_id), budget_tokens)
            texts = _texts(connection, [each.id for each in shown])
            recalled = (
                Message(s.role, texts[s.id] if s.is_whole else shortened(texts[s.id], s.tokens, self._count))
                for s in shown
            )
            return Remembered(tuple(message for message in recalled if message.content), told.summary)

        return await reading(self._engine, work)

    async def append(self, conversation_id: str, principal: str, turns: Sequence[Message]) -> None:
        """Add messages, all of them side by side, creating the conversation when it is new. Raises NotFoundError as
        `recall` does."""
        said = [Message(turn.role, _storable(turn.content)) for turn in turns]
        if said:
            await self._turns.store(Turn(conversation_id, principal, first_title(said), said, time.time()))

    async def summarise(self, conversation_id: str, principal: str, budget_tokens: int) -> None:
        """Bring the summary of what no longer fits the budget up to date; does nothing when it is, or when the
        conversation is gone. Then half of the budget is left to grow into, so that not every turn needs a new one.
        Raises NotFoundError as `recall` does."""
        find = partial(_unsummarised, conversation_id=conversation_id, principal=principal, budget_tokens=budget_tokens)
        for _ in range(_ATTEMPTS):
            left = await reading(self._engine, find)
            if left is None:
                return
            summary = await self._summariser.summarise(left.told.summary, left.messages)
            if await writing(self._engine, partial(_replace_summary, left=left, summary=_storable(summary))):
                return


@dataclass(frozen=True, slots=True)
class _Unsummarised:
    """What the summary of a conversation lacks: its messages, up to the one with the id `until`."""

    told: Row[Any]
    messages: tuple[Message, ...]
    until: int


def _find(connection: Connection, conversation_id: str, principal: str) -> Row[Any] | None:
    told = connection.execute(select(conversations).where(conversations.c.id == conversation_id)).one_or_none()
    if told is not None and told.principal != principal:
        raise unknown(conversation_id)
    return told


def _last(connection: Connection, conversation_id: str) -> list[Said]:
    query = (
        select(messages.c.id, messages.c.role, messages.c.tokens)
        .where(messages.c.conversation_id == conversation_id)
        .order_by(messages.c.id.desc())
        .limit(_MOST_MESSAGES)
    )
    return [Said(*row) for row in reversed(connection.execute(query).all())]


def _texts(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    found = connection.execute(select(messages.c.id, messages.c.content).where(messages.c.id.in_(ids)))
    return {row.id: row.content for row in found}


def _unsummarised(
    connection: Connection, *, conversation_id: str, principal: str, budget_tokens: int
) -> _Unsummarised | None:
    told = _find(connection, conversation_id, principal)
    said = _last(connection, conversation_id) if told is not None else []
    if told is None or not said:
        return None
    after = said[-1].id + 1
    shown, kept = window(said, budget_tokens), window(said, budget_tokens // 2)
    begins = shown[0].id if shown else after
    query = (
        select(messages.c.id, messages.c.role, func.substr(messages.c.content, 1, _FOLDED_CHARS))
        .where(messages.c.conversation_id == conversation_id)
        .where(messages.c.id > told.summarised_until, messages.c.id < (kept[0].id if kept else after))
        .order_by(messages.c.id.desc())
        .limit(_MOST_MESSAGES)  # what came before them would not stay in the summary
    )
    rows = connection.execute(query).all()
    if not rows or rows[-1].id >= begins:
        return None
    return _Unsummarised(told, tuple(Message(role, text) for _, role, text in reversed(rows)), rows[0].id)


def _replace_summary(connection: Connection, *, left: _Unsummarised, summary: str) -> bool:
    """Store the summary, if it is still the same conversation and nobody was faster; return whether it was."""
    told = left.told
    same = (
        conversations.c.id == told.id,
        conversations.c.created_at == told.created_at,
        conversations.c.summarised_until == told.summarised_until,
    )
    stored = update(conversations).where(*same).values(summary=summary, summarised_until=left.until)
    return connection.execute(stored).rowcount == 1


def _storable(text: str) -> str:
    """Return a text that every database takes: PostgreSQL has no NUL, and UTF-8 no lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
