"""Widens passages by what stands around them, so that the reader sees the context and the citation stays exact."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from contracts import Chunk, Hit

_REACH = 3  # chunks on either side
_LONGEST_GAP = 4  # characters between two chunks of which nothing is missing: white space and the blank line

Neighbours = Callable[[Chunk, int], Awaitable[tuple[Chunk, ...]]]


async def widen(
    hits: Sequence[Hit], neighbours: Neighbours, budget_tokens: int, count_tokens: Callable[[str], int]
) -> list[Hit]:
    """Return the hits, each widened to the chunks beside it while it has at most `budget_tokens`.

    Only what stands on the same page under the same heading is joined, and only where nothing between is missing, so
    that the text is that of its span (white space between chunks aside). The next chunk comes before the one in front,
    the best hit before the others. Hits that then touch become one, however long, which keeps the best one's id, rank
    and score. `expanded_from` is the span that was found.
    """
    around = await asyncio.gather(*(neighbours(hit.chunk, _REACH) for hit in hits))
    stretches = [
        _Stretch(hit, chunks, budget_tokens - count_tokens(hit.chunk.text))
        for hit, chunks in zip(hits, around, strict=True)
    ]
    taken = {hit.chunk.id for hit in hits}
    for _ in range(_REACH):
        for stretch in stretches:
            for step in (1, -1):
                stretch.grow(step, taken, count_tokens)
    return _merged([stretch.hit() for stretch in stretches])


class _Stretch:
    """A hit and the chunks around it, of which those from `first` to `last` are joined; `room` tokens may be added."""

    def __init__(self, found: Hit, around: Sequence[Chunk], room: int) -> None:
        self._found = found
        self._chunk = found.chunk
        self._around = {chunk.position: chunk for chunk in around}
        self._first = self._last = found.chunk.position
        self._room = room

    def grow(self, step: int, taken: set[str], count_tokens: Callable[[str], int]) -> None:
        """Join the next chunk in one direction if it belongs here, fits, and is in no other hit."""
        at = self._last + 1 if step > 0 else self._first - 1
        neighbour = self._around.get(at)
        joined = None if neighbour is None or neighbour.id in taken else join(self._chunk, neighbour)
        if neighbour is None or joined is None:
            return
        added = len(joined.text) - len(self._chunk.text)
        tokens = count_tokens(joined.text[len(joined.text) - added :] if step > 0 else joined.text[:added])
        if tokens <= self._room:
            taken.add(neighbour.id)
            self._chunk, self._room = joined, self._room - tokens
            self._first, self._last = min(self._first, at), max(self._last, at)

    def hit(self) -> Hit:
        if self._chunk is self._found.chunk:
            return self._found
        return replace(self._found, chunk=self._chunk, expanded_from=self._found.chunk.span)


def join(chunk: Chunk, other: Chunk) -> Chunk | None:
    """Return `chunk` with the text, span and boxes of both; None where they are not of one version, page, heading and
    flags, do not touch, or do not say the same where they overlap."""
    if not _akin(chunk, other):
        return None
    first, second = sorted((chunk, other), key=lambda one: one.span)
    overlap = first.span[1] - second.span[0]
    if overlap < -_LONGEST_GAP:
        return None
    if overlap <= 0:
        text = first.text + _gap(-overlap) + second.text
    else:
        shared = min(overlap, len(second.text))
        at = second.span[0] - first.span[0]
        if first.text[at : at + shared] != second.text[:shared]:
            return None
        text = first.text + second.text[shared:]
    span = (first.span[0], max(first.span[1], second.span[1]))
    return replace(chunk, text=text, span=span, boxes=tuple(dict.fromkeys((*first.boxes, *second.boxes))))


def _akin(chunk: Chunk, other: Chunk) -> bool:
    """Return whether both are plain stretches of one text. What repeats a table's head is longer than its span."""
    same = (chunk.document_id, chunk.version, chunk.page, chunk.headings, chunk.hidden, chunk.flags) == (
        other.document_id,
        other.version,
        other.page,
        other.headings,
        other.hidden,
        other.flags,
    )
    return same and all(len(one.text) == one.span[1] - one.span[0] for one in (chunk, other))


def _gap(length: int) -> str:
    return " " if length == 1 else "\n" * length


def _merged(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits with those that touch or overlap made one, in the place of the best of them."""
    merged: list[Hit] = []
    for hit in hits:
        for place, better in enumerate(merged):
            chunk = join(better.chunk, hit.chunk)
            if chunk is not None:
                merged[place] = replace(better, chunk=chunk, expanded_from=better.expanded_from or better.chunk.span)
                break
        else:
            merged.append(hit)
    return merged if len(merged) == len(hits) else _merged(merged)  # what grew may touch another one now
