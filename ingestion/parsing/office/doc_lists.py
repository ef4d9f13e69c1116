"""Counts the items of the lists in a Word 97 to 2003 document, as Word shows their numbers."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ingestion.parsing.office.doc_binary import LIST_OVERRIDES, LISTS, DocBinary

_LIST_SIZE, _LEVEL_SIZE, _OVERRIDE_SIZE = 28, 28, 16  # LSTF 2.9.147, LVLF 2.9.150, LFO 2.9.131 of [MS-DOC]
_BULLET, _NONE = 23, 255
_LETTERS = {3: "A", 4: "a"}
_ROMAN = {1: str.upper, 2: str.lower}
_NUMERALS = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
             (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    kind: int
    template: str  # the characters 0 to 8 stand for the numbers of the levels


class ListNumbers:
    """Gives the marker of each list item in turn."""

    def __init__(self, document: DocBinary) -> None:
        self._lists = _lists(document.part(LISTS), document)
        overrides = document.part(LIST_OVERRIDES)
        count = min(struct.unpack_from("<i", overrides, 0)[0], (len(overrides) - 4) // 16) if len(overrides) >= 4 else 0
        self._names = [struct.unpack_from("<i", overrides, 4 + _OVERRIDE_SIZE * i)[0] for i in range(max(count, 0))]
        self._counts: dict[int, dict[int, int]] = {}

    def next(self, override: int, depth: int) -> str:
        """Return the marker of the next item on this level of the list that the override, 1-based, stands for."""
        name = self._names[override - 1] if 0 < override <= len(self._names) else 0
        levels = self._lists.get(name, [])
        if depth >= len(levels) or levels[depth].kind in (_BULLET, _NONE):
            return "-"
        counts = self._counts.setdefault(name, {})
        counts[depth] = counts.get(depth, levels[depth].start - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        shown = [
            _numeral(counts.get(ord(c), levels[ord(c)].start), levels[ord(c)].kind) if ord(c) < len(levels) else c
            for c in levels[depth].template
        ]
        return "".join(shown).strip() or "-"


def _lists(stored: bytes, document: DocBinary) -> dict[int, list[_Level]]:
    """Return the levels of each list by its id. They follow the list of lists without being counted in its size."""
    if len(stored) < 2:
        return {}
    count = struct.unpack_from("<h", stored, 0)[0]
    levels = document.after(LISTS)
    found: dict[int, list[_Level]] = {}
    place = 0
    for number in range(max(count, 0)):
        entry = stored[2 + _LIST_SIZE * number :][:_LIST_SIZE]
        if len(entry) < _LIST_SIZE:
            break
        found[struct.unpack_from("<i", entry, 0)[0]] = own = []
        for _ in range(1 if entry[26] & 1 else 9):
            if place + _LEVEL_SIZE + 2 > len(levels):
                return found
            start, kind = struct.unpack_from("<iB", levels, place)
            place += _LEVEL_SIZE + levels[place + 24] + levels[place + 25]
            length = struct.unpack_from("<H", levels.ljust(place + 2, b"\0"), place)[0]
            template = levels[place + 2 : place + 2 + 2 * length].decode("utf-16-le", "replace")
            place += 2 + 2 * length
            own.append(_Level(start, kind, template))
    return found


def _numeral(number: int, kind: int) -> str:
    if kind in _LETTERS and number > 0:
        return chr(ord(_LETTERS[kind]) + (number - 1) % 26) * ((number - 1) // 26 + 1)
    if kind in _ROMAN and 0 < number < 4000:
        shown = ""
        for value, numeral in _NUMERALS:
            shown += numeral * (number // value)
            number %= value
        return _ROMAN[kind](shown)
    return str(number)
