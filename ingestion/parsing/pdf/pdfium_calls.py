"""pdfium's functions that are called for every object and word of a page, without the detours that cost most there.

pypdfium2's own bindings make a pointer object of every result and give up the interpreter's lock on every call; a
page has thousands of each. Here handles and addresses are integers and the lock is kept, so that `map` can call them.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Sequence
from ctypes import PYFUNCTYPE, c_int, c_size_t, c_ulong, c_void_p, cast
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Calls(NamedTuple):
    """The functions, by pdfium's names without their prefixes."""

    count_objects: Any
    get_object: Any
    count_inner: Any
    get_inner: Any
    object_type: Any
    bounds: Any
    draw_mode: Any
    count_segments: Any
    object_colour: Any
    render_mode: Any
    loose_box: Any
    text_object: Any
    text_matrix: Any
    font: Any
    font_weight: Any
    font_name: Any


@functools.lru_cache(maxsize=1)
def pdfium_calls() -> Calls:
    """Return the functions; loads pdfium."""
    import pypdfium2.raw as raw

    def call(name: str, result: Any, *arguments: Any) -> Any:
        address = cast(getattr(raw, name), c_void_p).value or 0
        return PYFUNCTYPE(result, c_void_p, *arguments)(address)

    return Calls(
        count_objects=call("FPDFPage_CountObjects", c_int),
        get_object=call("FPDFPage_GetObject", c_void_p, c_int),
        count_inner=call("FPDFFormObj_CountObjects", c_int),
        get_inner=call("FPDFFormObj_GetObject", c_void_p, c_ulong),
        object_type=call("FPDFPageObj_GetType", c_int),
        bounds=call("FPDFPageObj_GetBounds", c_int, *[c_void_p] * 4),
        draw_mode=call("FPDFPath_GetDrawMode", c_int, c_void_p, c_void_p),
        count_segments=call("FPDFPath_CountSegments", c_int),
        object_colour=call("FPDFPageObj_GetFillColor", c_int, *[c_void_p] * 4),
        render_mode=call("FPDFTextObj_GetTextRenderMode", c_int),
        loose_box=call("FPDFText_GetLooseCharBox", c_int, c_int, c_void_p),
        text_object=call("FPDFText_GetTextObject", c_void_p, c_int),
        text_matrix=call("FPDFText_GetMatrix", c_int, c_int, c_void_p),
        font=call("FPDFTextObj_GetFont", c_void_p),
        font_weight=call("FPDFFont_GetWeight", c_int),
        font_name=call("FPDFFont_GetBaseFontName", c_size_t, c_void_p, c_size_t),
    )


def handle(wrapped: Any) -> int:
    """Return the handle of one of pypdfium2's pages or text pages as an integer."""
    return cast(wrapped.raw, c_void_p).value or 0


def filled(call: Any, handles: Sequence[int], count: int, dtype: Any) -> NDArray[Any]:
    """Return what `call` writes about each handle: a row of `count` numbers, to whose addresses it is given.

    Rows of handles for which it has nothing to say stay zero.
    """
    if not handles:
        return np.zeros((0, count), dtype)
    rows = np.zeros((len(handles), count), dtype)
    start, step = rows.ctypes.data, rows.strides[0]
    width = rows.itemsize
    addresses = [range(start + i * width, start + i * width + len(handles) * step, step) for i in range(count)]
    deque(map(call, handles, *addresses), maxlen=0)
    return rows


def filled_of_text(call: Any, textpage: Any, characters: Sequence[int], count: int) -> NDArray[np.float32]:
    """Return what `call` writes about each character of a text page: a row of `count` numbers, zero where nothing."""
    rows = np.zeros((len(characters), count), np.float32)
    start, step = rows.ctypes.data, count * rows.itemsize
    addresses = range(start, start + len(characters) * step, step)
    deque(map(call, itertools.repeat(handle(textpage)), characters, addresses), maxlen=0)
    return rows
