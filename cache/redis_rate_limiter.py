"""Token buckets in Redis, by its own clock: one for all processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cache.redis_connection import RedisConnection
from contracts import Rate

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

# What cache/token_bucket.py says, within Redis. A key that holds something else counts as a full bucket.
_TAKE = """
local rate, burst, cost = tonumber(ARGV[1]) / 60, tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local held = burst
local kept = redis.pcall('GET', KEYS[1])
if type(kept) == 'string' then
  local tokens, at = string.match(kept, '^(%S+) (%S+)$')
  tokens, at = tonumber(tokens), tonumber(at)
  if tokens and at then held = math.min(burst, tokens + math.max(0, now - at) * rate) end
end
local wanted, wait = math.min(cost, burst), 0
if held >= wanted then held = held - wanted else wait = (wanted - held) / rate end
local full = math.ceil((burst - held) / rate * 1000)
if full > 0 then
  redis.call('SET', KEYS[1], string.format('%.17g %.17g', held, now), 'PX', full)
else
  redis.call('DEL', KEYS[1])
end
return string.format('%.17g', wait)
"""


class RedisRateLimiter:
    """Port `RateLimiter`. A bucket that would be full again is not kept. While Redis is away everything may happen."""

    def __init__(self, connection: RedisConnection, *, identity: str) -> None:
        self._redis = connection
        self._base = f"footnote:{identity}:bucket"
        self._script: AsyncScript | None = None

    async def take(self, key: str, rate: Rate, cost: float = 1.0) -> float:
        """Take `cost` tokens and return 0, or return the seconds until they are there."""

        async def run(redis: Redis) -> float:
            if self._script is None:
                self._script = redis.register_script(_TAKE)  # sends nothing: it is loaded where it is not known
            name, arguments = f"{self._base}:{key}", [rate.per_minute, rate.burst, cost]
            return float(await self._script(keys=[name], args=arguments))

        return await self._redis.run(run, 0.0)
