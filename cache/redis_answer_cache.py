"""Answers in Redis: as JSON under keys, and by the vectors of their questions in vector sets (Redis 8)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from cache.entry_json import decode, encode
from cache.redis_connection import RedisConnection
from contracts import NOTHING_SAVED, AnswerKey, CachedAnswer, CacheOutcome, CacheStats, Similar, Usage

if TYPE_CHECKING:
    from redis.asyncio import Redis

_FORMAT = 3  # of keys and entries; an older one is never read, and expires
_FLUSH_S = 1.0
_SPARE = 2  # times as many neighbours are asked for: some may have expired
_SWEEP_EVERY = 50  # puts
_SWEPT = 100  # vectors that are then looked at
_BATCH = 1000
_log = logging.getLogger(__name__)


class RedisAnswerCache:
    """Ports `AnswerCache` and `CacheUpkeep`. Keys hold the catalog's `identity`, so that several on one Redis never
    meet. An entry that cannot be read is a miss, logged.

    Each space is a vector set whose elements are the exact keys. What has expired or was evicted is taken out of it
    when it is met, and by a sample now and then. On a server without vector sets only the same words find an answer.
    """

    def __init__(self, connection: RedisConnection, *, identity: str) -> None:
        self._redis = connection
        self._base = f"footnote:{identity}:{_FORMAT}"
        self._has_vectors: bool | None = None
        self._puts = 0
        self._counts: Counter[str] = Counter()
        self._flush: asyncio.Task[None] | None = None

    async def get(self, key: AnswerKey) -> CachedAnswer | None:
        """Return the entry, or None."""

        async def read(redis: Redis) -> bytes | str | None:
            return await redis.get(self._answer(key))

        return self._read(await self._redis.run(read, None))

    async def similar(self, key: AnswerKey, vector: NDArray[np.float32], limit: int) -> tuple[Similar, ...]:
        """Return up to `limit` entries of the key's space, nearest first."""
        if not await self._vectors_there():
            return ()
        near = self._near(key.collection, key.space)
        told = await self._command(
            "VSIM", near, "FP32", _bytes(vector), "WITHSCORES", "COUNT", _SPARE * limit, "NOTHREAD"
        )
        found = [(name.decode(), float(score)) for name, score in _pairs(told)]
        keys = [AnswerKey(key.collection, name, key.space) for name, _ in found]
        if not keys:
            return ()
        raw = await self._redis.run(lambda redis: redis.mget([self._answer(each) for each in keys]), None)
        if raw is None:
            return ()
        if gone := [each.exact for each, content in zip(keys, raw, strict=True) if content is None]:
            await self._redis.run(lambda redis: _remove_vectors(redis, near, gone), None)
        entries = [(each, self._read(content)) for each, content in zip(keys, raw, strict=True)]
        scores = dict(found)
        similar = [Similar(each, entry, 2 * scores[each.exact] - 1) for each, entry in entries if entry is not None]
        return tuple(similar[:limit])

    async def put(
        self, key: AnswerKey, entry: CachedAnswer, *, ttl_s: int, vector: NDArray[np.float32] | None = None
    ) -> None:
        """Store the entry."""
        with_vector = vector is not None and await self._vectors_there()

        async def store(redis: Redis) -> list[Any]:
            near = self._near(key.collection, key.space)
            async with redis.pipeline(transaction=False) as pipeline:
                pipeline.set(self._answer(key), encode(entry), ex=ttl_s)
                for document in entry.documents:
                    used = self._used(document)
                    pipeline.sadd(used, f"{key.collection} {key.exact} {key.space}")
                    pipeline.expire(used, ttl_s, nx=True)
                    pipeline.expire(used, ttl_s, gt=True)  # as long as the entry that stays longest
                if with_vector and vector is not None:
                    pipeline.execute_command("VADD", near, "FP32", _bytes(vector), key.exact, "NOQUANT")
                    pipeline.expire(near, ttl_s)
                return await pipeline.execute()

        await self._redis.run(store, None)
        self._puts += 1
        if with_vector and self._puts % _SWEEP_EVERY == 0:
            await self._redis.run(lambda redis: self._sweep(redis, key), None)

    async def drop(self, key: AnswerKey) -> None:
        """Remove the entry."""
        await self._redis.run(lambda redis: self._remove(redis, [key]), None)

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Remove every entry that rests on one of these documents."""

        async def forget(redis: Redis) -> bool:
            for start in range(0, len(document_ids), _BATCH):
                used = [self._used(document) for document in document_ids[start : start + _BATCH]]
                async with redis.pipeline(transaction=False) as pipeline:
                    for name in used:
                        pipeline.smembers(name)
                    members = {member.decode() for found in await pipeline.execute() for member in found}
                keys = [AnswerKey(*member.split(" ")) for member in members if member.count(" ") == 2]
                await self._remove(redis, keys)
                await redis.unlink(*used)
            return True

        if document_ids and not await self._redis.run(forget, False):
            _log.warning("cached answers of %d deleted documents stay until they expire, unserved", len(document_ids))

    async def count(self, outcome: CacheOutcome, saved: Usage = NOTHING_SAVED) -> None:
        """Count a lookup: here at once, in Redis within a second."""
        self._counts[outcome] += 1
        self._counts["prompt"] += saved.prompt_tokens
        self._counts["completion"] += saved.completion_tokens
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_later())

    async def stats(self) -> CacheStats | None:
        """Return what there is, or None when Redis is away."""
        await self._tell_counts()

        async def read(redis: Redis) -> CacheStats:
            answers = 0
            async for _ in redis.scan_iter(match=f"{self._base}:answer:*", count=_BATCH):
                answers += 1
            counted = cast("dict[bytes, bytes]", await redis.hgetall(self._counted))
            counts = {name.decode(): int(count) for name, count in counted.items()}
            memory = await redis.info("memory")
            return CacheStats(
                answers=answers,
                exact=counts.get("exact", 0),
                semantic=counts.get("semantic", 0),
                misses=counts.get("miss", 0),
                stale=counts.get("stale", 0),
                saved_prompt_tokens=counts.get("prompt", 0),
                saved_completion_tokens=counts.get("completion", 0),
                bytes=int(memory["used_memory"]),
                semantic_ready=bool(self._has_vectors),
            )

        await self._vectors_there()
        return await self._redis.run(read, None)

    async def clear(self, collection: str = "") -> int | None:
        """Remove every answer, or those from one collection; return how many there were, or None when Redis is away.
        Clearing everything starts the counts anew."""

        async def clear(redis: Redis) -> int:
            inside = f"{collection}:" if collection else ""
            count = await _unlink(redis, f"{self._base}:answer:{inside}")
            await _unlink(redis, f"{self._base}:near:{inside}")
            if not collection:
                await _unlink(redis, f"{self._base}:used:")
                await redis.unlink(self._counted)
            return count

        if not collection:
            self._counts.clear()
        return await self._redis.run(clear, None)

    async def alive(self) -> bool:
        """Return whether Redis answers."""

        async def ping(redis: Redis) -> bool:
            return bool(await redis.ping())

        return await self._redis.run(ping, False)

    async def _command(self, *arguments: Any) -> Any:
        return await self._redis.run(lambda redis: cast("Any", redis).execute_command(*arguments), None)

    def _answer(self, key: AnswerKey) -> str:
        return f"{self._base}:answer:{key.collection}:{key.exact}"

    def _near(self, collection: str, space: str) -> str:
        return f"{self._base}:near:{collection}:{space}"

    def _used(self, document: str) -> str:
        return f"{self._base}:used:{document}"

    @property
    def _counted(self) -> str:
        return f"{self._base}:counts"

    def _read(self, raw: bytes | str | None) -> CachedAnswer | None:
        try:
            return None if raw is None else decode(raw)
        except ValueError as exc:
            _log.warning("an entry of the answer cache is unreadable and is ignored: %r", exc)
            return None

    async def _remove(self, redis: Redis, keys: Sequence[AnswerKey]) -> bool:
        async with redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.unlink(self._answer(key))
                if self._has_vectors is not False:
                    pipeline.execute_command("VREM", self._near(key.collection, key.space), key.exact)
            await pipeline.execute(raise_on_error=self._has_vectors is True)
        return True

    async def _vectors_there(self) -> bool:
        if self._has_vectors is None:
            told = await self._command("COMMAND", "INFO", "VSIM")
            if told is None:
                return False  # it is away, and asked again when it is back
            self._has_vectors = bool(told) and told not in ([None], {}) and all(told)
            if not self._has_vectors:
                _log.warning("the cache's server has no vector sets (Redis 8 has): only the same words find an answer")
        return self._has_vectors

    async def _sweep(self, redis: Redis, key: AnswerKey) -> bool:
        """Take a sample of a space's vectors out where their entry is gone."""
        near = self._near(key.collection, key.space)
        told = await cast("Any", redis).execute_command("VRANDMEMBER", near, _SWEPT)
        names = [name.decode() for name in told or ()]
        keys = [self._answer(AnswerKey(key.collection, name, key.space)) for name in names]
        there = await redis.mget(keys) if keys else []
        gone = [name for name, content in zip(names, there, strict=True) if content is None]
        return await _remove_vectors(redis, near, gone)

    async def _flush_later(self) -> None:
        await asyncio.sleep(_FLUSH_S)
        await self._tell_counts()

    async def _tell_counts(self) -> None:
        counts, self._counts = self._counts, Counter()

        async def add(redis: Redis) -> bool:
            async with redis.pipeline(transaction=False) as pipeline:
                for name, count in counts.items():
                    pipeline.hincrby(self._counted, name, count)
                await pipeline.execute()
            return True

        if counts and not await self._redis.run(add, False):
            self._counts.update(counts)  # told when it is back

    async def close(self) -> None:
        """Tell Redis the counts that it does not know yet."""
        if self._flush is not None:
            self._flush.cancel()
            await asyncio.gather(self._flush, return_exceptions=True)
        await self._tell_counts()


def _bytes(vector: NDArray[np.float32]) -> bytes:
    return vector.astype("<f4", copy=False).tobytes()


def _pairs(told: Any) -> list[tuple[bytes, Any]]:
    """Return what VSIM told as pairs, whatever the protocol."""
    if not told:
        return []
    return list(told.items()) if isinstance(told, dict) else list(zip(told[::2], told[1::2], strict=True))


async def _remove_vectors(redis: Redis, near: str, names: Sequence[str]) -> bool:
    async with redis.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.execute_command("VREM", near, name)
        await pipeline.execute()
    return True


async def _unlink(redis: Redis, prefix: str) -> int:
    """Remove the keys that begin so; return how many."""
    count, batch = 0, list[bytes]()
    pattern = re.sub(r"([*?\[\]^\\-])", r"\\\1", prefix) + "*"
    async for name in redis.scan_iter(match=pattern, count=_BATCH):
        batch.append(name)
        if len(batch) == _BATCH:
            count += int(await redis.unlink(*batch))
            batch = []
    return count + (int(await redis.unlink(*batch)) if batch else 0)
