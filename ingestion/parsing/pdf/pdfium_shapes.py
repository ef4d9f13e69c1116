"""Reads what is drawn on a PDF page besides text: rulings, filled areas and images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ctypes import byref, c_float
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingestion.parsing.pdf.pdf_geometry import Frame, Rect, Ruling
from ingestion.parsing.pdf.pdfium_calls import filled, pdfium_calls
from ingestion.parsing.pdf.pdfium_objects import IMAGE, PATH, SHADING, PageObjects, pointer

_THIN = 3.0  # points; a thinner area is a line
_SHORT = 1.0
_MAX_SEGMENTS = 4_000
_WHITE = 255
_OPAQUE = 250  # of 255

_ruling = partial(tuple.__new__, Ruling)  # of the fields in one tuple; Ruling._make takes three times as long
_rect = partial(tuple.__new__, Rect)


class Fill(NamedTuple):
    """An area of one colour (red, green, blue; None where it has several). `order` is the place of its object among
    those of the page: what is drawn later covers what is drawn earlier."""

    rect: Rect
    colour: tuple[int, int, int] | None
    order: int


@dataclass(slots=True)
class Shapes:
    """What is drawn on a page. `objects` are the handles of all objects, text too, in the order of drawing; `paths`
    counts the drawn lines and areas."""

    rulings: list[Ruling] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    images: list[Rect] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    paths: int = 0


def shapes_of(page: Any, frame: Frame) -> Shapes:
    """Return what is drawn on the page, as it is shown."""
    objects = PageObjects(page)
    images, paths = objects.of_kind(IMAGE), objects.of_kind(PATH)
    shapes = Shapes(objects=objects.handles, paths=len(paths))
    if mixed := [*images, *objects.of_kind(SHADING)]:
        rects = _rects(objects.rects(mixed, frame))
        shapes.fills = [Fill(rect, None, place) for rect, place in zip(rects, mixed, strict=True)]
        shapes.images = rects[: len(images)]
    if paths:
        _add_paths(objects, paths, frame, shapes)
    return shapes


def _add_paths(objects: PageObjects, paths: Sequence[int], frame: Frame, shapes: Shapes) -> None:
    """Add the areas that paths fill, and the lines that they draw or whose sides are seen."""
    calls = pdfium_calls()
    handles = [objects.handles[place] for place in paths]
    filling, stroked = filled(calls.draw_mode, handles, 2, np.int32).astype(bool).T
    colours = filled(calls.object_colour, handles, 4, np.uint32)
    rects = objects.rects(paths, frame)
    sides = rects[:, 2:] - rects[:, :2]
    thin, long = sides.min(axis=1) <= _THIN, sides.max(axis=1) > _SHORT
    areas = np.flatnonzero(filling & ~thin)
    for i, rect, (*colour, alpha) in zip(areas.tolist(), _rects(rects[areas]), colours[areas].tolist(), strict=True):
        solid = (colour[0], colour[1], colour[2]) if alpha >= _OPAQUE else None
        shapes.fills.append(Fill(rect, solid, paths[i]))
    sided = stroked | (filling & (colours[:, :3] != _WHITE).any(axis=1))  # no one sees the sides of a white area
    shapes.rulings += _thin_rulings(rects[sided & thin & long])
    left = _MAX_SEGMENTS
    for i in np.flatnonzero(sided & ~thin).tolist():
        count = calls.count_segments(handles[i])
        if 4 <= count <= 5:
            shapes.rulings += _sides(*rects[i].tolist())
        elif stroked[i] and 2 < count <= left:
            left -= count
            shapes.rulings += _lines_in(objects, paths[i], count, frame)


def _rects(rows: NDArray[np.float64]) -> list[Rect]:
    return list(map(_rect, rows.tolist()))


def _thin_rulings(rects: NDArray[np.float64]) -> Iterable[Ruling]:
    """Return thin areas as the lines that they look like."""
    x0, y0, x1, y1 = rects.T
    across = x1 - x0 >= y1 - y0
    at = np.where(across, y0 + y1, x0 + x1) / 2
    start, end = np.where(across, x0, y0), np.where(across, x1, y1)
    return map(_ruling, zip(across.tolist(), at.tolist(), start.tolist(), end.tolist(), strict=True))


def _sides(x0: float, y0: float, x1: float, y1: float) -> list[Ruling]:
    return [Ruling(True, y0, x0, x1), Ruling(True, y1, x0, x1), Ruling(False, x0, y0, y1), Ruling(False, x1, y0, y1)]


def _lines_in(objects: PageObjects, place: int, count: int, frame: Frame) -> Iterator[Ruling]:
    """Yield the straight lines, along an axis of the page, that a path consists of."""
    import pypdfium2.raw as raw

    a, b, c, d, e, f = objects.matrix_at(place)
    path = pointer(objects.handles[place])
    x, y = c_float(), c_float()
    before = begin = None
    for i in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, i)
        raw.FPDFPathSegment_GetPoint(segment, byref(x), byref(y))
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            begin = point
        elif kind == raw.FPDF_SEGMENT_LINETO and before is not None:
            yield from _between(frame, before, point)
        if raw.FPDFPathSegment_GetClose(segment) and begin is not None:
            yield from _between(frame, point, begin)
        before = point


def _between(frame: Frame, one: tuple[float, float], other: tuple[float, float]) -> Iterator[Ruling]:
    """Yield the line between two points, unless it is slanted or short."""
    x0, y0, x1, y1 = frame.rect(*one, *other)
    width, height = x1 - x0, y1 - y0
    if min(width, height) <= _SHORT < max(width, height):
        across = width >= height
        yield Ruling(True, (y0 + y1) / 2, x0, x1) if across else Ruling(False, (x0 + x1) / 2, y0, y1)
