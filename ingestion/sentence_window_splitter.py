"""Embeds each sentence by itself and shows it in the window of its neighbours."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from contracts import Chunk, Document, ElementKind, ParsedFile
from ingestion.chunk_pieces import Piece, chunk_of, pieces_of
from ingestion.piece_cutter import PieceCutter
from ingestion.sentencex_sentences import sentences
from ingestion.token_meter import HeadingLine, TokenMeter, Tokens

Unit = list[Piece]


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
