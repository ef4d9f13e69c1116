"""What a splitter packs: stretches of a document's text with their place, their headings and their boxes."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts import Box, Chunk, Document, Element, ElementKind

SEPARATOR = "\n\n"  # between elements in a version's text


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one element: `start` and `end` count characters of the document's text. `prefix` is said before
    it in its chunk: the header of a table that began in an earlier one."""

    start: int
    end: int
    kind: ElementKind
    page: int | None
    headings: tuple[str, ...]
    boxes: tuple[Box, ...]
    prefix: str = ""

    def cut(self, start: int, end: int, prefix: str = "") -> Piece:
        """Return the part from `start` to `end`, with the boxes of the lines that it is likely to cover."""
        length = self.end - self.start
        low, high = (start - self.start) / length, (end - self.start) / length
        return replace(self, start=start, end=end, prefix=prefix, boxes=_boxes_between(self.boxes, low, high))


def pieces_of(elements: Sequence[Element]) -> tuple[str, list[Piece]]:
    """Return the document's text and one piece for each element that holds any."""
    pieces: list[Piece] = []
    path: list[Element] = []
    start = 0
    for element in elements:
        if element.kind is ElementKind.TITLE:
            path = [title for title in path if title.level < element.level] + [element]
        if element.text.strip():
            headings = tuple(title.text for title in path)
            end = start + len(element.text)
            pieces.append(Piece(start, end, element.kind, element.page, headings, element.boxes))
        start += len(element.text) + len(SEPARATOR)
    return SEPARATOR.join(element.text for element in elements), pieces


def chunk_of(document: Document, position: int, text: str, pieces: Sequence[Piece]) -> Chunk:
    """Return the chunk that the pieces, which follow one another on one page, make up."""
    start, end = pieces[0].start, pieces[-1].end
    passage = pieces[0].prefix + text[start:end]
    key = f"{document.version}:{position}:{passage}"
    return Chunk(
        id=hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32],
        document_id=document.id,
        version=document.version,
        position=position,
        text=passage,
        span=(start, end),
        page=pieces[0].page,
        boxes=tuple(dict.fromkeys(box for piece in pieces for box in piece.boxes)),
        headings=_shared_headings(pieces),
        kind=_kind(pieces),
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
