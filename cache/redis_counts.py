"""Counts in Redis that cost no request a round trip: added up here, told within a second."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from cache.redis_connection import RedisConnection

if TYPE_CHECKING:
    from redis.asyncio import Redis

_TOLD_AFTER_S = 1.0


class RedisCounts:
    """Counts by name in the hash `name`, of all processes together. What cannot be told now is told when Redis is
    back."""

    def __init__(self, connection: RedisConnection, name: str) -> None:
        self._redis = connection
        self._name = name
        self._untold: Counter[str] = Counter()
        self._telling: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def add(self, counts: Mapping[str, int]) -> None:
        """Add to the counts."""
        self._untold.update(counts)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_later())

    async def read(self, redis: Redis) -> dict[str, int]:
        """Return the counts."""
        told = cast("dict[bytes, bytes]", await redis.hgetall(self._name))
        return {name.decode(): int(count) for name, count in told.items()}

    async def forget(self, redis: Redis) -> None:
        """Start anew."""
        self._untold.clear()
        await redis.unlink(self._name)

    async def tell(self) -> None:
        """Tell Redis what it does not know yet."""
        counts, self._untold = self._untold, Counter()

        async def tell(redis: Redis) -> bool:
            async with redis.pipeline(transaction=True) as pipeline:
                for name, count in counts.items():
                    if count:
                        pipeline.hincrby(self._name, name, count)
                await pipeline.execute()
            return True

        if counts and not await self._redis.run(tell, False):
            self._untold.update(counts)

    async def close(self) -> None:
        """Tell the rest."""
        self._closing.set()
        if self._telling is not None:
            await self._telling
        await self.tell()

    async def _tell_later(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), _TOLD_AFTER_S)
        await self.tell()
