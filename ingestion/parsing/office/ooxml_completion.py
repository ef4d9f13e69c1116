"""Adds to what a reader found in an Office package what it left out: odd text, descriptions of pictures, pages."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from contracts import Element, ElementKind
from ingestion.parsing.office.ooxml_paragraphs import Paragraph

_NOISE = re.compile(r"[\s\\|\u00ad\u200b]+")  # differs between a file and its text; a table escapes its bars


def completed(elements: Sequence[Element], paragraphs: Sequence[Paragraph]) -> tuple[Element, ...]:
    """Return the elements with those that were missing at their places, and with pages where they had none."""
    found = _Found(elements)
    added: dict[int, list[Element]] = {}
    pages: dict[int, int] = {}
    faint: set[int] = set()
    for paragraph in paragraphs:
        missing = [run for run in paragraph.runs if not found.has(run)]
        if found.at >= 0 and paragraph.page and len(missing) < len(paragraph.runs):
            pages.setdefault(found.at, paragraph.page)
        if paragraph.faint and not missing and found.is_all("".join(paragraph.runs)):
            faint.add(found.at)
        # Half a paragraph: a run that the reader wrote otherwise, as in an equation, is no loss.
        if 2 * sum(map(len, missing)) > sum(map(len, paragraph.runs)):
            text = "".join(missing).strip()
            kind = ElementKind.IMAGE if paragraph.picture else ElementKind.TEXT
            place = found.place(paragraph.page)
            if text and not text.isdecimal():
                missed = Element(text, kind=kind, page=paragraph.page, hidden=paragraph.faint)
                added.setdefault(place, []).append(missed)
    marked = [replace(e, hidden=True) if number in faint else e for number, e in enumerate(elements)]
    return tuple(_merged(marked, added, pages))


def _merged(elements: Sequence[Element], added: dict[int, list[Element]], pages: dict[int, int]) -> Iterator[Element]:
    page = 1 if pages else None
    yield from added.get(-1, ())
    for index, element in enumerate(elements):
        page = max(page or 1, pages[index]) if index in pages else page
        yield element if element.page else replace(element, page=page)
        yield from added.get(index, ())


class _Found:
    """The text of the elements without spaces, searched onwards from where the last paragraph was."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._elements = elements
        parts = [_NOISE.sub("", element.text) for element in elements]
        self._text = "".join(parts)
        self._ends = [0]
        for part in parts:
            self._ends.append(self._ends[-1] + len(part))
        self._position = 0
        self.at = -1  # index of the element where the last run was found

    def has(self, run: str) -> bool:
        """Return whether the run is in the text; go there."""
        wanted = _NOISE.sub("", run)
        if not wanted:
            return True
        place = self._text.find(wanted, self._position)
        if place < 0:
            place = self._text.find(wanted, 0, self._position)
        if place < 0:
            return False
        self._position = place
        self.at = bisect.bisect_right(self._ends, place) - 1
        return True

    def is_all(self, text: str) -> bool:
        """Return whether the element where the last run was found says this and no more, but for a list's marker."""
        said = _NOISE.sub("", self._elements[self.at].text).lstrip("-") if self.at >= 0 else ""
        return said == _NOISE.sub("", text)

    def place(self, page: int | None) -> int:
        """Return the index of the element after which something belongs: the last one found, or the last of its page
        where the elements have pages."""
        on_page = [index for index, element in enumerate(self._elements) if page and element.page == page]
        return on_page[-1] if on_page else self.at
