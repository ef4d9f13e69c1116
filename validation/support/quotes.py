"""Where in a passage a sentence is said: the range of the sentences, lines or table rows that say it best."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from validation.support.terms import Terms, terms_of

_LEAST = 0.3  # share of the sentence's terms, below which nothing is a quote of it
_LONGEST = 3  # sentences in a quote
_GAIN = 0.15  # share of the terms that one more sentence must add
_LINE = re.compile(r"[^\n]+")

Range = tuple[int, int]


def quote_span(sentence: str, chunk_text: str) -> Range | None:
    """Return the character range in `chunk_text` of the one to three neighbouring sentences that share most with
    `sentence`, or None when none shares enough.

    >>> quote_span("It opens at noon.", "Dogs stay out. The hut opens at noon. Tea is free.")
    (15, 37)
    """
    wanted = terms_of(sentence)
    terms = _all(wanted)
    spans = sentence_spans(chunk_text)
    held = [_all(terms_of(chunk_text[start:end], wanted.language)) & terms for start, end in spans]
    if not terms or not held:
        return None
    best = max(range(len(held)), key=lambda at: (len(held[at]), -_length(spans[at])))
    if len(held[best]) < _LEAST * len(terms):
        return None
    first, last = _widened(held, best, len(terms))
    return spans[first][0], spans[last][1]


@lru_cache(maxsize=512)
def sentence_spans(text: str) -> tuple[Range, ...]:
    """Return the character ranges of the sentences of `text`, without the white space around them; a line break ends
    one."""
    from sentencex import segment

    spans = []
    for line in _LINE.finditer(text):
        at = line.start()
        for part in [line.group()] if line.group().lstrip().startswith("|") else segment("en", line.group()):
            start = at + len(part) - len(part.lstrip())
            end = at + len(part.rstrip())
            if end > start:
                spans.append((start, end))
            at += len(part)
    return tuple(spans)


def _widened(held: Sequence[frozenset[str]], best: int, total: int) -> tuple[int, int]:
    """The sentences around the best one that add enough of what it lacks."""
    first = last = best
    found = held[best]
    while last - first + 1 < _LONGEST:
        sides = [(len(held[at] - found), at) for at in (first - 1, last + 1) if 0 <= at < len(held)]
        gain, at = max(sides, default=(0, best))
        if gain < max(1, _GAIN * total):
            break
        found |= held[at]
        first, last = min(first, at), max(last, at)
    return first, last


def _all(terms: Terms) -> frozenset[str]:
    return terms.words | terms.numbers | frozenset(number for fact in terms.facts for number in fact.numbers)


def _length(span: Range) -> int:
    return span[1] - span[0]
