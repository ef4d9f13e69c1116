"""What a splitter packs: stretches of a document's text with their place, their headings and their boxes."""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts import Box, Chunk, Document, Element, ElementKind

SEPARATOR = "\n\n"  # between elements in a version's text


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one element: `start` and `end` count characters of the document's text. `prefix` is said before
    it where it opens a chunk: the header of a table that began earlier. `tokens` and `prefix_tokens` are their sizes,
    0 while they are not known."""

    start: int
    end: int
    kind: ElementKind
    page: int | None
    headings: tuple[str, ...]
    boxes: tuple[Box, ...]
    hidden: bool = False
    prefix: str = ""
    tokens: int = 0
    prefix_tokens: int = 0

    def cut(self, start: int, end: int, tokens: int = 0, prefix: str = "", prefix_tokens: int = 0) -> Piece:
        """Return the part from `start` to `end`, with the boxes of the lines that it is likely to cover."""
        length = self.end - self.start
        low, high = (start - self.start) / length, (end - self.start) / length
        boxes = _boxes_between(self.boxes, low, high)
        place = replace(self, start=start, end=end, boxes=boxes)
        return replace(place, tokens=tokens, prefix=prefix, prefix_tokens=prefix_tokens)

    def beside(self, other: Piece) -> bool:
        """Return whether both may stand in one chunk: on one page, and both visible or both hidden."""
        return self.page == other.page and self.hidden == other.hidden


def pieces_of(elements: Sequence[Element]) -> tuple[str, list[Piece]]:
    """Return the document's text and one piece for each element that holds any. A hidden title heads nothing: its
    words would be embedded with visible text."""
    pieces: list[Piece] = []
    path: list[Element] = []
    headings: tuple[str, ...] = ()
    start = 0
    for element in elements:
        if element.kind is ElementKind.TITLE and not element.hidden:
            path = [title for title in path if title.level < element.level] + [element]
            headings = tuple(title.text for title in path)
        if element.text.strip():
            end = start + len(element.text)
            pieces.append(Piece(start, end, element.kind, element.page, headings, element.boxes, element.hidden))
        start += len(element.text) + len(SEPARATOR)
    return SEPARATOR.join(element.text for element in elements), pieces


def stretches(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces in runs of one page, either visible or hidden."""
    return [list(run) for _, run in itertools.groupby(pieces, lambda piece: (piece.page, piece.hidden))]


def pieces_within(pieces: Sequence[Piece], starts: Sequence[int], span: tuple[int, int]) -> list[Piece]:
    """Return what lies in the span, cut to it; `starts` are where the pieces start."""
    start, end = span
    first = max(0, bisect_right(starts, start) - 1)
    found = (piece for piece in pieces[first : bisect_left(starts, end)] if piece.end > start)
    return [_clipped(piece, start, end) for piece in found]


def _clipped(piece: Piece, start: int, end: int) -> Piece:
    inside = start <= piece.start and piece.end <= end
    return piece if inside else piece.cut(max(start, piece.start), min(end, piece.end))


def passage_of(text: str, pieces: Sequence[Piece]) -> str:
    """Return what the pieces, which follow one another, say."""
    return pieces[0].prefix + text[pieces[0].start : pieces[-1].end]


def chunk_of(
    document: Document, position: int, text: str, pieces: Sequence[Piece], focus: Sequence[Piece] = ()
) -> Chunk:
    """Return the chunk that the pieces, which follow one another on one page, make up. `focus` are those that stand for
    it in the index, where not all do; the headings are theirs."""
    passage = passage_of(text, pieces)
    in_focus = passage_of(text, focus) if focus else ""
    key = f"{document.version}:{position}:{passage}"
    return Chunk(
        id=hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32],
        document_id=document.id,
        version=document.version,
        position=position,
        text=passage,
        span=(pieces[0].start, pieces[-1].end),
        page=pieces[0].page,
        boxes=tuple(dict.fromkeys(box for piece in pieces for box in piece.boxes)),
        headings=_shared_headings(focus or pieces),
        kind=_kind(pieces),
        focus="" if in_focus == passage else in_focus,
        hidden=pieces[0].hidden,
    )


def _shared_headings(pieces: Sequence[Piece]) -> tuple[str, ...]:
    bodies = [piece for piece in pieces if piece.kind is not ElementKind.TITLE] or [pieces[-1]]
    columns = zip(*(body.headings for body in bodies), strict=False)
    return tuple(column[0] for column in itertools.takewhile(lambda column: len(set(column)) == 1, columns))


def _kind(pieces: Sequence[Piece]) -> ElementKind:
    kinds = {piece.kind for piece in pieces}
    if ElementKind.TABLE in kinds:
        return ElementKind.TABLE
    bodies = kinds - {ElementKind.TITLE}
    if len(bodies) > 1:
        return ElementKind.TEXT
    return next(iter(bodies), ElementKind.TITLE)


def _boxes_between(boxes: Sequence[Box], low: float, high: float) -> tuple[Box, ...]:
    """Return the boxes that hold the text from `low` to `high`, as fractions, if text fills lines evenly."""
    if not boxes:
        return ()
    widths = [box.x1 - box.x0 for box in boxes]
    total = sum(widths) or 1.0
    ends = [end / total for end in itertools.accumulate(widths)]
    lines = zip(boxes, [0.0, *ends[:-1]], ends, strict=True)
    return tuple(box for box, begin, end in lines if begin < high and end > low) or tuple(boxes)
