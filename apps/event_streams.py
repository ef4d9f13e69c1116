"""Work that reports events while it goes on, turned into a stream of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import anyio

from apps.draft import Emit, Event
from contracts import Answer

T = TypeVar("T")


async def events_of(work: Callable[[Emit], Awaitable[Answer]]) -> AsyncGenerator[Event]:
    """Yield what the work emits, and last the answer that it returns. Raises what it raises; closing the stream
    cancels it."""
    send, receive = anyio.create_memory_object_stream[Event](max_buffer_size=64)

    async def produce() -> None:
        async with send:
            await send.send(await work(send.send))

    # A task of its own keeps the trace's context in one place, wherever the reader runs.
    producer = asyncio.create_task(produce())
    try:
        async with receive:
            async for event in receive:
                yield event
        await producer
    finally:
        producer.cancel()
        await asyncio.gather(producer, return_exceptions=True)


async def ignore(event: Event) -> None:
    """Hear an event of work whose answer alone is wanted."""


async def begun(events: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Return the events once the first one is there: what fails before it is raised here."""
    first = await anext(events)

    async def all_of_them() -> AsyncGenerator[T]:
        async with aclosing(events):
            yield first
            async for event in events:
                yield event

    return all_of_them()
