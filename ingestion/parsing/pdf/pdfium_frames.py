"""Finds out how pdfium maps a page's own coordinates to the page as it is shown."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ingestion.parsing.pdf.pdf_geometry import Frame
from ingestion.parsing.pdf.pdfium_calls import filled_of_text, pdfium_calls

_UNITS = 1 << 20  # a grid on the page, fine enough for exact places
_SAMPLES = 40


def frame_of(page: Any, number: int) -> Frame:
    """Return the frame of the page, which is the `number`-th; crop box and rotation are in it."""
    from ctypes import byref, c_double

    import pypdfium2.raw as raw

    x, y = c_double(), c_double()
    corners = []
    for across, down in ((0, 0), (_UNITS, 0), (0, _UNITS)):
        raw.FPDF_DeviceToPage(page, 0, 0, _UNITS, _UNITS, 0, across, down, byref(x), byref(y))
        corners.append((x.value, y.value))
    (left, top), (right_x, right_y), (below_x, below_y) = corners
    width, height = page.get_size()
    m11, m12, m21, m22 = right_x - left, below_x - left, right_y - top, below_y - top
    determinant = m11 * m22 - m12 * m21
    a, c = m22 / determinant * width, -m12 / determinant * width
    b, d = -m21 / determinant * height, m11 / determinant * height
    return Frame(number, width, height, (a, b, c, d, -(a * left + c * top), -(b * left + d * top)))


def turn_of(textpage: Any, text: str, frame: Frame) -> int:
    """Return by how many quarters most of the text is turned clockwise on the page as it is shown."""
    turns: Counter[int] = Counter()
    letters = [i for i in range(0, len(text), max(1, len(text) // _SAMPLES)) if text[i].isalnum()]
    a, b, c, d, _, _ = frame.matrix
    for x, y in filled_of_text(pdfium_calls().text_matrix, textpage, letters, 6)[:, :2].tolist():
        if x or y:
            right, down = a * x + c * y, b * x + d * y
            turns[(0 if right > 0 else 2) if abs(right) >= abs(down) else (1 if down > 0 else 3)] += 1
    return turns.most_common(1)[0][0] if turns else 0
