"""Conversations have a title, a summary and a time of last use; messages know how many tokens they are."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROWS = 1000
_TITLE_CHARS = 80
_BYTES_PER_TOKEN = 4  # of UTF-8, roughly, in any script

_conversations = sa.table("conversations", sa.column("id"), sa.column("title"), sa.column("updated_at"))
_messages = sa.table("messages", *map(sa.column, ("id", "conversation_id", "role", "content")))


def upgrade() -> None:
    added = (
        sa.Column("updated_at", sa.Float(), nullable=False, server_default="0"),
        sa.Column("title", sa.String(), nullable=False, server_default=""),
        sa.Column("summary", sa.Text(), nullable=False, server_default=""),
        sa.Column("summarised_until", sa.BigInteger(), nullable=False, server_default="0"),
    )
    for column in added:
        op.add_column("conversations", column)
    op.add_column("messages", sa.Column("tokens", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE conversations SET updated_at = created_at")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    size = "LENGTH(CAST(content AS BLOB))" if is_sqlite else "OCTET_LENGTH(content)"
    op.execute(f"UPDATE messages SET tokens = {size} / {_BYTES_PER_TOKEN} + 1")
    _entitle(op.get_bind())
    op.create_index("conversations_by_use", "conversations", ["principal", "updated_at", "id"])


def _entitle(connection: sa.Connection) -> None:
    entitled = (
        sa.update(_conversations).where(_conversations.c.id == sa.bindparam("which")).values(title=sa.bindparam("new"))
    )
    for rows in _first_questions(connection):
        connection.execute(entitled, [{"which": row.conversation_id, "new": _title(row.start)} for row in rows])


def _first_questions(connection: sa.Connection) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield the start of the first question of each conversation, in runs."""
    first = sa.select(sa.func.min(_messages.c.id)).where(_messages.c.role == "user").group_by("conversation_id")
    start = sa.func.substr(_messages.c.content, 1, 10 * _TITLE_CHARS).label("start")
    last = 0
    while rows := connection.execute(
        sa.select(_messages.c.id, _messages.c.conversation_id, start)
        .where(_messages.c.id.in_(first), _messages.c.id > last)
        .order_by(_messages.c.id)
        .limit(_ROWS)
    ).all():
        yield rows
        last = rows[-1].id


def _title(start: str) -> str:
    """Return a text in one line, shortened at a word."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in start).split())
    if len(line) <= _TITLE_CHARS:
        return line
    head, _, _ = line[:_TITLE_CHARS].rpartition(" ")
    return f"{head if len(head) > _TITLE_CHARS // 2 else line[: _TITLE_CHARS - 1]}…"


def downgrade() -> None:
    op.drop_index("conversations_by_use", "conversations")
    op.drop_column("messages", "tokens")
    for name in ("summarised_until", "summary", "title", "updated_at"):
        op.drop_column("conversations", name)
