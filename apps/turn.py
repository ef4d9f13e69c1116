"""One question on its way to an answer."""

from __future__ import annotations

from dataclasses import dataclass

from apps.draft import Emit
from apps.stages import Stages
from contracts import Guards, Message, Query, Question


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that has passed the guard: `text` as it went on from there, `query` what is searched for, which makes
    sense on its own, and `history` what the model needs to see of the conversation, if anything."""

    question: Question
    text: str
    query: Query
    history: tuple[Message, ...]
    guards: Guards
    stages: Stages
    emit: Emit
