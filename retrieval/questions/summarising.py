"""Summaries of conversations: who writes them, how long they are, and what of them is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from contracts import Message

MOST_CHARS = 1200  # about 300 tokens: a few sentences, or a line for each of some eight turns
_LINE_END = re.compile(r"\n")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")


class Summariser(Protocol):
    """Keeps the summary of a conversation."""

    async def summarise(self, summary: str, messages: Sequence[Message]) -> str:
        """Return the summary with what these messages add to it, up to MOST_CHARS characters. Never raises because a
        model is away."""
        ...


def newest(text: str) -> str:
    """Return the end of a text, from the start of a line or a sentence, up to MOST_CHARS characters."""
    if len(text) <= MOST_CHARS:
        return text
    end = text[-MOST_CHARS - 1 :]
    for start in (_LINE_END, _SENTENCE_END):
        if (found := start.search(end)) and found.end() < len(end):
            return end[found.end() :]
    return end[1:].partition(" ")[2] or end[1:]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; none of them is empty."""
    return [each.strip() for line in text.splitlines() for each in _SENTENCE_END.split(line) if each.strip()]
