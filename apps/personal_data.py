"""Puts back, on the way to who asked, what was taken out of the question; caches, traces and memory never see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from apps.draft import Emit, Event, Released
from contracts import Answer, AnswerSentence


class RestoringEmit:
    """Passes events on, with placeholders in released text replaced by what stood there."""

    def __init__(self, emit: Emit, values: Mapping[str, str]) -> None:
        self._emit = emit
        self._values = values

    async def __call__(self, event: Event) -> None:
        if self._values and isinstance(event, Released):
            event = replace(event, text=_put_back(event.text, self._values))
        await self._emit(event)


def restored(answer: Answer, values: Mapping[str, str]) -> Answer:
    """Return the answer with the values in place of their placeholders, and its sentences where they are then."""
    if not values:
        return answer
    text, at, sentences = "", 0, list[AnswerSentence]()
    for sentence in answer.sentences:
        start, end = sentence.span
        text += _put_back(answer.text[at:start], values)
        begun = len(text)
        text += _put_back(answer.text[start:end], values)
        sentences.append(replace(sentence, span=(begun, len(text))))
        at = end
    return replace(answer, text=text + _put_back(answer.text[at:], values), sentences=tuple(sentences))


def _put_back(text: str, values: Mapping[str, str]) -> str:
    """Replace placeholders, also as a model may copy them: in capitals, or with a space for the underscore."""
    for placeholder, value in values.items():
        pattern = re.escape(placeholder).replace("_", "[_ ]")
        text = re.sub(pattern, lambda _, value=value: value, text, flags=re.IGNORECASE)
    return text
