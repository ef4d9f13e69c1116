"""Puts back, on the way to who asked, what was taken out of the question; caches, traces and memory never see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from apps.draft import Emit, Event, Released
from contracts import Answer, AnswerSentence


class RestoringEmit:
    """Passes events on, with placeholders in released text replaced by what stood there."""

    def __init__(self, emit: Emit, put_back: Callable[[str], str]) -> None:
        self._emit = emit
        self._put_back = put_back

    async def __call__(self, event: Event) -> None:
        if isinstance(event, Released):
            event = replace(event, text=self._put_back(event.text))
        await self._emit(event)


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
