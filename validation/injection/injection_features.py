"""What the injection classifiers look at: windows of a text, and its words and word pairs, hashed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 14
WINDOW_CHARS = 800  # about 200 tokens of Latin script, which a sentence encoder reads in full
_OVERLAP_CHARS = 200
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufe0e\ufe0f]")
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|\n")
_MOST_TOKENS = 400


def plain(text: str) -> str:
    """Return the text as a reader sees it: compatibility forms made plain, invisible characters left out."""
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'")


def windows(text: str) -> list[str]:
    """Return overlapping pieces of at most `WINDOW_CHARS` characters that cover the text; one for a short text."""
    if len(text) <= WINDOW_CHARS:
        return [text]
    step = WINDOW_CHARS - _OVERLAP_CHARS
    return [text[start : start + WINDOW_CHARS] for start in range(0, len(text) - _OVERLAP_CHARS, step)]


def lexical_rows(texts: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return, for each text, the buckets of its words and word pairs, each once, ascending."""
    return [np.unique(np.fromiter(_hashes(text), np.int64)) for text in texts]


def _hashes(text: str) -> Iterator[int]:
    tokens = [_shape(token) for token in _TOKEN.findall(text)[:_MOST_TOKENS]]
    before = "^"
    for token in tokens:
        yield crc32(token.encode("utf-8", "replace")) % BUCKETS
        yield crc32(f"{before} {token}".encode("utf-8", "replace")) % BUCKETS
        before = token
    yield crc32(f"{before} $".encode("utf-8", "replace")) % BUCKETS


def _shape(token: str) -> str:
    """Return the token in lower case; numbers look all alike, and shouted words are told apart."""
    if token.isdigit():
        return "0"
    return token.lower() if len(token) < 4 or not token.isupper() else f"{token.lower()}!"
