"""Puts back, on the way to who asked, what was taken out of the question; caches, traces and memory never see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from apps.draft import Emit, Event, Released
from contracts import Answer, AnswerSentence, Verdict


class RestoringEmit:
    """Passes events on, with placeholders in released text replaced by what stood there."""

    def __init__(self, emit: Emit, put_back: Callable[[str], str]) -> None:
        self._emit = emit
        self._put_back = put_back

    async def __call__(self, event: Event) -> None:
        if isinstance(event, Released):
            event = replace(event, text=self._put_back(event.text))
        await self._emit(event)


def renumbered(verdict: Verdict, said: str) -> Verdict:
    """Return the verdict with placeholders of its own, where what was `said` in the conversation has the same ones:
    they stand for other values there."""
    text, values = verdict.text, dict[str, str]()
    for placeholder, value in verdict.restore.items():
        kind, free = placeholder[1:].rpartition("_")[0], placeholder
        number = 1
        while free in said or free in values or (free != placeholder and free in verdict.restore):
            number, free = number + 1, f"[{kind}_{number}]"
        text = text.replace(placeholder, free)
        values[free] = value
    return replace(verdict, text=text, restore=values)


def escaped(values: Mapping[str, str]) -> dict[str, str]:
    """Return the values as they stand inside a text of JSON."""
    return {placeholder: json.dumps(value, ensure_ascii=False)[1:-1] for placeholder, value in values.items()}


def restored(answer: Answer, put_back: Callable[[str], str]) -> Answer:
    """Return the answer with the values in place of their placeholders, and its sentences where they are then."""
    text, at, sentences = "", 0, list[AnswerSentence]()
    for sentence in answer.sentences:
        start, end = sentence.span
        text += put_back(answer.text[at:start])
        begun = len(text)
        text += put_back(answer.text[start:end])
        sentences.append(replace(sentence, span=(begun, len(text))))
        at = end
    return replace(answer, text=text + put_back(answer.text[at:]), sentences=tuple(sentences))
