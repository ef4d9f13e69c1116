"""Whether the cached answer to one question may serve another: near enough, and the same numbers."""

from __future__ import annotations

import re

_LEAST = 0.86  # cosine similarity of all-MiniLM-L6-v2
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")


def agrees(question: str, cached_question: str, similarity: float) -> bool:
    """Return whether two questions whose vectors have this cosine similarity ask the same."""
    if question == cached_question:
        return True
    return similarity >= _LEAST and sorted(_NUMBER.findall(question)) == sorted(_NUMBER.findall(cached_question))
