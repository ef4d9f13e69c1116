"""Embeds small passages and shows each in the larger one around it."""

from __future__ import annotations

from collections.abc import Iterator

from contracts import Chunk, Document, ParsedFile
from ingestion.splitting.chunk_pieces import Piece, chunk_of, pieces_of
from ingestion.splitting.piece_cutter import PieceCutter
from ingestion.splitting.structural_packing import StructuralPacking
from ingestion.splitting.token_meter import HeadingLine, TokenMeter, Tokens, checked_overlap

_PARENT, _CHILD = 1.5, 0.25  # times `chunk_tokens`
# By tests/benchmarks/bench_chunking.py: larger parents crowd one another out of a prompt of a fixed size.


class ParentChildSplitter:
    """Parents of up to one and a half times `chunk_tokens` are a chunk's text; children of a quarter of `chunk_tokens`
    are its focus. Both are cut along the document's structure. Children of one long paragraph share up to
    `overlap_tokens`, and no more than a third of their size."""

    def __init__(self, tokens: Tokens, heading_line: HeadingLine, *, chunk_tokens: int, overlap_tokens: int) -> None:
        self._overlap = checked_overlap(overlap_tokens, chunk_tokens)
        self._budget = chunk_tokens
        self._parent, self._child = int(_PARENT * chunk_tokens), max(1, int(_CHILD * chunk_tokens))
        self._meter = TokenMeter(tokens, heading_line, most=self._parent)
        self._parents = PieceCutter(self._meter, overlap_tokens=0)
        self._children = PieceCutter(self._meter, overlap_tokens=overlap_tokens)

    @property
    def name(self) -> str:
        """Strategy, sizes and edition: whatever makes the same file come out differently changes it."""
        return f"parent-child-1 {self._budget} {self._overlap}"

    def split(self, document: Document, parsed: ParsedFile) -> tuple[Chunk, ...]:
        """Return a chunk for each child in reading order. `span` holds its parent but for a repeated table header."""
        text, pieces = pieces_of(parsed.elements)
        families = self._families(document.title, text, self._meter.measured(text, pieces))
        return tuple(chunk_of(document, i, text, parent, child) for i, (parent, child) in enumerate(families))

    def _families(self, title: str, text: str, pieces: list[Piece]) -> Iterator[tuple[list[Piece], list[Piece]]]:
        parents = StructuralPacking(self._meter, self._parents, lambda piece: self._parent)
        children = StructuralPacking(self._meter, self._children, self._meter.rooms(title, self._child))
        for parent in parents.pack(text, pieces):
            yield from ((parent, child) for child in children.pack(text, parent))
