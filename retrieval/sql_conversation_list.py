"""The conversations of each principal in SQL: list, read, rename, forget."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, delete, func, or_, select, tuple_, update
from sqlalchemy.sql.elements import SQLColumnExpression

from contracts import ConversationSummary, Message
from retrieval.conversation_title import one_line
from retrieval.sql_conversations import conversations, fold_log, messages, reading, unknown, writing

_FOLDED = "footnote_casefold"


class SqlConversations:
    """Port `Conversations` on an SQLAlchemy engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(
        self, principal: str, *, query: str = "", limit: int = 100, after: str = ""
    ) -> tuple[ConversationSummary, ...]:
        """Return conversations, the last used first, starting after the one with the id `after`; with a `query`, those
        whose title or messages hold it, in upper or lower case (on PostgreSQL as its locale has it). Raises
        NotFoundError when `after` is not there."""

        def work(connection: Connection) -> tuple[ConversationSummary, ...]:
            wanted = _summaries().where(conversations.c.principal == principal)
            if after:
                last = _find(connection, after, principal)
                use = tuple_(conversations.c.updated_at, conversations.c.id)
                wanted = wanted.where(use < tuple_(last.updated_at, last.id))
            if query.strip():
                wanted = wanted.where(_say(connection, query.strip()))
            latest = conversations.c.updated_at.desc(), conversations.c.id.desc()
            found = connection.execute(wanted.order_by(*latest).limit(limit))
            return tuple(ConversationSummary(**row._mapping) for row in found)

        return await reading(self._engine, work)

    async def read(self, conversation_id: str, principal: str) -> tuple[ConversationSummary, tuple[Message, ...]]:
        """Return all of a conversation, oldest first. Raises NotFoundError."""

        def work(connection: Connection) -> tuple[ConversationSummary, tuple[Message, ...]]:
            found = _find(connection, conversation_id, principal)
            said = (
                select(messages.c.role, messages.c.content)
                .where(messages.c.conversation_id == conversation_id)
                .order_by(messages.c.id)
            )
            return ConversationSummary(**found._mapping), tuple(Message(*row) for row in connection.execute(said))

        return await reading(self._engine, work)

    async def rename(self, conversation_id: str, principal: str, title: str) -> None:
        """Give it another title, which is put in one line. Raises NotFoundError."""
        renamed = update(conversations).where(*_mine(conversation_id, principal)).values(title=one_line(title))

        def work(connection: Connection) -> None:
            if connection.execute(renamed).rowcount == 0:
                raise unknown(conversation_id)

        await writing(self._engine, work)

    async def forget(self, conversation_id: str, principal: str) -> None:
        """Delete it with all that was said. Raises NotFoundError."""

        def work(connection: Connection) -> None:
            if connection.execute(delete(conversations).where(*_mine(conversation_id, principal))).rowcount == 0:
                raise unknown(conversation_id)

        await writing(self._engine, work)
        await fold_log(self._engine)


def _summaries() -> Select[Any]:
    count = select(func.count()).where(messages.c.conversation_id == conversations.c.id).scalar_subquery()
    shown = conversations.c["id", "title", "created_at", "updated_at"]
    return select(*shown, count.label("messages"))


def _mine(conversation_id: str, principal: str) -> tuple[ColumnElement[bool], ...]:
    return conversations.c.id == conversation_id, conversations.c.principal == principal


def _find(connection: Connection, conversation_id: str, principal: str) -> Row[Any]:
    found = connection.execute(_summaries().where(*_mine(conversation_id, principal))).one_or_none()
    if found is None:
        raise unknown(conversation_id)
    return found


def _say(connection: Connection, query: str) -> ColumnElement[bool]:
    """Return the condition that a conversation says the query."""

    def holds(text: SQLColumnExpression[str]) -> ColumnElement[bool]:
        if connection.dialect.name != "sqlite":
            return text.icontains(query, autoescape=True)
        if query.isascii():
            return text.contains(query, autoescape=True)  # SQLite's LIKE knows the cases of ASCII, and no others
        return func.instr(getattr(func, _FOLDED)(text), query.casefold()) > 0

    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.create_function(_FOLDED, 1, str.casefold, deterministic=True)
    said = select(messages.c.id).where(messages.c.conversation_id == conversations.c.id, holds(messages.c.content))
    return or_(holds(conversations.c.title), said.exists())
