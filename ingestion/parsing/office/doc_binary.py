"""The binary format of Word 97 to 2003 as far as text needs it: pieces, properties of paragraphs and runs, styles.

Section numbers are those of Microsoft's specification [MS-DOC].
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Properties = Mapping[int, int]  # operand by sprm, 2.6

ILVL, ILFO, IN_TABLE, ROW_END, OUTLINE, STYLE = 0x260A, 0x460B, 0x2416, 0x2417, 0x2640, 0x4600
INNER_CELL, INNER_ROW_END, DEPTH = 0x244B, 0x244C, 0x6649
DELETED, HIDDEN = 0x0800, 0x083C
_TABLE_DEFINITION = 0xD608
_OPERAND_SIZES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}  # by the sprm's upper three bits, 2.2.5.1
_CHPX, _PAPX, _STYLES, _CLX, LISTS, LIST_OVERRIDES = 12, 13, 1, 33, 73, 74  # places in FibRgFcLcb97, 2.5.6
_HEADING_STYLES = {**{number: number for number in range(1, 10)}, 62: 1}  # sti of Heading 1 to 9 and Title
_PAGE = 512


@dataclass(frozen=True, slots=True)
class Run:
    """Properties of the bytes from `start` to `end` of the document stream; `style` is an index of the style sheet."""

    start: int
    end: int
    properties: Properties
    style: int = 0


class Runs:
    """Finds the run that a byte belongs to."""

    def __init__(self, runs: list[Run]) -> None:
        self._runs = sorted(runs, key=lambda run: run.start)
        self._starts = [run.start for run in self._runs]

    def at(self, offset: int) -> Run:
        index = bisect.bisect_right(self._starts, offset) - 1
        found = self._runs[index] if index >= 0 else None
        return found if found is not None and offset < found.end else Run(offset, offset, {})


class DocBinary:
    """One document: its stream, its table stream, and what the header at its start points to."""

    def __init__(self, main: bytes, table: bytes) -> None:
        self.main = main
        self._table = table
        self.paragraph_runs = Runs(list(self._formatted(_PAPX)))
        self.character_runs = Runs(list(self._formatted(_CHPX)))

    def lengths(self) -> tuple[int, ...]:
        """Return the numbers of characters: body, footnotes, headers, macros, comments, endnotes, text boxes, those of
        headers. 2.5.4"""
        return struct.unpack_from("<8i", self.main, 0x4C)

    def pieces(self) -> Iterator[tuple[int, str, int]]:
        """Yield (byte offset in the stream, text, bytes per character) in the order of the text. 2.9.38, 2.8.35"""
        clx = self.part(_CLX)
        place = 0
        while place < len(clx) and clx[place] == 1:
            place += 3 + struct.unpack_from("<H", clx, place + 1)[0]
        size = struct.unpack_from("<I", clx, place + 1)[0]
        count = (size - 4) // 12
        starts = struct.unpack_from(f"<{count + 1}i", clx, place + 5)
        for number in range(count):
            where = struct.unpack_from("<I", clx, place + 5 + 4 * (count + 1) + 8 * number + 2)[0]
            narrow = bool(where & 0x40000000)
            offset = (where & 0x3FFFFFFF) // (2 if narrow else 1)
            width = 1 if narrow else 2
            raw = self.main[offset : offset + (starts[number + 1] - starts[number]) * width]
            yield offset, raw.decode("cp1252" if narrow else "utf-16-le", "replace"), width

    def part(self, number: int) -> bytes:
        """Return the part of the table stream that the header's pair with this number points to."""
        start, size = struct.unpack_from("<II", self.main, 0x9A + 8 * number)
        return self._table[start : start + size]

    def after(self, number: int) -> bytes:
        """Return what follows that part in the table stream."""
        start, size = struct.unpack_from("<II", self.main, 0x9A + 8 * number)
        return self._table[start + size :]

    def styles(self) -> list[Properties]:
        """Return the properties of each paragraph style, with those of the styles it is based on. 2.9.260"""
        sheet = self.part(_STYLES)
        if len(sheet) < 6:
            return []
        base_size = struct.unpack_from("<H", sheet, 4)[0]
        place = 2 + struct.unpack_from("<H", sheet, 0)[0]
        own: list[tuple[dict[int, int], int]] = []
        while place + 2 <= len(sheet):
            size = struct.unpack_from("<H", sheet, place)[0]
            own.append(_style(sheet[place + 2 : place + 2 + size], base_size))
            place += 2 + size
        return [_inherited(own, index) for index in range(len(own))]

    def _formatted(self, number: int) -> Iterator[Run]:
        """Yield the runs of the pages (FKP) that hold properties of paragraphs or characters. 2.9.32, 2.9.179"""
        plc = self.part(number)
        count = max((len(plc) - 4) // 8, 0)
        for page in struct.unpack_from(f"<{count}I", plc, 4 * (count + 1)) if count else ():
            fkp = self.main[(page & 0x3FFFFF) * _PAGE :][:_PAGE]
            if len(fkp) < _PAGE:
                continue
            runs = min(fkp[511], 101)
            bounds = struct.unpack_from(f"<{runs + 1}I", fkp, 0)
            width = 13 if number == _PAPX else 1
            for run in range(runs):
                place = 2 * fkp[4 * (runs + 1) + width * run]
                style, stored = (_papx if number == _PAPX else _chpx)(fkp, place)
                yield Run(bounds[run], bounds[run + 1], dict(_sprms(stored)), style)


def _papx(fkp: bytes, place: int) -> tuple[int, bytes]:
    if not place or place + 4 > _PAGE:
        return 0, b""
    size = 2 * fkp[place] - 1 if fkp[place] else 2 * fkp[place + 1]
    place += 1 if fkp[place] else 2
    return int.from_bytes(fkp[place : place + 2], "little"), fkp[place + 2 : place + size]


def _chpx(fkp: bytes, place: int) -> tuple[int, bytes]:
    return 0, fkp[place + 1 : place + 1 + fkp[place]] if place else b""


def _sprms(stored: bytes) -> Iterator[tuple[int, int]]:
    """Yield the properties of a grpprl with their operands as numbers. 2.2.5"""
    place = 0
    while place + 3 <= len(stored):
        sprm = struct.unpack_from("<H", stored, place)[0]
        place += 2
        size = _OPERAND_SIZES.get(sprm >> 13)
        if size is None:
            wide = sprm == _TABLE_DEFINITION
            size = struct.unpack_from("<H", stored.ljust(place + 2, b"\0"), place)[0] + 1 if wide else stored[place] + 1
        else:
            yield sprm, int.from_bytes(stored[place : place + size], "little")
        place += size


def _style(std: bytes, base_size: int) -> tuple[dict[int, int], int]:
    """Return a style's own paragraph properties and the index of the style it is based on. 2.9.258"""
    if len(std) < base_size + 2 or base_size < 4:
        return {}, 0xFFF
    number, based_on = struct.unpack_from("<HH", std, 0)
    properties = {OUTLINE: level - 1} if (level := _HEADING_STYLES.get(number & 0xFFF)) else {}
    place = base_size + 2 + 2 * (struct.unpack_from("<H", std, base_size)[0] + 1)
    if based_on & 0xF == 1 and place + 4 <= len(std):
        size = struct.unpack_from("<H", std, place)[0]
        properties = {**properties, **dict(_sprms(std[place + 4 : place + 2 + size]))}
    return properties, based_on >> 4


def _inherited(own: list[tuple[dict[int, int], int]], index: int) -> Properties:
    chain: list[dict[int, int]] = []
    while index < len(own) and len(chain) < 12:
        chain.append(own[index][0])
        index = own[index][1]
    return {sprm: operand for properties in reversed(chain) for sprm, operand in properties.items()}
