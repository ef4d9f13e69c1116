"""Lines of text as OCR reads them in an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contracts import Box

if TYPE_CHECKING:
    from PIL.Image import Image

_ALIKE = 0.25  # share by which the boxes of letters of one size differ in height


@dataclass(frozen=True, slots=True)
class OcrLine:
    """One line; its box in fractions of the image's width and height, the origin top left. `score` is 0 to 1.

    `turned` is by how many quarter turns clockwise the image was turned to stand upright. The box is one in the image
    so turned, as the order of reading and the height of letters need it; `shown` turns it back.
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    turned: int = 0


Ocr = Callable[["Image"], Sequence[OcrLine]]  # reads an RGB image; the lines come in reading order


def shown(box: Box, turned: int) -> Box:
    """Return the box as it lies in the image, where it was found after `turned` quarter turns clockwise."""
    for _ in range(turned % 4):
        box = replace(box, x0=box.y0, y0=1 - box.x1, x1=box.y1, y1=1 - box.x0)
    return box


def with_even_heights(lines: Sequence[OcrLine]) -> list[OcrLine]:
    """Return the lines with boxes equally high where their letters are about equally large.

    OCR fits a box to the ink, so that a line without a "g" is lower than its neighbours, which looks like another size
    of type to whoever makes paragraphs and headings of the lines.
    """
    even: dict[int, OcrLine] = {}
    rest = list(range(len(lines)))
    while rest:
        usual = _usual_height([lines[i] for i in rest])
        alike = [i for i in rest if abs(lines[i].y1 - lines[i].y0 - usual) <= _ALIKE * usual]
        for i in alike:
            middle = (lines[i].y0 + lines[i].y1) / 2
            even[i] = replace(lines[i], y0=max(0.0, middle - usual / 2), y1=min(1.0, middle + usual / 2))
        rest = [i for i in rest if i not in even]
    return [even[i] for i in range(len(lines))]


def _usual_height(lines: Sequence[OcrLine]) -> float:
    """Return the median height of a letter."""
    heights = sorted((line.y1 - line.y0, len(line.text)) for line in lines)
    letters = 0
    for height, count in heights:
        letters += count
        if 2 * letters >= sum(count for _, count in heights):
            return height
    return heights[-1][0]
