"""Counts tokens without asking anyone, for servers that do not say how their model counts."""

from __future__ import annotations

from collections.abc import Sequence

from contracts import Message, most_tokens


class BoundedTokenCounter:
    """Port `TokenCounter`: the count is `most_tokens`, up to five times the true one, and the window what the settings
    say."""

    def __init__(self, context_tokens: int) -> None:
        self._context_tokens = context_tokens

    async def window(self) -> int:
        """Return how many tokens of prompt and answer together the model can hold."""
        return self._context_tokens

    async def count(self, messages: Sequence[Message]) -> int:
        """Return a number of tokens that the messages never exceed."""
        return most_tokens(messages)

    async def close(self) -> None:
        """Do nothing: there is no connection."""
