"""Vectors of the texts asked for lately: a question that several ask for at once, or again, is computed once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock

import numpy as np

from contracts import VectorCache, Vectors


@dataclass(frozen=True, slots=True)
class SharedVectors:
    """Vectors that processes share, of the embedder with this name. It belongs to one event loop."""

    cache: VectorCache
    embedder: str


class RecentVectors:
    """Keeps the vectors of the last `size` texts, also of those under way, for callers on any thread or event loop.

    `submit` starts to compute one text and returns the future array of shape (1, dimension). A caller that leaves stops
    nothing: others may wait for the same text. What failed is tried again. What is not known here is looked up in
    `shared`, and told there once it was computed.
    """

    def __init__(
        self, submit: Callable[[str], Future[Vectors]], size: int = 1024, shared: SharedVectors | None = None
    ) -> None:
        self._submit = submit
        self._size = size
        self._shared = shared
        self._lock = Lock()
        self._recent: OrderedDict[str, Future[Vectors]] = OrderedDict()

    async def rows(self, texts: Sequence[str]) -> Vectors:
        """Return a new array with a row per text. Raises what computing one of them raised."""
        missing = await self._missing(texts) if self._shared else []
        futures = [self._future(text) for text in texts]
        for future in futures:
            if not future.done():
                await asyncio.shield(asyncio.wrap_future(future))
        rows = np.concatenate([future.result() for future in futures])
        if self._shared and missing:
            made = {text: rows[position] for position, text in enumerate(texts) if text in missing}
            await self._shared.cache.put(self._shared.embedder, made)
        return rows

    async def _missing(self, texts: Sequence[str]) -> list[str]:
        """Return the texts that have to be computed; those that others have computed are known from here on."""
        assert self._shared is not None
        with self._lock:
            unknown = [text for text in texts if self._usable(text) is None]
        if not unknown:
            return []
        found = await self._shared.cache.get(self._shared.embedder, unknown)
        for text, vector in found.items():
            future: Future[Vectors] = Future()
            future.set_result(vector[np.newaxis])
            with self._lock:
                if self._usable(text) is None:
                    self._keep(text, future)
        return [text for text in unknown if text not in found]

    def _future(self, text: str) -> Future[Vectors]:
        with self._lock:
            return self._keep(text, self._usable(text) or self._submit(text))

    def _usable(self, text: str) -> Future[Vectors] | None:
        found = self._recent.get(text)
        failed = found is not None and found.done() and (found.cancelled() or found.exception() is not None)
        return None if failed else found

    def _keep(self, text: str, future: Future[Vectors]) -> Future[Vectors]:
        self._recent[text] = future
        self._recent.move_to_end(text)
        if len(self._recent) > self._size:
            self._recent.popitem(last=False)
        return future
