"""A cheap rule for follow-ups: a question that leans on the turn before is searched for together with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contracts import Message

_LEANS_BACK = re.compile(
    r"^\s*(and|but|so|also|what about|how about|why|since when|until when|which one|who else|what else)\b"
    r"|\b(it|its|they|them|their|theirs|he|him|his|she|her|hers)\b"
    r"|\b(that|those|these|this|there|one|ones|the same)\s*[?.!]*$",  # elsewhere they point into the question itself
    re.IGNORECASE,
)
_SHORT = 3  # words; "How much?" says nothing on its own


class FollowupCondenser:
    """Port `Condenser` without a model call."""

    async def condense(self, question: str, history: Sequence[Message]) -> str:
        """Return the question itself when it stands alone, else with the question before it in front."""
        earlier = [message.content for message in history if message.role == "user"]
        if not earlier or not (_LEANS_BACK.search(question) or len(question.split()) <= _SHORT):
            return question
        return f"{earlier[-1]} {question}"
