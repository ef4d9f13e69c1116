"""Embeds each sentence by itself and shows it in the window of its neighbours."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from contracts import Chunk, Document, ElementKind, ParsedFile
from ingestion.splitting.chunk_pieces import Piece, chunk_of, pieces_of
from ingestion.splitting.piece_cutter import PieceCutter
from ingestion.splitting.sentencex_sentences import sentences
from ingestion.splitting.token_meter import HeadingLine, TokenMeter, Tokens

Unit = list[Piece]

_SHORT = 40  # characters; a shorter sentence says too little by itself to be found


class SentenceWindowSplitter:
    """A sentence, with the headings right before it, a list item, a table row under its header or a line of code is one
    chunk's focus; the text around it, up to `chunk_tokens` within its page and section, is the chunk's text.

    LlamaIndex's SentenceWindowNodeParser counts sentences instead of tokens, joins them with spaces of its own, and
    knows neither pages nor places, so that nothing could be cited by it.
    """

    def __init__(self, tokens: Tokens, heading_line: HeadingLine, *, chunk_tokens: int) -> None:
        self._budget = chunk_tokens
        self._meter = TokenMeter(tokens, heading_line, most=chunk_tokens)
        self._cutter = PieceCutter(self._meter, overlap_tokens=0)

    @property
    def name(self) -> str:
        """Strategy, sizes and edition: whatever makes the same file come out differently changes it."""
        return f"sentence-window-1 {self._budget}"

    def split(self, document: Document, parsed: ParsedFile) -> tuple[Chunk, ...]:
        """Return a chunk for each sentence in reading order. `span` holds its text but for a repeated table header."""
        text, pieces = pieces_of(parsed.elements)
        units = self._units(text, pieces, self._meter.rooms(document.title, self._budget))
        sections = (list(section) for _, section in itertools.groupby(units, _section))
        windows = (found for section in sections for found in self._windows(section))
        return tuple(chunk_of(document, i, text, window, focus) for i, (window, focus) in enumerate(windows))

    def _units(self, text: str, pieces: Sequence[Piece], room_for: Callable[[Piece], int]) -> Iterator[Unit]:
        unit: Unit = []
        for part in self._parts(text, pieces, room_for):
            fits = unit and unit[-1].beside(part) and self._meter.together([*unit, part]) <= room_for(part)
            if unit and not fits:
                yield unit
                unit = []
            unit.append(part)
            if part.kind is not ElementKind.TITLE:
                yield unit
                unit = []
        if unit:
            yield unit

    def _parts(self, text: str, pieces: Sequence[Piece], room_for: Callable[[Piece], int]) -> Iterator[Piece]:
        bare = [part for piece in pieces for part in _sentences(text, piece)]
        for part in self._meter.measured(text, bare):
            if part.kind is ElementKind.TABLE:
                yield from self._cutter.rows(text, part, room_for(part))
            else:
                yield from self._cutter.cut(text, part, room_for(part))

    def _windows(self, section: Sequence[Unit]) -> Iterator[tuple[Unit, Unit]]:
        header = max(unit[0].prefix_tokens for unit in section)
        between = self._meter.separator
        sizes = [self._meter.together(unit) - unit[0].prefix_tokens + between for unit in section]
        for i, unit in enumerate(section):
            low, high = _window(sizes, i, self._budget - header + between)
            yield [piece for around in section[low:high] for piece in around], unit


def _sentences(text: str, piece: Piece) -> Iterator[Piece]:
    """Yield the sentences of prose, short ones with the next; anything else as it is."""
    if piece.kind not in (ElementKind.TEXT, ElementKind.IMAGE):
        yield piece
        return
    start = end = piece.start
    for sentence in sentences(text[piece.start : piece.end]):
        end += len(sentence)
        said = text[start:end].strip()
        if len(said) >= _SHORT or (said and end == piece.end):
            low = text.index(said[0], start)
            yield piece.cut(low, low + len(said))
            start = end


def _section(unit: Unit) -> tuple[object, ...]:
    body = unit[-1]
    return body.page, body.hidden, body.headings, body.kind is ElementKind.TABLE


def _window(sizes: Sequence[int], at: int, room: int) -> tuple[int, int]:
    """Return the range around `at` that fits, with as many before it as after it where there are."""
    low, high, used = at, at + 1, sizes[at]
    while low > 0 or high < len(sizes):
        before = low > 0 and (high == len(sizes) or at - low < high - at)
        used += sizes[low - 1] if before else sizes[high]
        if used > room:
            break
        low, high = (low - 1, high) if before else (low, high + 1)
    return low, high
