"""Answers in Redis: as JSON under keys, and by the vectors of their questions in vector sets (Redis 8)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cache.entry_json import decode, encode
from cache.lookup_counts import counts_of, stats_of
from cache.redis_connection import RedisConnection
from cache.redis_counts import RedisCounts
from cache.redis_keys import batches, unlink
from cache.redis_vector_sets import RedisVectorSets, put_in, stay, take_out
from contracts import NOTHING_SAVED, AnswerKey, CachedAnswer, CacheOutcome, CacheStats, Similar, Usage

if TYPE_CHECKING:
    from redis.asyncio import Redis

_FORMAT = 3  # of keys and entries; an older one is never read, and expires
_SPARE = 2  # times as many neighbours are asked for: some may have expired
_SWEEP_EVERY = 50  # puts
_SWEPT = 100  # vectors that are then looked at
_BATCH = 500
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
        self._vectors = RedisVectorSets(connection)
        self._counts = RedisCounts(connection, f"{self._base}:counts")
        self._puts = 0

    async def get(self, key: AnswerKey) -> CachedAnswer | None:
        """Return the entry, or None."""
        name = self._answer(key.collection, key.exact)
        return self._read(await self._redis.run(lambda redis: redis.get(name), None))

    async def similar(self, key: AnswerKey, vector: NDArray[np.float32], limit: int) -> tuple[Similar, ...]:
        """Return up to `limit` entries of the key's space, nearest first."""
        if not await self._vectors.there():
            return ()
        near = self._near(key.collection, key.space)
        found = await self._vectors.nearest(near, vector, _SPARE * limit)
        names = [self._answer(key.collection, exact) for exact, _ in found]
        contents = await self._redis.run(lambda redis: redis.mget(names), None) if names else None
        if contents is None:
            return ()
        await self._vectors.remove(
            near, [exact for (exact, _), raw in zip(found, contents, strict=True) if raw is None]
        )
        similar: list[Similar] = []
        for (exact, similarity), raw in zip(found, contents, strict=True):
            entry = self._read(raw) if len(similar) < limit else None
            if entry is not None:
                similar.append(Similar(AnswerKey(key.collection, exact, key.space), entry, similarity))
        return tuple(similar)

    async def put(
        self, key: AnswerKey, entry: CachedAnswer, *, ttl_s: int, vector: NDArray[np.float32] | None = None
    ) -> None:
        """Store the entry: all of it or, when Redis is full, nothing."""
        with_vectors, near = await self._vectors.there(), self._near(key.collection, key.space)

        async def store(redis: Redis) -> None:
            async with redis.pipeline(transaction=True) as pipeline:
                pipeline.set(self._answer(key.collection, key.exact), encode(entry), ex=ttl_s)
                for document in entry.documents:
                    pipeline.sadd(self._used(document), f"{key.collection} {key.exact} {key.space}")
                    stay(pipeline, self._used(document), ttl_s)
                if with_vectors and vector is not None:
                    put_in(pipeline, near, key.exact, vector, ttl_s)
                elif with_vectors:
                    take_out(pipeline, near, key.exact)
                await pipeline.execute()

        await self._redis.run(store, None)
        self._puts += 1
        if with_vectors and self._puts % _SWEEP_EVERY == 0:
            await self._redis.run(lambda redis: self._sweep(redis, key.collection, near, _SWEPT), None)

    async def drop(self, key: AnswerKey) -> None:
        """Remove the entry."""
        with_vectors = await self._vectors.there()
        await self._redis.run(lambda redis: self._remove(redis, [key], with_vectors), None)

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Remove every entry that rests on one of these documents."""
        if not document_ids:
            return
        with_vectors = await self._vectors.there()

        async def forget(redis: Redis) -> bool:
            complete = True
            for start in range(0, len(document_ids), _BATCH):
                used = [self._used(document) for document in document_ids[start : start + _BATCH]]
                keys, readable = await _members(redis, used)
                complete = complete and readable
                await self._remove(redis, keys, with_vectors)
                await redis.unlink(*used)
            if not complete or (await redis.info("stats"))["evicted_keys"]:
                await self._search_and_remove(redis, frozenset(document_ids), with_vectors)
            return True

        if not await self._redis.run(forget, False, in_steps=True):
            _log.warning("cached answers of %d deleted documents stay until they expire, unserved", len(document_ids))

    async def count(self, outcome: CacheOutcome, saved: Usage = NOTHING_SAVED) -> None:
        """Count a lookup: here at once, in Redis within a second."""
        self._counts.add(counts_of(outcome, saved))

    async def stats(self) -> CacheStats | None:
        """Return what there is, or None when Redis is away."""
        await self._counts.tell()
        with_vectors = await self._vectors.there()

        async def read(redis: Redis) -> CacheStats:
            answers = 0
            async for batch in batches(redis, f"{self._base}:answer:*"):
                answers += len(batch)
            counts = await self._counts.read(redis)
            used = int((await redis.info("memory"))["used_memory"])
            return stats_of(counts, answers, bytes=used, semantic_ready=with_vectors)

        return await self._redis.run(read, None, in_steps=True)

    async def clear(self, collection: str = "") -> int | None:
        """Remove every answer, or those from one collection; return how many there were, or None when Redis is away.
        Clearing everything starts the counts anew."""

        async def clear(redis: Redis) -> int:
            inside = f"{collection}:" if collection else ""
            count = await unlink(redis, f"{self._base}:answer:{inside}*")
            await unlink(redis, f"{self._base}:near:{inside}*")
            if not collection:
                await unlink(redis, f"{self._base}:used:*")
                await self._counts.forget(redis)
            return count

        return await self._redis.run(clear, None, in_steps=True)

    async def alive(self) -> bool:
        """Return whether Redis answers."""

        async def ping(redis: Redis) -> bool:
            return bool(await redis.ping())

        return await self._redis.run(ping, False)

    async def close(self) -> None:
        """Tell Redis the counts that it does not know yet."""
        await self._counts.close()

    def _answer(self, collection: str, exact: str) -> str:
        return f"{self._base}:answer:{collection}:{exact}"

    def _near(self, collection: str, space: str) -> str:
        return f"{self._base}:near:{collection}:{space}"

    def _used(self, document: str) -> str:
        return f"{self._base}:used:{document}"

    def _read(self, raw: bytes | str | None) -> CachedAnswer | None:
        try:
            return None if raw is None else decode(raw)
        except ValueError as exc:
            _log.warning("an entry of the answer cache is unreadable and is ignored: %r", exc)
            return None

    async def _remove(self, redis: Redis, keys: Sequence[AnswerKey], with_vectors: bool) -> None:
        async with redis.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.unlink(self._answer(key.collection, key.exact))
                if with_vectors:
                    take_out(pipeline, self._near(key.collection, key.space), key.exact)
            await pipeline.execute(raise_on_error=False)  # something else is there than a vector set: no vector of ours

    async def _search_and_remove(self, redis: Redis, documents: frozenset[str], with_vectors: bool) -> None:
        """Look at every entry: Redis may have evicted what tells which of them rest on a document."""
        async for names in batches(redis, f"{self._base}:answer:*"):
            entries = [None if raw is None else self._read(raw) for raw in await redis.mget(names)]
            kept = [entry is not None and documents.isdisjoint(entry.documents) for entry in entries]
            if gone := [name for name, stays in zip(names, kept, strict=True) if not stays]:
                await redis.unlink(*gone)
        async for names in batches(redis, f"{self._base}:near:*"):
            for near in names if with_vectors else ():
                collection = near.decode().removeprefix(f"{self._base}:near:").partition(":")[0]
                await self._sweep(redis, collection, near.decode())

    async def _sweep(self, redis: Redis, collection: str, near: str, sample: int = 0) -> None:
        await self._vectors.sweep(redis, near, lambda exact: self._answer(collection, exact), sample)


async def _members(redis: Redis, used: Sequence[str]) -> tuple[list[AnswerKey], bool]:
    """Return the keys in these sets, and whether all of them could be read."""
    async with redis.pipeline(transaction=False) as pipeline:
        for name in used:
            pipeline.smembers(name)
        told = await pipeline.execute(raise_on_error=False)
    found = [each for each in told if not isinstance(each, Exception)]
    members = {member.decode(errors="replace") for each in found for member in each}
    keys = [AnswerKey(*member.split(" ")) for member in members if member.count(" ") == 2]
    return keys, len(keys) == len(members) and len(found) == len(told)
