"""A summary without a model: what was asked, and the first sentence of each answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts import Message
from retrieval.questions.summarising import newest, sentences

_ASKED_CHARS = 160
_ANSWERED_CHARS = 240  # 1,200 characters are at least three turns
_MARKERS = re.compile(r"\s*\[\d+\]")


class RuleSummariser:
    """Port `Summariser`: a line for each turn, the newest as far as there is room."""

    async def summarise(self, summary: str, messages: Sequence[Message]) -> str:
        """Return the summary with what these messages add to it, up to MOST_CHARS characters."""
        return newest("\n".join([*summary.splitlines(), *_lines(messages)]))


def _lines(messages: Sequence[Message]) -> list[str]:
    lines: list[str] = []
    for message in messages:
        if message.role == "user":
            lines.append(f"Asked: {_cut(message.content, _ASKED_CHARS)}")
        elif message.role == "assistant" and (said := _first_sentence(message.content)):
            answered = f"Answered: {_cut(said, _ANSWERED_CHARS)}"
            lines[-1:] = [f"{lines[-1]} {answered}" if lines else answered]
    return lines


def _first_sentence(text: str) -> str:
    return next(iter(sentences(_MARKERS.sub("", text))), "")


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    head, _, _ = line[:most].rpartition(" ")
    return f"{head if len(head) > most // 2 else line[: most - 1]}…"
