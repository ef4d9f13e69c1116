"""The way to Redis that all of a process shares. Redis being away or slow costs a request little and never fails it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from cache.outage import Outage

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
_CONNECTIONS = 32  # Redis does one thing at a time anyway


class RedisConnection:
    """Connections to one Redis, for one event loop. After some failures in a row Redis is left alone for a moment; then
    one caller tries again."""

    def __init__(self, url: str, *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        shown = re.sub(r"(?<=://)[^/]*@", "", url.partition("?")[0])  # either part may hold a password
        self._outage = Outage(shown, clock)
        self._timeout_s = timeout_s
        self._client: Redis | None = None

    async def run(self, work: Callable[[Redis], Awaitable[T]], otherwise: T, *, in_steps: bool = False) -> T:
        """Return what `work` returns, or `otherwise` when Redis is away, or refuses: it is full, or holds something
        else under a key. The timeout is for all of the work, or `in_steps` for each round trip of it."""
        from redis import RedisError, ResponseError

        if not self._outage.over():
            return otherwise
        try:
            async with asyncio.timeout(None if in_steps else self._timeout_s):
                result = await work(self._open())
        except (ResponseError, ValueError) as exc:
            self._outage.refused(exc)
            return otherwise
        except (RedisError, OSError) as exc:
            self._outage.failed(exc)
            return otherwise
        self._outage.answered()
        return result

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _open(self) -> Redis:
        if self._client is None:
            from redis.asyncio import BlockingConnectionPool, Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
            from redis.exceptions import ConnectionError

            pool = BlockingConnectionPool.from_url(
                self._url,
                max_connections=_CONNECTIONS,
                timeout=self._timeout_s,
                socket_timeout=self._timeout_s,
                socket_connect_timeout=self._timeout_s,
                # What a new connection says first: nothing but its password, so that many are there at once.
                protocol=2,
                lib_name=None,
                lib_version=None,
                # A connection that died with its server is replaced; one that is slow is not tried twice.
                retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
            )
            self._client = Redis.from_pool(pool)
        return self._client
