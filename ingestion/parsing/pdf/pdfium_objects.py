"""The objects of a PDF page, those inside forms too, in the order in which they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import byref, c_void_p, cast
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.parsing.pdf.pdf_geometry import Frame
from ingestion.parsing.pdf.pdfium_calls import filled, handle, pdfium_calls

TEXT, PATH, IMAGE, SHADING, FORM = range(1, 6)  # pdfium's kinds of objects
_MAX_OBJECTS = 20_000  # looked at on a page
_MAX_DEPTH = 3  # of forms inside forms
_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

Matrix = tuple[float, float, float, float, float, float]


class PageObjects:
    """Knows the handle, the kind and the matrix of each object; objects are named by their places in the order."""

    def __init__(self, page: Any) -> None:
        self.handles: list[int] = []
        self.kinds: list[int] = []
        self._matrices: list[Matrix] = []
        self._starts: list[int] = []  # the place of the first object that is drawn under each matrix
        self._left = _MAX_OBJECTS
        calls, top = pdfium_calls(), handle(page)
        self._add(calls.get_object, top, calls.count_objects(top), _IDENTITY, 0)

    def of_kind(self, kind: int) -> list[int]:
        """Return the places of the objects of a kind."""
        return [place for place, found in enumerate(self.kinds) if found == kind] if kind in self.kinds else []

    def matrix_at(self, place: int) -> Matrix:
        """Return the map from an object's own coordinates to those of the page."""
        return _times(_matrix_of(self.handles[place]), self._matrices[self._layers([place])[0]])

    def rects(self, places: Sequence[int], frame: Frame) -> NDArray[np.float64]:
        """Return where objects are shown, as rows of x0, y0, x1, y1."""
        if not places:
            return np.zeros((0, 4))
        handles = [self.handles[place] for place in places]
        bounds = filled(pdfium_calls().bounds, handles, 4, np.float32).astype(np.float64)  # left, bottom, right, top
        a, b, c, d, e, f = np.array(self._matrices)[self._layers(places)].T[:, :, np.newaxis]
        x, y = bounds[:, 0::2], bounds[:, 1::2]
        moved = np.stack((a * x + c * y + e, b * x + d * y + f), axis=2)
        return frame.rects(moved.reshape(-1, 4))

    def _layers(self, places: Sequence[int]) -> NDArray[np.intp]:
        return np.searchsorted(self._starts, places, side="right") - 1

    def _add(self, get: Callable[[int, int], int], owner: int, count: int, matrix: Matrix, depth: int) -> None:
        """Add the objects of a page or form, which are drawn under the matrix."""
        calls = pdfium_calls()
        found = list(map(get, repeat(owner), range(min(count, self._left))))
        kinds = list(map(calls.object_type, found))
        self._left -= len(found)
        start = 0
        for at in [i for i, kind in enumerate(kinds) if kind == FORM] if FORM in kinds and depth < _MAX_DEPTH else ():
            form, end = found[at], at + 1
            self._append(found[start:end], kinds[start:end], matrix)
            self._add(calls.get_inner, form, calls.count_inner(form), _times(_matrix_of(form), matrix), depth + 1)
            start = end
        self._append(found[start:], kinds[start:], matrix)

    def _append(self, found: Sequence[int], kinds: Sequence[int], matrix: Matrix) -> None:
        self._starts.append(len(self.handles))
        self._matrices.append(matrix)
        self.handles += found
        self.kinds += kinds


def pointer(drawn: int) -> Any:
    """Return an object's handle as pypdfium2's own bindings take it."""
    import pypdfium2.raw as raw

    return cast(c_void_p(drawn), raw.FPDF_PAGEOBJECT)


def _matrix_of(drawn: int) -> Matrix:
    import pypdfium2.raw as raw

    found = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(pointer(drawn), byref(found))
    return found.a, found.b, found.c, found.d, found.e, found.f


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u
