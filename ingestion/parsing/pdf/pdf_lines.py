"""The lines of text of a PDF page, as read from the file and before anything is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from contracts import Box, ElementKind

SOFT_HYPHEN = "\u00ad"  # ends a line whose last word goes on in the next
_PLAIN = {
    "\x02": SOFT_HYPHEN,  # what pdfium writes for a hyphen that breaks a word at a line's end
    "\ufffe": SOFT_HYPHEN,
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text. `size` is the height of its letters in points; `span` is where it stands in the page's text.
    A line with a `kind` is an element by itself, as a table is, whose rows have the boxes `parts`."""

    text: str
    box: Box
    size: float
    bold: bool = False
    hidden: bool = False
    span: tuple[int, int] = (0, 0)
    kind: ElementKind | None = None
    parts: tuple[Box, ...] = ()


def plain(text: str) -> str:
    """Return text as pdfium gives it with ligatures as letters and hyphens at line ends as soft hyphens."""
    for written, meant in _PLAIN.items():
        text = text.replace(written, meant)  # several times as fast as str.translate, where there are few
    return text


def join_lines(lines: list[Line], separator: str = " ") -> str:
    """Return the lines as running text, with words that were hyphenated at a line's end put together.

    `separator` stands between lines; what stands side by side in one row is parted by a space.
    """
    text = ""
    for before, line in zip([None, *lines], lines, strict=False):
        hyphenated = text.endswith("-") and text[-2:-1].isalpha() and line.text[:1].islower()
        if hyphenated or text.endswith(SOFT_HYPHEN):
            text = text[:-1] + line.text
        else:
            same_row = before is not None and line.box.y0 < (before.box.y0 + before.box.y1) / 2 < line.box.y1
            text += (" " if same_row else separator if text else "") + line.text
    return text.replace(SOFT_HYPHEN, "")
