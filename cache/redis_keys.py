"""Keys of Redis by pattern."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from redis.asyncio import Redis

_AT_ONCE = 500


async def batches(redis: Redis, pattern: str) -> AsyncIterator[list[bytes]]:
    """Yield the names of the keys that match, each once."""
    seen: set[bytes] = set()
    cursor = 0
    while True:
        cursor, names = await redis.scan(cursor, match=pattern, count=_AT_ONCE)
        fresh = cast("set[bytes]", set(names)) - seen
        seen |= fresh
        if fresh:
            yield list(fresh)
        if not cursor:
            return


async def unlink(redis: Redis, pattern: str) -> int:
    """Remove the keys that match; return how many."""
    return sum([int(await redis.unlink(*names)) async for names in batches(redis, pattern)])
