"""Vectors of questions in Redis, by a hash of their text."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from cache.redis_connection import RedisConnection
from cache.vector_bytes import pack, unpack, vector_name

if TYPE_CHECKING:
    from redis.asyncio import Redis

_FORMAT = 1
_log = logging.getLogger(__name__)


class RedisVectorCache:
    """Port `VectorCache`: one round trip each way, whatever the number of texts. Vectors stay for `ttl_s` seconds."""

    def __init__(self, connection: RedisConnection, *, identity: str, ttl_s: int) -> None:
        self._redis = connection
        self._base = f"footnote:{identity}:vector:{_FORMAT}"
        self._ttl_s = ttl_s

    async def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors that are known."""
        if not texts:
            return {}
        names = [self._name(embedder, text) for text in texts]

        async def read(redis: Redis) -> list[bytes | None]:
            return cast("list[bytes | None]", await redis.mget(names))

        nothing: list[bytes | None] = [None] * len(names)
        found: dict[str, NDArray[np.float32]] = {}
        for text, packed in zip(texts, await self._redis.run(read, nothing), strict=True):
            if packed is None:
                continue
            try:
                found[text] = unpack(packed)
            except ValueError as exc:
                _log.warning("a cached vector is unreadable and is ignored: %s", exc)
        return found

    async def put(self, embedder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors."""

        async def store(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as pipeline:
                for text, vector in vectors.items():
                    pipeline.set(self._name(embedder, text), pack(vector), ex=self._ttl_s)
                await pipeline.execute()

        if vectors:
            await self._redis.run(store, None)

    def _name(self, embedder: str, text: str) -> str:
        return f"{self._base}:{vector_name(embedder, text)}"
