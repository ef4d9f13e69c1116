"""Reads PowerPoint 97 to 2003 presentations: titles, texts, tables, speaker notes and comments of each slide."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from contracts import Element, ElementKind
from ingestion.parsing.markdown_tables import markdown_table
from ingestion.parsing.office import ppt_records as ppt
from ingestion.parsing.office.ppt_records import Record, persistent_objects

_SLIDES, _NOTES = 0, 2  # instances of SlideListWithTextContainer
_TITLES = frozenset({0, 6})  # TextTypeEnum
_BODIES = frozenset({1, 5, 7, 8})
_HIDDEN = 0x0004  # fHidden of SlideShowSlideInfoAtom
_IS_TABLE = 0x039F  # tableProperties of OfficeArt
_MARKS = {0x0B: "\n", 0xA0: " "} | dict.fromkeys(range(1, 9))
_Text = tuple[int, str]  # TextTypeEnum and what is said


def read_ppt(data: bytes) -> tuple[Element, ...]:
    """Return the elements of the presentation, each slide a page. Raises OSError or struct.error when damaged."""
    import olefile

    with olefile.OleFileIO(io.BytesIO(data)) as container:
        stream = container.openstream("PowerPoint Document").read()
        objects = persistent_objects(stream, container.openstream("Current User").read())
    document = next(record for record in objects.values() if record.kind == ppt.DOCUMENT)
    return tuple(_Deck(objects).elements(document))


@dataclass
class _Deck:
    objects: dict[int, Record]

    def elements(self, document: Record) -> Iterator[Element]:
        lists = {listed.instance: listed for listed in document.children() if listed.kind == ppt.SLIDE_LIST}
        notes = {number: found for _, number, found, _ in self._listed(lists.get(_NOTES))}
        said: set[str] = set()
        for page, (_, _, slide, outline) in enumerate(self._listed(lists.get(_SLIDES)), start=1):
            hidden = any(struct.unpack_from("<H", info.content, 10)[0] & _HIDDEN for info in slide.find(ppt.SLIDE_INFO))
            for element in (*_shapes(slide, outline), *_beside(slide, said), *_notes(slide, notes)):
                yield Element(element.text, element.kind, page=page, hidden=hidden, level=element.level)

    def _listed(self, listed: Record | None) -> Iterator[tuple[int, int, Record, list[_Text]]]:
        """Yield (persist id, slide id, object, outline texts) for each entry of the list."""
        entries: list[tuple[int, int, list[_Text]]] = []
        kind = 4
        for record in listed.children() if listed else ():
            if record.kind == ppt.SLIDE_PERSIST:
                persist, _, _, identifier = struct.unpack_from("<4I", record.content)
                entries.append((persist, identifier, []))
            elif record.kind == ppt.TEXT_HEADER:
                kind = struct.unpack_from("<I", record.content)[0]
            elif entries and (text := _decoded(record)):
                entries[-1][2].append((kind, text))
        for persist, identifier, texts in entries:
            if persist in self.objects:
                yield persist, identifier, self.objects[persist], texts


def _shapes(slide: Record, outline: list[_Text]) -> Iterator[Element]:
    """Yield what the shapes say, the title first, and what only the outline says."""
    used: set[int] = set()
    found: list[Element] = []
    for drawing in slide.children():
        if drawing.kind == ppt.DRAWING:
            found += _in_drawing(drawing, outline, used)
    found += [e for number, text in enumerate(outline) if number not in used for e in _paragraphs(*text)]
    yield from sorted(found, key=lambda element: element.kind is not ElementKind.TITLE)


def _in_drawing(node: Record, outline: list[_Text], used: set[int]) -> Iterator[Element]:
    for record in node.children():
        if record.kind == ppt.GROUP and _is_table(record):
            table = markdown_table(_cells(record))
            if table:
                yield Element(table, kind=ElementKind.TABLE)
        elif record.kind == ppt.TEXT_BOX:
            for kind, text in _texts(record, outline, used):
                yield from _paragraphs(kind, text)
        else:
            yield from _in_drawing(record, outline, used)


def _texts(box: Record, outline: list[_Text], used: set[int]) -> Iterator[_Text]:
    kind = 4
    for record in box.children():
        if record.kind == ppt.TEXT_HEADER:
            kind = struct.unpack_from("<I", record.content)[0]
        elif record.kind == ppt.TEXT_REFERENCE:
            number = struct.unpack_from("<I", record.content)[0]
            if number < len(outline):
                used.add(number)
                yield outline[number]
        elif text := _decoded(record):
            yield kind, text


def _paragraphs(kind: int, text: str) -> Iterator[Element]:
    if kind in _TITLES:
        yield Element(" ".join(text.split()), kind=ElementKind.TITLE)
        return
    parts = [part.strip() for part in text.split("\r") if part.strip()]
    listed = kind in _BODIES and len(parts) > 1
    for part in parts:
        yield Element(f"- {part}", kind=ElementKind.LIST) if listed else Element(part)


def _is_table(group: Record) -> bool:
    """Return whether the group's own shape, its first, says that it is a table."""
    shape = next((child for child in group.children() if child.kind == ppt.SHAPE), None)
    options = [record for record in shape.children() if record.kind == ppt.OTHER_OPTIONS] if shape else []
    return any(
        struct.unpack_from("<H", option.content, 6 * number)[0] & 0x3FFF == _IS_TABLE
        for option in options
        for number in range(min(option.instance, len(option.content) // 6))
    )


def _cells(group: Record) -> list[list[str]]:
    """Return the texts of the table's cells by their places, of which a line is one of the tops or lefts."""
    placed: dict[tuple[int, int], str] = {}
    for shape in group.children():
        anchor = next((r for r in shape.children() if r.kind == ppt.CHILD_ANCHOR and len(r.content) >= 16), None)
        texts = [text for box in shape.children() if box.kind == ppt.TEXT_BOX for _, text in _texts(box, [], set())]
        if anchor and texts:
            left, top = struct.unpack_from("<ii", anchor.content)
            placed[top, left] = " ".join(texts)
    tops, lefts = sorted({top for top, _ in placed}), sorted({left for _, left in placed})
    return [[placed.get((top, left), "") for left in lefts] for top in tops]


def _beside(slide: Record, said: set[str]) -> Iterator[Element]:
    """Yield the slide's comments, and its header and footer where they have not been said before."""
    for comment in slide.find(ppt.COMMENT):
        strings = {
            r.instance: r.content.decode("utf-16-le", "replace") for r in comment.children() if r.kind == ppt.STRING
        }
        if text := strings.get(1, "").strip():
            by = f" by {strings[0]}" if strings.get(0) else ""
            yield Element(f"Comment{by}: {text}")
    for frame in slide.find(ppt.HEADERS_FOOTERS):
        for text in (
            r.content.decode("utf-16-le", "replace").strip() for r in frame.children() if r.kind == ppt.STRING
        ):
            if text and text not in said:
                said.add(text)
                yield Element(text)


def _notes(slide: Record, notes: dict[int, Record]) -> Iterator[Element]:
    atom = next((record for record in slide.children() if record.kind == ppt.SLIDE_ATOM), None)
    page = notes.get(struct.unpack_from("<I", atom.content, 16)[0]) if atom and len(atom.content) >= 20 else None
    for box in page.find(ppt.TEXT_BOX) if page else ():
        for _, text in _texts(box, [], set()):
            yield from (Element(part.strip()) for part in text.split("\r") if part.strip() not in ("", "*"))


def _decoded(record: Record) -> str:
    if record.kind == ppt.TEXT_CHARS:
        return record.content.decode("utf-16-le", "replace").translate(_MARKS).strip()
    if record.kind == ppt.TEXT_BYTES:
        return record.content.decode("latin-1").translate(_MARKS).strip()
    return ""
