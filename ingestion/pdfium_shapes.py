"""Reads what is drawn on a PDF page besides text: rulings, filled areas and images."""

from __future__ import annotations

import functools
from collections.abc import Callable
from ctypes import byref, c_float, c_void_p, cast
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ingestion.pdf_geometry import Frame, Rect, Ruling
from ingestion.pdfium_calls import filled, handle, pdfium_calls

_THIN = 3.0  # points; a thinner area is a line
_SHORT = 1.0
_MAX_OBJECTS = 20_000  # looked at on a page
_MAX_SEGMENTS = 4_000
_MAX_DEPTH = 3  # of forms inside forms
_WHITE = [255, 255, 255]
_OPAQUE = 250  # of 255
_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_TEXT, _PATH, _IMAGE, _SHADING, _FORM = range(1, 6)  # pdfium's kinds of objects

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Fill:
    """An area of one colour (red, green, blue; None where it has several), drawn when `order` says, from 0 to 1."""

    rect: Rect
    colour: tuple[int, int, int] | None
    order: float


@dataclass(slots=True)
class Shapes:
    """What is drawn on a page. `order` says of objects, by their handles, when each is drawn; `seen` counts them,
    `paths` the drawn lines and areas, and `segments` what the larger ones of these consist of."""

    rulings: list[Ruling] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    images: list[Rect] = field(default_factory=list)
    order: dict[int, float] = field(default_factory=dict)
    seen: int = 0
    paths: int = 0
    segments: int = 0


def shapes_of(page: Any, frame: Frame) -> Shapes:
    """Return what is drawn on the page, as it is shown."""
    import pypdfium2.raw as raw

    shapes = Shapes()
    top, calls = handle(page), pdfium_calls()
    get = functools.partial(calls.get_object, top)
    _look_at(raw, get, calls.count_objects(top), frame, _IDENTITY, shapes, 0, (0.0, 1.0))
    return shapes


def _look_at(
    raw: Any,
    get: Callable[[int], int],
    count: int,
    frame: Frame,
    matrix: Matrix,
    shapes: Shapes,
    depth: int,
    within: tuple[float, float],
) -> None:
    calls = pdfium_calls()
    drawn = list(map(get, range(min(count, _MAX_OBJECTS - shapes.seen))))
    kinds = list(map(calls.object_type, drawn))
    shapes.seen += len(drawn)
    start, step = within[0], (within[1] - within[0]) / (len(drawn) + 1)  # what a form holds is drawn in its turn
    shapes.order.update((one, start + step * i) for i, one in enumerate(drawn, 1))
    by_kind = {kind: [one for one, k in zip(drawn, kinds, strict=True) if k == kind] for kind in {*kinds} - {_TEXT}}
    _add_paths(raw, by_kind.get(_PATH, []), frame, matrix, shapes)
    for image in (*by_kind.get(_IMAGE, ()), *by_kind.get(_SHADING, ())):
        (rect,) = _bounds([image], frame, matrix)
        shapes.fills.append(Fill(rect, None, shapes.order[image]))
    shapes.images += _bounds(by_kind.get(_IMAGE, []), frame, matrix)
    for form in by_kind.get(_FORM, ()) if depth < _MAX_DEPTH else ():
        get_inner = functools.partial(calls.get_inner, form)
        inside = (shapes.order[form], shapes.order[form] + step)
        combined = _times(_matrix_of(raw, form), matrix)
        _look_at(raw, get_inner, calls.count_inner(form), frame, combined, shapes, depth + 1, inside)


def _matrix_of(raw: Any, drawn: int) -> Matrix:
    found = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(_pointer(raw, drawn), byref(found))
    return found.a, found.b, found.c, found.d, found.e, found.f


def _pointer(raw: Any, drawn: int) -> Any:
    return cast(c_void_p(drawn), raw.FPDF_PAGEOBJECT)


def _add_paths(raw: Any, paths: list[int], frame: Frame, matrix: Matrix, shapes: Shapes) -> None:
    calls = pdfium_calls()
    modes = filled(calls.draw_mode, paths, 2, np.int32).tolist()  # fill, stroke
    colours = filled(calls.object_colour, paths, 4, np.uint32).tolist()
    shapes.paths += len(paths)
    looks = zip(paths, modes, colours, _bounds(paths, frame, matrix), map(calls.count_segments, paths), strict=True)
    for path, (fill, stroke), (*colour, alpha), rect, count in looks:
        if not fill and not stroke:
            continue
        width, height = rect.x1 - rect.x0, rect.y1 - rect.y0
        thin = min(width, height) <= _THIN
        if fill and not thin:
            solid = (colour[0], colour[1], colour[2]) if alpha >= _OPAQUE else None
            shapes.fills.append(Fill(rect, solid, shapes.order[path]))
        if fill and not stroke and colour == _WHITE:
            continue  # no one sees its sides
        if thin:
            shapes.rulings += [_ruling(rect)] if max(width, height) > _SHORT else []
        elif 4 <= count <= 5:
            shapes.rulings += _sides(rect)
        elif stroke and count > 2 and shapes.segments + count <= _MAX_SEGMENTS:
            shapes.segments += count
            shapes.rulings += _lines_in(raw, _pointer(raw, path), count, frame, matrix)


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


def _bounds(drawn: list[int], frame: Frame, matrix: Matrix) -> list[Rect]:
    """Return where objects are shown that are drawn under the matrix."""
    a, b, c, d, e, f = matrix
    bounds = filled(pdfium_calls().bounds, drawn, 4, np.float32).astype(np.float64)  # left, bottom, right, top
    x, y = bounds[:, 0::2], bounds[:, 1::2]
    moved = np.stack((a * x + c * y + e, b * x + d * y + f), axis=2).reshape(-1, 4)
    return list(map(Rect._make, frame.rects(moved).tolist()))


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u
