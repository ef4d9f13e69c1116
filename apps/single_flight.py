"""Identical work done once at a time: who asks for what is being made already follows it from its beginning."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from apps.draft import Emit, Event
from contracts import Answer


class SingleFlight:
    """Work under way, by key. All who follow get every event and the same answer, or the same error. One who leaves
    stops nothing for the others; the last one to leave cancels the work."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    async def run(self, key: str, emit: Emit, work: Callable[[Emit], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """Return the answer, and whether somebody else had begun it. Raises what the work raises."""
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._flights[key] = _Flight(work)
            flight.task.add_done_callback(lambda _: self._landed(key, flight))
        flight.followers += 1
        try:
            return await flight.follow(emit), joined
        finally:
            flight.followers -= 1
            if not flight.followers:
                self._landed(key, flight)
                await flight.cancelled()

    def _landed(self, key: str, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class _Flight:
    def __init__(self, work: Callable[[Emit], Awaitable[Answer]]) -> None:
        self.followers = 0
        self._events: list[Event] = []
        self._news = asyncio.Event()
        self.task = asyncio.ensure_future(work(self._note))
        self.task.add_done_callback(lambda _: self._wake())

    async def follow(self, emit: Emit) -> Answer:
        """Emit what was said so far and what is still to come; return the answer."""
        told = 0
        while True:
            news = self._news
            while told < len(self._events):
                told += 1
                await emit(self._events[told - 1])
            if self.task.done():
                return self.task.result()
            await news.wait()

    async def cancelled(self) -> None:
        """End the work, and wait until it has let go of what it holds."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _note(self, event: Event) -> None:
        self._events.append(event)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
