"""A bounded queue before the language model: so many requests at once, the others in the order of their priority."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts import OverloadedError

_SMOOTHING = 0.2  # of the mean time that a place is held
_FIRST_GUESS_S = 2.0


class BoundedAdmission:
    """Port `Admission` within one process: `places` are used at once, `queue` requests may wait for one, each for
    `patience_s` where it does not say itself."""

    def __init__(self, places: int, queue: int, patience_s: float) -> None:
        self._free = places
        self._places = places
        self._queue = queue
        self._patience_s = patience_s
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._held_s = _FIRST_GUESS_S

    @property
    def running(self) -> int:
        """How many places are used."""
        return self._places - self._free

    @property
    def waiting(self) -> int:
        """How many requests wait for a place."""
        return sum(not turn.done() for _, _, turn in self._waiting)

    @asynccontextmanager
    async def slot(self, *, priority: int = 0, patience_s: float | None = None) -> AsyncIterator[None]:
        """Wait for a place and hold it within the context. Lower priorities are first, and among equals who came first.
        Raises OverloadedError when too many wait already, or after `patience_s` without a place."""
        await self._take(priority, self._patience_s if patience_s is None else patience_s)
        began = time.monotonic()
        try:
            yield
        finally:
            self._held_s += _SMOOTHING * (time.monotonic() - began - self._held_s)
            self._give_back()

    async def _take(self, priority: int, patience_s: float) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        if self.waiting >= self._queue:
            raise OverloadedError(f"{self._queue} requests wait for the language model already.", self._retry_after_s())
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        try:
            async with asyncio.timeout(patience_s):
                await turn
        except TimeoutError as exc:
            self._abandon(turn)
            message = f"The language model was busy for {patience_s:g} s, as long as this request may wait."
            raise OverloadedError(message, self._retry_after_s()) from exc
        except asyncio.CancelledError:
            self._abandon(turn)
            raise

    def _abandon(self, turn: asyncio.Future[None]) -> None:
        """Leave the queue; a place that was given at the same moment goes to the next one."""
        if turn.done() and not turn.cancelled():
            self._give_back()
        else:
            turn.cancel()
            self._waiting = [each for each in self._waiting if not each[2].done()]
            heapq.heapify(self._waiting)

    def _give_back(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _retry_after_s(self) -> float:
        """Return when the queue of now may be through, in whole seconds."""
        return float(max(1, math.ceil(self._held_s * (self.waiting + 1) / self._places)))
