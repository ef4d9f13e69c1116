"""Reads what is drawn on a PDF page besides text: rulings, filled areas and images."""

from __future__ import annotations

import functools
from collections.abc import Callable
from ctypes import addressof, byref, c_float, c_int, c_uint, c_void_p, cast
from dataclasses import dataclass, field
from typing import Any

from ingestion.pdf_geometry import Frame, Rect, Ruling
from ingestion.pdfium_calls import handle, pdfium_calls

_THIN = 3.0  # points; a thinner area is a line
_SHORT = 1.0
_MAX_OBJECTS = 20_000  # looked at on a page
_MAX_SEGMENTS = 4_000
_MAX_DEPTH = 3  # of forms inside forms
_WHITE = (255, 255, 255)
_OPAQUE = 250  # of 255
_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_TEXT, _PATH, _IMAGE, _SHADING, _FORM = range(1, 6)  # pdfium's kinds of objects

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Fill:
    """An area of one colour (red, green, blue; None where it has several), drawn `order`-th on the page."""

    rect: Rect
    colour: tuple[int, int, int] | None
    order: int


@dataclass(slots=True)
class Shapes:
    """What is drawn on a page. `order` says of objects, by their handles, when each is drawn; `seen` counts them, `paths` the drawn lines and areas, `segments` what the larger ones of these consist of."""

    rulings: list[Ruling] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    images: list[Rect] = field(default_factory=list)
    order: dict[int, int] = field(default_factory=dict)
    seen: int = 0
    paths: int = 0
    segments: int = 0


def shapes_of(page: Any, frame: Frame) -> Shapes:
    """Return what is drawn on the page, as it is shown."""
    import pypdfium2.raw as raw

    shapes = Shapes()
    top, calls = handle(page), pdfium_calls()
    get = functools.partial(calls.get_object, top)
    _look_at(raw, get, calls.count_objects(top), frame, _IDENTITY, shapes, 0)
    return shapes


def _look_at(
    raw: Any, get: Callable[[int], int], count: int, frame: Frame, matrix: Matrix, shapes: Shapes, depth: int
) -> None:
    calls = pdfium_calls()
    drawn = list(map(get, range(min(count, _MAX_OBJECTS - shapes.seen))))
    kinds = list(map(calls.object_type, drawn))
    before = shapes.seen
    shapes.seen += len(drawn)
    for i in [i for i, kind in enumerate(kinds) if kind != _TEXT]:
        kind, order = kinds[i], before + i
        if kind == _PATH:
            _add_path(raw, drawn[i], frame, matrix, shapes, order)
        elif kind in (_IMAGE, _SHADING):
            rect = _bounds(drawn[i], frame, matrix)
            shapes.images += [rect] if kind == _IMAGE else []
            shapes.fills.append(Fill(rect, None, order))
        elif kind == _FORM and depth < _MAX_DEPTH:
            inner = raw.FS_MATRIX()
            raw.FPDFPageObj_GetMatrix(_pointer(raw, drawn[i]), byref(inner))
            combined = _times((inner.a, inner.b, inner.c, inner.d, inner.e, inner.f), matrix)
            get_inner = functools.partial(calls.get_inner, drawn[i])
            _look_at(raw, get_inner, calls.count_inner(drawn[i]), frame, combined, shapes, depth + 1)
    shapes.order.update(zip(drawn, range(before, shapes.seen), strict=False))


def _pointer(raw: Any, drawn: int) -> Any:
    return cast(c_void_p(drawn), raw.FPDF_PAGEOBJECT)


def _add_path(raw: Any, drawn: int, frame: Frame, matrix: Matrix, shapes: Shapes, order: int) -> None:
    shapes.paths += 1
    fill, stroke = c_int(), c_int()
    path = _pointer(raw, drawn)
    raw.FPDFPath_GetDrawMode(path, byref(fill), byref(stroke))
    if not fill.value and not stroke.value:
        return
    rect = _bounds(drawn, frame, matrix)
    colour = _colour(drawn) if fill.value else None
    width, height = rect.x1 - rect.x0, rect.y1 - rect.y0
    thin = min(width, height) <= _THIN
    if fill.value and not thin:
        shapes.fills.append(Fill(rect, colour, order))
    if fill.value and not stroke.value and colour == _WHITE:
        return  # no one sees its sides
    count = raw.FPDFPath_CountSegments(path)
    if thin:
        shapes.rulings += [_ruling(rect)] if max(width, height) > _SHORT else []
    elif 4 <= count <= 5:
        shapes.rulings += _sides(rect)
    elif stroke.value and count > 2 and shapes.segments + count <= _MAX_SEGMENTS:
        shapes.segments += count
        shapes.rulings += _lines_in(raw, path, count, frame, matrix)


def _ruling(rect: Rect) -> Ruling:
    if rect.x1 - rect.x0 >= rect.y1 - rect.y0:
        return Ruling(True, (rect.y0 + rect.y1) / 2, rect.x0, rect.x1)
    return Ruling(False, (rect.x0 + rect.x1) / 2, rect.y0, rect.y1)


def _sides(rect: Rect) -> list[Ruling]:
    across = [Ruling(True, y, rect.x0, rect.x1) for y in (rect.y0, rect.y1)]
    return across + [Ruling(False, x, rect.y0, rect.y1) for x in (rect.x0, rect.x1)]


def _lines_in(raw: Any, path: Any, count: int, frame: Frame, matrix: Matrix) -> list[Ruling]:
    own = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(path, byref(own))
    a, b, c, d, e, f = _times((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
    x, y = c_float(), c_float()
    lines: list[Ruling] = []
    before = begin = None
    for i in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, i)
        raw.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            begin = point
        elif kind == raw.FPDF_SEGMENT_LINETO and before is not None:
            lines.append(_between(frame, before, point))
        if raw.FPDFPathSegment_GetClose(segment) and begin is not None:
            lines.append(_between(frame, point, begin))
        before = point
    return [line for line in lines if line.end - line.start > _SHORT]


def _between(frame: Frame, one: tuple[float, float], other: tuple[float, float]) -> Ruling:
    """Return the line between two points, of no length if it is slanted."""
    rect = frame.rect(*one, *other)
    if min(rect.x1 - rect.x0, rect.y1 - rect.y0) > _SHORT:
        return Ruling(True, rect.y0, rect.x0, rect.x0)
    return _ruling(rect)


def _bounds(drawn: int, frame: Frame, matrix: Matrix) -> Rect:
    bounds = (c_float * 4)()  # left, bottom, right, top
    start = addressof(bounds)
    pdfium_calls().bounds(drawn, start, start + 4, start + 8, start + 12)
    a, b, c, d, e, f = matrix
    x0, y0, x1, y1 = bounds
    if matrix == _IDENTITY:
        return frame.rect(x0, y0, x1, y1)
    return frame.rect(a * x0 + c * y0 + e, b * x0 + d * y0 + f, a * x1 + c * y1 + e, b * x1 + d * y1 + f)


def _colour(drawn: int) -> tuple[int, int, int] | None:
    """Return the colour that an area is filled with, None where it is a pattern or shines through."""
    channels = (c_uint * 4)()
    start = addressof(channels)
    if not pdfium_calls().object_colour(drawn, start, start + 4, start + 8, start + 12):
        return None
    red, green, blue, alpha = channels
    return (red, green, blue) if alpha >= _OPAQUE else None


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u
