"""Cuts a piece that is too large for a chunk as its kind demands: tables between rows, code and lists between lines,
everything else at sentence ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from contracts import ElementKind
from ingestion.splitting.chunk_pieces import Piece
from ingestion.splitting.llamaindex_splitter import LlamaIndexSplitter, Part
from ingestion.splitting.token_meter import TokenMeter

_TABLE_HEADER = re.compile(r"[^\n]*\|[^\n]*\n\|(?: *:?-+:? *\|)+\n")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")

Groups = Iterator[tuple[int, int]]


class PieceCutter:
    """Cuts measured pieces of a document's text into parts of up to a number of tokens."""

    def __init__(self, meter: TokenMeter, *, overlap_tokens: int) -> None:
        self._meter = meter
        self._passages = LlamaIndexSplitter(meter, overlap_tokens=overlap_tokens)

    def cut(self, text: str, piece: Piece, room: int) -> list[Piece]:
        """Return the piece, or its parts in reading order; the first keeps the piece's own prefix."""
        if piece.prefix_tokens + piece.tokens <= room:
            return [piece]
        if piece.kind is ElementKind.TABLE and (header := header_of(text, piece)):
            size = self._meter.size(header)
            if size <= room // 2:
                return list(self._between_rows(text, piece, (header, size), room - size, _full)) or [piece]
        if piece.kind in (ElementKind.CODE, ElementKind.LIST) and "\n" in text[piece.start : piece.end]:
            return list(self._between_lines(text, piece, room))
        return [piece.cut(*part) for part in self._passages.by_sentence(text, piece.start, piece.end, room)]

    def rows(self, text: str, piece: Piece, room: int) -> list[Piece]:
        """Return each row of a table by itself under the table's header; the piece whole where it has none."""
        header = header_of(text, piece)
        size = self._meter.size(header) if header else 0
        if not header or size > room // 2:
            return self.cut(text, piece, room)
        return list(self._between_rows(text, piece, (header, size), room - size, _each)) or [piece]

    def _between_rows(
        self,
        text: str,
        piece: Piece,
        header: tuple[str, int],
        room: int,
        grouped: Callable[[Sequence[int], int], Groups],
    ) -> Iterator[Piece]:
        """`header` comes with its size; `room` is what it leaves."""
        top = piece.start if piece.prefix else piece.start + len(header[0])
        rows = [row.span() for row in _LINE.finditer(text, top, piece.end) if row.group().strip()]
        sizes = self._meter.sizes([text[low:high] for low, high in rows])
        start: int | None = piece.start  # of the next part, where that is the first one
        for first, end in grouped(sizes, room):
            low, high = rows[first][0], _before_line_end(text, rows[end - 1])
            for part in self._fitting(text, Part(low, high, sum(sizes[first:end])), room):
                if start is None or piece.prefix:
                    yield piece.cut(part.start, part.end, part.tokens, *header)
                else:
                    yield piece.cut(start, part.end, header[1] + part.tokens)
                start = None

    def _between_lines(self, text: str, piece: Piece, room: int) -> Iterator[Piece]:
        spans = [line.span() for line in _LINE.finditer(text, piece.start, piece.end)]
        lines = [text[low:high] for low, high in spans]
        sizes = self._meter.sizes(lines)
        for first, end in _line_groups(lines, sizes, room):
            filled = [i for i in range(first, end) if lines[i].strip()]
            if filled:
                low, high = spans[filled[0]][0], _before_line_end(text, spans[filled[-1]])
                whole = Part(low, high, sum(sizes[filled[0] : filled[-1] + 1]))
                yield from (piece.cut(*part) for part in self._fitting(text, whole, room))

    def _fitting(self, text: str, part: Part, room: int) -> list[Part]:
        return [part] if part.tokens <= room else self._passages.by_sentence(text, part.start, part.end, room)


def _before_line_end(text: str, line: tuple[int, int]) -> int:
    return line[1] - text.endswith("\n", *line)


def header_of(text: str, piece: Piece) -> str:
    """Return the header of a Markdown table, with the line below it and its line end; "" where there is none."""
    found = _TABLE_HEADER.match(text, piece.start, piece.end)
    return piece.prefix or (found.group() if found else "")


def _full(sizes: Sequence[int], room: int) -> Groups:
    """Yield ranges of as many as fit, at least one."""
    first, used = 0, 0
    for i, size in enumerate(sizes):
        if i > first and used + size > room:
            yield first, i
            first, used = i, 0
        used += size
    if sizes:
        yield first, len(sizes)


def _each(sizes: Sequence[int], room: int) -> Groups:
    return pairwise(range(len(sizes) + 1))


def _line_groups(lines: Sequence[str], sizes: Sequence[int], room: int) -> Groups:
    """Yield ranges of lines that fit, which end in their second half where a block seems to."""
    first = 0
    while first < len(lines):
        end, used = first + 1, sizes[first]
        while end < len(lines) and used + sizes[end] <= room:
            used += sizes[end]
            end += 1
        if end < len(lines):
            end = max(range((first + end) // 2 + 1, end + 1), key=lambda i: (_break(lines, i), i), default=end)
        yield first, end
        first = end


def _break(lines: Sequence[str], at: int) -> int:
    """Return how well code can be cut before line `at`: best where a definition starts after a blank line."""
    after_blank = not lines[at - 1].strip()
    outermost = bool(lines[at].strip()) and not lines[at][0].isspace() and lines[at][0] not in ")]}"
    return 2 * after_blank + outermost
