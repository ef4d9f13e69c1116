"""Cuts documents along their structure: headings, lists, tables, code, pages; long paragraphs at sentence ends."""

from __future__ import annotations

from contracts import Chunk, Document, ParsedFile
from ingestion.splitting.chunk_pieces import chunk_of, pieces_of
from ingestion.splitting.piece_cutter import PieceCutter
from ingestion.splitting.structural_packing import StructuralPacking
from ingestion.splitting.token_meter import HeadingLine, TokenMeter, Tokens, checked_overlap


class StructuralSplitter:
    """Packs what stands under one heading into chunks of up to `chunk_tokens`, page by page, and of no more than the
    model reads beside the headings. The parts of a long paragraph share up to `overlap_tokens`.

    Example: ``StructuralSplitter(embedder, heading_line, chunk_tokens=180, overlap_tokens=24)``
    """

    def __init__(self, tokens: Tokens, heading_line: HeadingLine, *, chunk_tokens: int, overlap_tokens: int) -> None:
        self._budget = chunk_tokens
        self._overlap = checked_overlap(overlap_tokens, chunk_tokens)
        self._meter = TokenMeter(tokens, heading_line, most=chunk_tokens)
        self._cutter = PieceCutter(self._meter, overlap_tokens=overlap_tokens)

    @property
    def name(self) -> str:
        """Strategy, sizes and edition: whatever makes the same file come out differently changes it."""
        return f"structural-2 {self._budget} {self._overlap}"

    def split(self, document: Document, parsed: ParsedFile) -> tuple[Chunk, ...]:
        """Return the chunks in reading order. `span` holds a chunk's text but for a repeated table header."""
        text, pieces = pieces_of(parsed.elements)
        room_for = self._meter.rooms(document.title, self._budget)
        groups = StructuralPacking(self._meter, self._cutter, room_for).pack(text, self._meter.measured(text, pieces))
        return tuple(chunk_of(document, position, text, group) for position, group in enumerate(groups))
