"""Runs work on many things at once, a limited number at a time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def side_by_side(work: Callable[[T], Awaitable[R]], things: Iterable[T], limit: int) -> AsyncGenerator[R]:
    """Yield the results as they come. What is under way is cancelled when one raises, or the caller stops listening."""

    async def run(thing: T) -> R:
        return await work(thing)

    waiting = iter(things)
    running: set[asyncio.Task[R]] = set()
    try:
        while True:
            running |= {asyncio.create_task(run(thing)) for thing in itertools.islice(waiting, limit - len(running))}
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
