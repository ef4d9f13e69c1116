"""The way to Redis that all of a process shares. Redis being away or slow costs a request little and never fails it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
_CONNECTIONS = 1000
_FAILURES = 3  # in a row, before Redis is left alone for a while
_PAUSE_S = 2.0
_log = logging.getLogger(__name__)


class RedisConnection:
    """Connections to one Redis, for one event loop. After some failures in a row Redis is left alone for a moment; then
    one caller tries again. An outage is logged once, and so is its end."""

    def __init__(self, url: str, *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._shown_url = re.sub(r"(?<=://)[^/]*@", "", url.partition("?")[0])  # either part may hold a password
        self._timeout_s = timeout_s
        self._clock = clock
        self._client: Redis | None = None
        self._failures = 0
        self._next_try = 0.0
        self._away = False

    async def run(self, work: Callable[[Redis], Awaitable[T]], otherwise: T) -> T:
        """Return what `work` returns, or `otherwise` when Redis is away, or refuses: it is full, or holds something
        else under a key."""
        from redis import RedisError, ResponseError

        if self._failures >= _FAILURES:
            now = self._clock()
            if now < self._next_try:
                return otherwise
            self._next_try = now + _PAUSE_S  # the others wait for what this one finds
        try:
            result = await work(self._open())
        except ResponseError as exc:
            _log.warning("the cache at %s refused: %s", self._shown_url, exc)
            return otherwise
        except (RedisError, OSError) as exc:
            self._failed(exc)
            return otherwise
        self._succeeded()
        return result

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _failed(self, exc: Exception) -> None:
        self._failures += 1
        self._next_try = self._clock() + _PAUSE_S
        if not self._away:
            self._away = True
            _log.warning("the cache at %s is away, and requests go on without it: %r", self._shown_url, exc)

    def _succeeded(self) -> None:
        self._failures = 0
        if self._away:
            self._away = False
            _log.warning("the cache at %s is back", self._shown_url)

    def _open(self) -> Redis:
        if self._client is None:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
            from redis.exceptions import ConnectionError

            self._client = Redis.from_url(
                self._url,
                socket_timeout=self._timeout_s,
                socket_connect_timeout=self._timeout_s,
                max_connections=_CONNECTIONS,
                # A connection that died with its server is replaced; one that is slow is not tried twice.
                retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
            )
        return self._client
