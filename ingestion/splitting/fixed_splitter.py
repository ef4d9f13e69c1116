"""Cuts documents into chunks of the same number of tokens, whatever stands in them."""

from __future__ import annotations

from collections.abc import Iterator

from contracts import Chunk, Document, ParsedFile
from ingestion.splitting.chunk_pieces import Piece, chunk_of, pieces_of, pieces_within, stretches
from ingestion.splitting.llamaindex_splitter import LlamaIndexSplitter
from ingestion.splitting.token_meter import HeadingLine, TokenMeter, Tokens, checked_overlap


class FixedSplitter:
    """Cuts between words after `chunk_tokens`, or what the model reads beside the headings; chunks that follow one
    another share `overlap_tokens`. Only pages, and text that cannot be seen, are kept apart."""

    def __init__(self, tokens: Tokens, heading_line: HeadingLine, *, chunk_tokens: int, overlap_tokens: int) -> None:
        self._budget = chunk_tokens
        self._overlap = checked_overlap(overlap_tokens, chunk_tokens)
        self._meter = TokenMeter(tokens, heading_line, most=chunk_tokens)
        self._passages = LlamaIndexSplitter(self._meter, overlap_tokens=overlap_tokens)

    @property
    def name(self) -> str:
        """Strategy, sizes and edition: whatever makes the same file come out differently changes it."""
        return f"fixed-1 {self._budget} {self._overlap}"

    def split(self, document: Document, parsed: ParsedFile) -> tuple[Chunk, ...]:
        """Return the chunks in reading order; `span` holds a chunk's text."""
        text, pieces = pieces_of(parsed.elements)
        groups = (group for stretch in stretches(pieces) for group in self._groups(document.title, text, stretch))
        return tuple(chunk_of(document, position, text, group) for position, group in enumerate(groups))

    def _groups(self, title: str, text: str, stretch: list[Piece]) -> Iterator[list[Piece]]:
        room = min(map(self._meter.rooms(title, self._budget), stretch))
        starts = [piece.start for piece in stretch]
        for part in self._passages.by_token(text, stretch[0].start, stretch[-1].end, room):
            yield pieces_within(stretch, starts, (part.start, part.end))
