"""Puts the lines that OCR found into reading order: columns of prose one after another, all else row by row."""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.parsing.images.ocr_lines import OcrLine

_PROSE_WORDS = 3.5  # words in a line, on average, that tell a column of prose from a column of a table
_FEWEST = 3  # lines that make a column
_ACROSS = 0.3  # share of the lines that may run across a gutter, as headings do
_TOUCH = 0.005  # of the width, by which a line may reach into the gutter
_DEPTH = 5  # columns within columns


def in_reading_order(lines: Sequence[OcrLine], depth: int = 0) -> list[OcrLine]:
    """Return the lines in reading order."""
    gutter = _gutter(lines) if depth < _DEPTH else None
    if gutter is None:
        return [line for row in _rows(lines) for line in row]
    ordered: list[OcrLine] = []
    left: list[OcrLine] = []
    right: list[OcrLine] = []
    for line in sorted(lines, key=_middle):
        if line.x1 <= gutter + _TOUCH:
            left.append(line)
        elif line.x0 >= gutter - _TOUCH:
            right.append(line)
        else:
            ordered += [*in_reading_order(left, depth + 1), *in_reading_order(right, depth + 1), line]
            left, right = [], []
    return [*ordered, *in_reading_order(left, depth + 1), *in_reading_order(right, depth + 1)]


def _gutter(lines: Sequence[OcrLine]) -> float | None:
    """Return where two columns of prose part with the fewest lines across, as a fraction of the width, or None."""
    best: tuple[int, int, float] | None = None
    for x in sorted({round(line.x1 + _TOUCH, 2) for line in lines}):
        left = [line for line in lines if line.x1 <= x + _TOUCH]
        right = [line for line in lines if line.x0 >= x - _TOUCH]
        across = len(lines) - len(left) - len(right)
        fits = min(len(left), len(right)) >= _FEWEST and across <= _ACROSS * len(lines)
        if fits and _are_prose(left) and _are_prose(right):
            best = min(best or (across, 0, x), (across, abs(len(left) - len(right)), x))
    return best[2] if best else None


def _are_prose(lines: Sequence[OcrLine]) -> bool:
    return sum(_words(line.text) for line in lines) >= _PROSE_WORDS * len(lines)


def _words(text: str) -> float:
    """Return the number of words; in scripts without spaces, a character is half a word."""
    return len(text.split()) + sum(character >= "\u2e80" for character in text) / 2


def _rows(lines: Sequence[OcrLine]) -> list[list[OcrLine]]:
    rows: list[list[OcrLine]] = []
    for line in sorted(lines, key=_middle):
        if rows and _middle(line) < _middle(rows[-1][0]) + 0.5 * min(_height(line), _height(rows[-1][0])):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.x0) for row in rows]


def _middle(line: OcrLine) -> float:
    return (line.y0 + line.y1) / 2


def _height(line: OcrLine) -> float:
    return line.y1 - line.y0
