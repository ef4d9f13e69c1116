"""The binary format of PowerPoint 97 to 2003 as far as text needs it: its tree of records and where its slides lie.

Record names are those of Microsoft's specification [MS-PPT].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

DOCUMENT, SLIDE, SLIDE_ATOM, NOTES, SLIDE_PERSIST, SLIDE_INFO = 0x03E8, 0x03EE, 0x03EF, 0x03F0, 0x03F3, 0x03F9
DRAWING, SLIDE_LIST, HEADERS_FOOTERS, COMMENT = 0x040C, 0x0FF0, 0x0FD9, 0x2EE0
TEXT_REFERENCE, TEXT_HEADER, TEXT_CHARS, TEXT_BYTES, STRING = 0x0F9E, 0x0F9F, 0x0FA0, 0x0FA8, 0x0FBA
GROUP, SHAPE, TEXT_BOX, CHILD_ANCHOR, OTHER_OPTIONS = 0xF003, 0xF004, 0xF00D, 0xF00F, 0xF122
_USER_EDIT, _PERSIST_DIRECTORY, _TAG_DATA = 0x0FF5, 0x1772, 0x138B
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the stream: what kind it is, which of several of its kind, and what it holds."""

    kind: int
    instance: int
    content: bytes
    container: bool

    def children(self) -> Iterator[Record]:
        if self.container or self.kind == _TAG_DATA:
            yield from records(self.content)

    def find(self, kind: int) -> Iterator[Record]:
        """Yield the records of this kind below, outermost first; not those inside one another."""
        yield from _find(self, kind, _DEEPEST)


def records(stream: bytes) -> Iterator[Record]:
    """Yield the records that follow one another."""
    place = 0
    while place + 8 <= len(stream):
        head, kind, size = struct.unpack_from("<HHI", stream, place)
        yield Record(kind, head >> 4, stream[place + 8 : place + 8 + size], head & 0xF == 0xF)
        place += 8 + size


def persistent_objects(stream: bytes, current_user: bytes) -> dict[int, Record]:
    """Return the slides, notes and so on that the file's last edit left in it, by their persist id. 2.1.2"""
    places: dict[int, int] = {}
    edit = struct.unpack_from("<I", current_user, 16)[0]
    seen: set[int] = set()
    while edit and edit not in seen:
        seen.add(edit)
        _, previous, directory = struct.unpack_from("<III", stream, edit + 8 + 4)
        for identifier, place in _directory(next(records(stream[directory:])).content):
            places.setdefault(identifier, place)
        edit = previous
    return {identifier: next(records(stream[place:])) for identifier, place in places.items() if place < len(stream)}


def _directory(content: bytes) -> Iterator[tuple[int, int]]:
    place = 0
    while place + 4 <= len(content):
        head = struct.unpack_from("<I", content, place)[0]
        first, count = head & 0xFFFFF, head >> 20
        for number in range(count):
            yield first + number, struct.unpack_from("<I", content, place + 4 + 4 * number)[0]
        place += 4 + 4 * count


def _find(record: Record, kind: int, deeper: int) -> Iterator[Record]:
    for child in record.children() if deeper else ():
        if child.kind == kind:
            yield child
        else:
            yield from _find(child, kind, deeper - 1)
