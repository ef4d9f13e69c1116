"""A tokenizer for tests: what it counts is said by a function, words where nothing is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def words(text: str) -> int:
    """Return the number of words."""
    return len(text.split())


class WordTokens:
    """An embedder as far as splitters know it. It remembers how many characters it counted."""

    def __init__(self, count: Callable[[str], int] = words, max_tokens: int = 1_000_000) -> None:
        self._count = count
        self.max_tokens = max_tokens
        self.counted = 0

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` is."""
        self.counted += len(text)
        return self._count(text)

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is."""
        return [self.count_tokens(text) for text in texts]
