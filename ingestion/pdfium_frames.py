"""Finds out how pdfium maps a page's own coordinates to the page as it is shown."""

from __future__ import annotations

from typing import Any

from ingestion.pdf_geometry import Frame

_UNITS = 1 << 20  # a grid on the page, fine enough for exact places


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
