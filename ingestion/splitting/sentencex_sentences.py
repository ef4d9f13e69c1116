"""Sentences of a text by sentencex (Wikimedia, MIT): without a model, a network or a lost character."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

_LONG = 400  # characters; it takes all that stands between two quotation marks, right or wrong, for one sentence
_END = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[^a-z])|[。！？]|\n+")


def sentences(text: str) -> list[str]:
    """Return the sentences; joined, they are the text. It knows the abbreviations of English, and the full stops of
    most scripts."""
    from sentencex import segment

    return [part for sentence in segment("en", text) for part in _parts(sentence)]


def _parts(sentence: str) -> Iterator[str]:
    if len(sentence) <= _LONG:
        yield sentence
        return
    cuts = [0, *(end.end() for end in _END.finditer(sentence)), len(sentence)]
    yield from (sentence[low:high] for low, high in itertools.pairwise(cuts) if low < high)
