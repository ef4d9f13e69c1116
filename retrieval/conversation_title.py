"""Titles of conversations: a line."""

from __future__ import annotations

from collections.abc import Sequence

from contracts import Message

TITLE_CHARS = 80


def first_title(messages: Sequence[Message]) -> str:
    """Return the title that a conversation with these first messages gets: the first question, shortened."""
    asked = next((message.content for message in messages if message.role == "user"), "")
    line = one_line(asked)
    if len(line) <= TITLE_CHARS:
        return line
    head, _, _ = line[:TITLE_CHARS].rpartition(" ")
    return f"{head if len(head) > TITLE_CHARS // 2 else line[: TITLE_CHARS - 1]}…"


def one_line(text: str) -> str:
    """Return a text with single spaces for white space and for what cannot be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
