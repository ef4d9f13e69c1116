"""What the tagger of names sees of a text: its tokens, and hashed features of each token and its neighbours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

FEATURES_VERSION = 1
"""Goes up whenever the same text yields other features: an artefact belongs to one version."""

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_MIX = np.uint32(2654435761)  # Knuth's multiplicative hash
_LONGEST_WORD = 24
_CACHED_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters, a run of digits or one other character at `text[start:end]`; `breaks` line feeds before it."""

    text: str
    start: int
    end: int
    breaks: int


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of `text` in order."""
    tokens, last = [], 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        tokens.append(Token(match.group(), start, end, text.count("\n", last, start)))
        last = end
    return tokens


@dataclass(frozen=True, slots=True)
class _Word:
    """Feature hashes of one word: what it is seen by itself, from next door and from two doors away."""

    itself: NDArray[np.uint32]
    near: NDArray[np.uint32]
    far: NDArray[np.uint32]


class TokenFeatures:
    """Turns tokens into hashed features. `lexicon` says by the hash of a word how common it is, and how often it is
    written with a capital: a small number for each, see `word_hash`."""

    def __init__(self, lexicon: Mapping[int, int]) -> None:
        self._lexicon = lexicon
        self._cache: dict[str, _Word] = {}
        self._edge = self._word("<edge>")

    def of(self, tokens: Sequence[Token], taken: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return all feature hashes, token by token, and the position of each token's first one.

        `taken` names, for each token, the kind of what the patterns found there, or is empty.
        """
        words = [self._cached(f"<{kind}>" if kind else token.text) for token, kind in zip(tokens, taken, strict=True)]
        padded = [self._edge, self._edge, *words, self._edge, self._edge]
        style = _style(tokens)
        parts: list[NDArray[np.uint32]] = []
        starts: list[int] = []
        total = 0
        for at, token in enumerate(tokens):
            starts.append(total)
            found = _seen_from(padded, at + 2)
            found.append(_place(at == 0, min(token.breaks, 2), style))
            parts += found
            total += sum(map(len, found))
        hashes = np.concatenate(parts) if parts else np.empty(0, np.uint32)
        return hashes, np.array(starts, np.int64)

    def _cached(self, text: str) -> _Word:
        word = self._cache.get(text)
        if word is None:
            if len(self._cache) >= _CACHED_WORDS:
                self._cache.clear()
            word = self._cache[text] = self._word(text)
        return word

    def _word(self, text: str) -> _Word:
        lower = text.casefold()[:_LONGEST_WORD]
        shape = _shape(text)
        common = self._lexicon.get(word_hash(text), 0) if text.isalpha() else 0
        near = (f"w={lower}", f"s={shape}", f"c={common}|{shape}", f"x={lower[-3:]}")
        own = [*near, f"ws={lower}|{shape}", f"c={common}"]
        if text.isalpha():
            marked = f"^{lower}$"
            own += [f"p{n}={marked[:n]}" for n in (2, 3, 4, 5)]
            own += [f"x{n}={marked[-n:]}" for n in (2, 3, 4, 5)]
            own += [f"g={marked[i : i + 3]}" for i in range(len(marked) - 2)]
        return _Word(_hashed(own), _hashed(near), _hashed(near[:3]))


def word_hash(word: str) -> int:
    """Return what stands for `word`, whatever its case, in a lexicon."""
    return crc32(word.casefold()[:_LONGEST_WORD].encode())


def _seen_from(words: Sequence[_Word], at: int) -> list[NDArray[np.uint32]]:
    own, before, after = words[at], words[at - 1], words[at + 1]
    shape = own.near[1:2]
    return [
        own.itself,
        _moved(before.near, 1),
        _moved(after.near, 2),
        _moved(words[at - 2].far, 3),
        _moved(words[at + 2].far, 4),
        # Pairs: each neighbour with the token's own shape, and both neighbours' shapes with it.
        _moved(before.near[:3], 5) ^ shape,
        _moved(after.near[:3], 6) ^ shape,
        _moved(before.near[1:2], 7) ^ _moved(after.near[1:2], 8) ^ shape,
        _moved(before.near[:1], 9) ^ _moved(words[at - 2].near[:1], 10),
        _moved(after.near[:1], 11) ^ _moved(words[at + 2].near[:1], 12),
    ]


def _moved(hashes: NDArray[np.uint32], role: int) -> NDArray[np.uint32]:
    """The same features in another role, such as seen from the next token."""
    return (hashes ^ _ROLES[role]) * _MIX


_ROLES = [np.uint32(role * 0x9E3779B1 & 0xFFFFFFFF) for role in range(13)]


def _style(tokens: Sequence[Token]) -> str:
    letters = "".join(token.text for token in tokens if token.text.isalpha())
    if letters.islower():
        return "lower"
    return "upper" if letters.isupper() else "mixed"


@lru_cache(maxsize=64)
def _place(start: bool, breaks: int, style: str) -> NDArray[np.uint32]:
    return _hashed((f"style={style}", f"start={start}", f"breaks={breaks}"))


def _hashed(names: Sequence[str]) -> NDArray[np.uint32]:
    return np.array([crc32(name.encode()) for name in names], np.uint32)


def _shape(text: str) -> str:
    if text[0] == "<" and len(text) > 1:
        return text
    if text.isdigit():
        return f"d{min(len(text), 6)}"
    if not text.isalpha():
        return text
    if text.islower():
        return "x" if text.isascii() else "x~"
    if text.isupper():
        return "X" if len(text) == 1 else "XX"
    return "Xx" if text[1:].islower() else "xX"
