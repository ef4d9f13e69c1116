"""Sizes of texts in an embedder's tokens, counted once and in batches, and the room that headings leave."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from contracts import ConfigurationError
from ingestion.splitting.chunk_pieces import SEPARATOR, Piece

HeadingLine = Callable[[str, Sequence[str]], str]
"""Returns what is embedded in front of a passage, by the document's title and the heading path."""

_MOST_CHARS = 16
"""Characters that are counted as a token at least: an endless word can be one "unknown" token, and it would still be
read whole by the language model. It also tells what is too long without counting."""

_SHORT = 40  # characters; the size of a text up to this long is remembered
_BATCH = 1024  # texts


class Tokens(Protocol):
    """How an embedder reads a text; a `SentenceEncoder` is one."""

    @property
    def max_tokens(self) -> int: ...

    def count_tokens(self, text: str) -> int: ...

    def count_tokens_many(self, texts: Sequence[str]) -> list[int]: ...


class TokenMeter:
    """Measures texts for a splitter. Sizes up to `most` tokens are exact; above, they are only known to be too large.

    Sizes add up: tokenizers cut at white space first and count none of it, or little, so that a passage is as long as
    its sentences together.
    """

    def __init__(self, tokens: Tokens, heading_line: HeadingLine, *, most: int) -> None:
        self._tokens = tokens
        self._heading_line = heading_line
        self._most = most
        self._short = functools.lru_cache(maxsize=65_536)(self._counted)

    def size(self, text: str) -> int:
        """Return how many tokens a text is, at least 1."""
        return self._short(text) if len(text) <= _SHORT else self._counted(text)

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text is, at least 1."""
        least = [max(1, len(text) // _MOST_CHARS) for text in texts]
        unknown = [i for i, size in enumerate(least) if size <= self._most]
        for low in range(0, len(unknown), _BATCH):
            batch = unknown[low : low + _BATCH]
            for i, count in zip(batch, self._tokens.count_tokens_many([texts[i] for i in batch]), strict=True):
                least[i] = max(least[i], count)
        return least

    def measured(self, text: str, pieces: Sequence[Piece]) -> list[Piece]:
        """Return the pieces of the text with their sizes."""
        sizes = self.sizes([text[piece.start : piece.end] for piece in pieces])
        return [replace(piece, tokens=size) for piece, size in zip(pieces, sizes, strict=True)]

    def together(self, pieces: Sequence[Piece]) -> int:
        """Return the size of measured pieces with what separates them, and what is said before them."""
        if not pieces:
            return 0
        return pieces[0].prefix_tokens + sum(piece.tokens for piece in pieces) + self.separator * (len(pieces) - 1)

    def rooms(self, title: str, budget: int) -> Callable[[Piece], int]:
        """Return a function that says how many tokens may be embedded with a piece of a document of this title: up to
        `budget`, and what the headings leave of the model's window. A quarter of the window stays, however long they
        are; the model does not see the end of the passage then."""

        @functools.lru_cache(maxsize=1024)
        def left(headings: tuple[str, ...]) -> int:
            line = self._heading_line(title, headings) + "\n"
            window = self._tokens.max_tokens
            surely = window - self.separator - len(line.encode("utf-8", "replace"))  # no token is less than a byte
            if surely >= budget:
                return budget
            return min(budget, max(window // 4, window - self.separator - self.size(line)))

        return lambda piece: left(piece.headings)

    @functools.cached_property
    def separator(self) -> int:
        """Tokens that stand between two pieces."""
        apart = self._tokens.count_tokens("a")
        return max(0, self._tokens.count_tokens(f"a{SEPARATOR}a") - 2 * apart)

    def _counted(self, text: str) -> int:
        least = max(1, len(text) // _MOST_CHARS)
        return least if least > self._most else max(least, self._tokens.count_tokens(text))


def checked_overlap(overlap_tokens: int, chunk_tokens: int) -> int:
    """Return the overlap. Raises ConfigurationError unless it is less than the chunk."""
    if not 0 <= overlap_tokens < chunk_tokens:
        raise ConfigurationError(
            f"The overlap of chunks ({overlap_tokens} tokens) must be less than their size ({chunk_tokens})."
        )
    return overlap_tokens
