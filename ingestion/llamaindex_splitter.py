"""Cuts documents along their structure, and long paragraphs at sentence ends with LlamaIndex's SentenceSplitter."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contracts import Chunk, ConfigurationError, Document, ElementKind, ParsedFile
from ingestion.chunk_pieces import Piece, chunk_of, pieces_of

_TABLE_HEADER = re.compile(r"[^\n]*\|[^\n]*\n\|(?: *:?-+:? *\|)+\n")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s+(?=[^a-z])|[。！？]")
_BLANKS = re.compile(r"\s*")
# LlamaIndex cuts an endless word letter by letter, asking for the tokens of each: minutes for a file of base64.
_ENDLESS_WORD = re.compile(r"\S{1000}")


class LlamaIndexSplitter:
    """Packs what stands under one heading into chunks of up to `chunk_tokens`, page by page.

    Tables are cut between rows and repeat their header. Sections of less than a quarter of a chunk share one, and a
    heading stays with what follows it. `count_tokens` is the tokenizer of the embedder that will read the chunks.

    Example: ``LlamaIndexSplitter(embedder.count_tokens, chunk_tokens=180, chunk_overlap_tokens=24)``
    """

    def __init__(self, count_tokens: Callable[[str], int], *, chunk_tokens: int, chunk_overlap_tokens: int) -> None:
        if not 0 <= chunk_overlap_tokens < chunk_tokens:
            raise ConfigurationError(
                f"The overlap of chunks ({chunk_overlap_tokens} tokens) must be less than their size ({chunk_tokens})."
            )
        self._count = count_tokens
        self._budget = chunk_tokens
        self._overlap = chunk_overlap_tokens
        self._splitter = functools.lru_cache(maxsize=256)(self._sentence_splitter)

    @property
    def name(self) -> str:
        """Strategy, sizes and edition: whatever makes the same file come out differently changes it."""
        return f"structural-1 {self._budget} {self._overlap}"

    def split(self, document: Document, parsed: ParsedFile) -> tuple[Chunk, ...]:
        """Return the chunks in reading order. `span` holds a chunk's text but for a repeated table header."""
        text, pieces = pieces_of(parsed.elements)
        groups = self._pack(text, pieces)
        return tuple(chunk_of(document, position, text, group) for position, group in enumerate(groups))

    def _pack(self, text: str, pieces: Sequence[Piece]) -> list[list[Piece]]:
        groups: list[list[Piece]] = []
        current: list[Piece] = []
        for piece in pieces:
            if current and self._joins(text, current, piece):
                current.append(piece)
                continue
            body, titles = _trailing_titles(current, piece)
            room = self._budget - (self._count(text[titles[0].start : piece.start]) if titles else 0)
            if titles and room < self._budget // 2:
                body, titles, room = current, [], self._budget
            first, *rest = self._cut(text, piece, room)
            if titles and not self._fits(text, titles[0].start, first.end):
                body, titles = current, []
            if body:
                groups.append(body)
            current = [*titles, first]
            for cut in rest:
                groups.append(current)
                current = [cut]
        return [*groups, current] if current else groups

    def _joins(self, text: str, current: Sequence[Piece], piece: Piece) -> bool:
        if piece.page != current[-1].page or current[-1].kind is ElementKind.TABLE:
            return False
        opens = piece.kind in (ElementKind.TITLE, ElementKind.TABLE)
        only_titles = all(other.kind is ElementKind.TITLE for other in current)
        if opens and not only_titles and self._count(text[current[0].start : current[-1].end]) >= self._budget // 4:
            return False
        return self._fits(text, current[0].start, piece.end)

    def _fits(self, text: str, start: int, end: int) -> bool:
        return self._count(text[start:end]) <= self._budget

    def _cut(self, text: str, piece: Piece, room: int) -> list[Piece]:
        """Cut a piece into ones of up to `room` tokens; the first of them never has a prefix."""
        if self._count(text[piece.start : piece.end]) <= room:
            return [piece]
        header = _TABLE_HEADER.match(text, piece.start, piece.end) if piece.kind is ElementKind.TABLE else None
        if header and self._count(header.group()) <= room // 2:
            return list(self._cut_table(text, piece, header, room))
        return [piece.cut(*span) for span in self._spans(text, piece.start, piece.end, room)]

    def _cut_table(self, text: str, piece: Piece, header: re.Match[str], room: int) -> Iterator[Piece]:
        start = piece.start
        for end in self._row_ends(text, piece, header, room):
            prefix = "" if start == piece.start else header.group()
            body = header.end() if start == piece.start else start
            if self._count(prefix + text[start:end]) <= room:
                yield piece.cut(start, end, prefix)
            else:  # one row that is too long
                left = room - self._count(header.group())
                for i, (low, high) in enumerate(self._spans(text, body, end, left)):
                    opens = start == piece.start and i == 0
                    yield piece.cut(start if opens else low, high, "" if opens else header.group())
            start = end + 1

    def _row_ends(self, text: str, piece: Piece, header: re.Match[str], room: int) -> Iterator[int]:
        """Yield where to end a part: after as many rows as fit beside the header, at least one."""
        left = room - self._count(header.group())
        used, previous = 0, header.end()
        for row in re.finditer(r"[^\n]+", text[header.end() : piece.end]):
            tokens = self._count(row.group())
            if used and used + tokens > left:
                yield previous
                used = 0
            used, previous = used + tokens, header.end() + row.end()
        yield previous

    def _spans(self, text: str, start: int, end: int, room: int) -> list[tuple[int, int]]:
        """Return ranges of up to `room` tokens that together cover what stands between `start` and `end`."""
        passage = text[start:end]
        rough = [(0, len(passage))]
        if not _ENDLESS_WORD.search(passage):
            # It fails where a single letter has more tokens than there is room for: halving gets nearest.
            with contextlib.suppress(ValueError):
                rough = _located(passage, self._splitter(room).split_text(passage))
        halves = (half for low, high in rough for half in self._halved(passage, low, high, room))
        return [(start + low, start + high) for low, high in halves]

    def _halved(self, passage: str, low: int, high: int, room: int) -> Iterator[tuple[int, int]]:
        if high - low < 2 or self._count(passage[low:high]) <= room:
            yield low, high
            return
        middle = (low + high) // 2
        space = max(passage.rfind(" ", low + 1, middle), passage.rfind("\n", low + 1, middle))
        at = space if space > (3 * low + high) // 4 else middle
        yield from self._halved(passage, low, at, room)
        yield from self._halved(passage, at, high, room)

    def _sentence_splitter(self, room: int) -> Any:
        from llama_index.core.node_parser import SentenceSplitter

        return SentenceSplitter(
            chunk_size=room,
            chunk_overlap=min(self._overlap, room // 3),
            paragraph_separator="\n",
            chunking_tokenizer_fn=_sentences,  # LlamaIndex's own asks for files of NLTK, and may fetch them
            tokenizer=lambda text: range(self._count(text)),  # only its length is asked for
        )


def _trailing_titles(current: Sequence[Piece], piece: Piece) -> tuple[list[Piece], list[Piece]]:
    """Part off the headings at the end of `current` if they can go with `piece`."""
    at = len(current)
    while at and current[at - 1].kind is ElementKind.TITLE and current[at - 1].page == piece.page:
        at -= 1
    return list(current[:at]), list(current[at:])


def _sentences(text: str) -> list[str]:
    """Cut at sentence ends and lose no character."""
    cuts = [0, *(end.end() for end in _SENTENCE_END.finditer(text)), len(text)]
    return [text[low:high] for low, high in itertools.pairwise(cuts) if low < high]


def _located(passage: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the parts stand in the passage.

    They follow one another, overlapping or with white space between. Each is looked for as far on as it may begin
    without leaving a gap, so that nothing is lost where a text repeats itself; a part that then brings nothing new is
    left out.
    """
    spans: list[tuple[int, int]] = []
    end = 0
    for part in parts:
        blanks = _BLANKS.match(passage, end)
        reach = blanks.end() if blanks else end
        start = passage.rfind(part, 0, reach + len(part))
        if start < 0:
            raise ValueError(f"{part!r} is no part of the passage")
        if start + len(part) > end:
            end = start + len(part)
            spans.append((start, end))
    return spans
