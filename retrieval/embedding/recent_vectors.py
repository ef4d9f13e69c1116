"""Vectors of the texts asked for lately: a question that several ask for at once, or again, is computed once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock

import numpy as np

from contracts import Vectors


class RecentVectors:
    """Keeps the vectors of the last `size` texts, also of those under way, for callers on any thread or event loop.

    `submit` starts to compute one text and returns the future array of shape (1, dimension). A caller that leaves stops
    nothing: others may wait for the same text. What failed is tried again.
    """

    def __init__(self, submit: Callable[[str], Future[Vectors]], size: int = 1024) -> None:
        self._submit = submit
        self._size = size
        self._lock = Lock()
        self._recent: OrderedDict[str, Future[Vectors]] = OrderedDict()

    async def rows(self, texts: Sequence[str]) -> Vectors:
        """Return a new array with a row per text. Raises what computing one of them raised."""
        futures = [self._future(text) for text in texts]
        for future in futures:
            if not future.done():
                await asyncio.shield(asyncio.wrap_future(future))
        return np.concatenate([future.result() for future in futures])

    def _future(self, text: str) -> Future[Vectors]:
        with self._lock:
            found = self._recent.get(text)
            if found is None or (found.done() and (found.cancelled() or found.exception() is not None)):
                found = self._recent[text] = self._submit(text)
            self._recent.move_to_end(text)
            if len(self._recent) > self._size:
                self._recent.popitem(last=False)
            return found
