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
    done: asyncio.Queue[asyncio.Task[R]] = asyncio.Queue()
    try:
        while True:
            for thing in itertools.islice(waiting, limit - len(running)):
                task = asyncio.create_task(run(thing))
                task.add_done_callback(done.put_nowait)
                running.add(task)
            if not running:
                return
            task = await done.get()
            running.remove(task)
            yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
