"""Cuts long images, as screenshots of whole web pages are, into bands that keep their letters readable when shrunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LONG = 2.0  # times as high as wide is no page of paper
_BAND = 1.4  # heights of a band in widths, as of a page of paper
_SHORTEST = 1_000  # pixels; what is lower is not shrunk by any reader
_SEARCHED = 0.2  # share of the band in which to look for a row to cut at


def bands(pixels: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield parts of the image, shape (height, width, 3), from the top down, each with the row at which it starts.

    Cuts run between lines of text, where a row is most even. An image that is not long is yielded whole.
    """
    height, width = pixels.shape[:2]
    most = max(int(_BAND * width), _SHORTEST)
    top = 0
    while height > _LONG * width and height - top > most:
        searched = pixels[top + int((1 - _SEARCHED) * most) : top + most]
        uneven = searched.astype(np.float32).std(axis=(1, 2))
        calm = np.flatnonzero(uneven <= uneven.min() + 1)
        cut = top + most - len(searched) + int(calm[len(calm) // 2])
        yield top, pixels[top:cut]
        top = cut
    yield top, pixels[top:]
