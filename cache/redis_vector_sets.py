"""Vector sets of Redis 8: which elements have a vector near another one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from cache.redis_connection import RedisConnection
from cache.vector_bytes import raw

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import Pipeline

_log = logging.getLogger(__name__)


class RedisVectorSets:
    """Vector sets by name. A server before Redis 8 has none, which is found out once and logged."""

    def __init__(self, connection: RedisConnection) -> None:
        self._redis = connection
        self._known: bool | None = None

    async def there(self) -> bool:
        """Return whether the server has vector sets; False while nobody can tell."""
        if self._known is None:
            self._known = await self._redis.run(_knows_vector_sets, None)
            if self._known is False:
                _log.warning("the cache's server has no vector sets (Redis 8 has): only the same words find an answer")
        return bool(self._known)

    async def nearest(self, name: str, vector: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` elements with their cosine similarity, nearest first."""
        arguments = ("VSIM", name, "FP32", raw(vector), "WITHSCORES", "COUNT", limit, "NOTHREAD")
        told = await self._redis.run(lambda redis: cast("Any", redis).execute_command(*arguments), None)
        return [(_text(element), 2 * float(score) - 1) for element, score in _pairs(told)]

    async def sweep(self, redis: Redis, name: str, key_of: Callable[[str], str], sample: int = 0) -> None:
        """Take the elements out of a set whose key is gone: those of a sample, or all."""
        commands = cast("Any", redis)
        told = await commands.execute_command(
            "VRANDMEMBER", name, sample or await commands.execute_command("VCARD", name)
        )
        elements = [_text(element) for element in told or ()]
        there = await redis.mget([key_of(element) for element in elements]) if elements else []
        await self.remove(name, [element for element, kept in zip(elements, there, strict=True) if kept is None])

    async def remove(self, name: str, elements: Sequence[str]) -> None:
        """Take elements out of a set."""

        async def remove(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as pipeline:
                for element in elements:
                    take_out(pipeline, name, element)
                await pipeline.execute()

        if elements:
            await self._redis.run(remove, None)


def put_in(pipeline: Pipeline, name: str, element: str, vector: NDArray[np.float32], ttl_s: int) -> None:
    """Add an element to a set, which stays at least `ttl_s` seconds from now."""
    pipeline.execute_command("VADD", name, "FP32", raw(vector), element, "NOQUANT")
    stay(pipeline, name, ttl_s)


def take_out(pipeline: Pipeline, name: str, element: str) -> None:
    """Take an element out of a set, where it is in it."""
    pipeline.execute_command("VREM", name, element)


def stay(pipeline: Pipeline, name: str, ttl_s: int) -> None:
    """Let a key that holds what belongs to others stay as long as the one of them that stays longest."""
    pipeline.expire(name, ttl_s, nx=True)
    pipeline.expire(name, ttl_s, gt=True)


async def _knows_vector_sets(redis: Redis) -> bool:
    from redis.exceptions import NoPermissionError, ResponseError

    try:
        await cast("Any", redis).execute_command("VCARD", "footnote:vector-sets")
    except NoPermissionError:
        return False
    except ResponseError as exc:
        if "unknown command" in str(exc).lower():
            return False
        raise
    return True


def _text(element: bytes) -> str:
    return element.decode(errors="replace")


def _pairs(told: Any) -> list[tuple[bytes, Any]]:
    """Return what VSIM told as pairs, whatever the protocol."""
    if not told:
        return []
    return list(told.items()) if isinstance(told, dict) else list(zip(told[::2], told[1::2], strict=True))
