"""Token buckets in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cache.token_bucket import full_again_s, take
from contracts import Rate

_MANY = 1000


@dataclass(frozen=True, slots=True)
class _Bucket:
    tokens: float
    at: float
    full_at: float


class MemoryRateLimiter:
    """Port `RateLimiter` for one process; `clock` tells the seconds. Buckets that are full again are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._many = _MANY

    async def take(self, key: str, rate: Rate, cost: float = 1.0) -> float:
        """Take `cost` tokens and return 0, or return the seconds until they are there."""
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None or bucket.full_at <= now:
            bucket = _Bucket(rate.burst, now, now)
        tokens, wait = take(bucket.tokens, now - bucket.at, rate, cost)
        self._buckets[key] = _Bucket(tokens, now, now + full_again_s(tokens, rate))
        if len(self._buckets) > self._many:
            self._buckets = {name: each for name, each in self._buckets.items() if each.full_at > now}
            self._many = max(_MANY, 2 * len(self._buckets))
        return wait
