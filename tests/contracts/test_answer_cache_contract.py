"""Answer caches: those in memory, in SQLite and in a real Redis alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from cache.memory_answer_cache import MemoryAnswerCache, NullAnswerCache
from cache.redis_answer_cache import RedisAnswerCache
from cache.redis_connection import RedisConnection
from cache.sqlite_answer_cache import SqliteAnswerCache
from cache.sqlite_store import SqliteStore
from contracts import AnswerCache, AnswerKey, CacheStats, CacheUpkeep, Usage
from tests.cache_stores import ENTRY, redis_server

KEY, OTHER = AnswerKey("default", "exact-1", "space"), AnswerKey("default", "exact-2", "space")


class Cache(AnswerCache, CacheUpkeep, Protocol):
    """What answers are kept in and looked after."""


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def cache(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryAnswerCache()
    elif request.param == "sqlite":
        store = SqliteStore(tmp_path / "cache" / "cache.sqlite", max_mb=16)
        yield SqliteAnswerCache(store)
        await store.close()
    else:
        async with redis_server(tmp_path) as (url, _):
            connection = RedisConnection(url, timeout_s=2)
            redis = RedisAnswerCache(connection, identity="one")
            yield redis
            await redis.close()
            await connection.close()


def vector(*numbers: float) -> NDArray[np.float32]:
    made = np.array(numbers, np.float32)
    return made / np.float32(np.linalg.norm(made))


NORTH, NEARLY_NORTH, EAST = vector(1, 0, 0), vector(1, 0.1, 0), vector(0, 1, 0)


async def test_an_entry_comes_back_as_it_was_put(cache: Cache) -> None:
    assert await cache.get(KEY) is None
    await cache.put(KEY, ENTRY, ttl_s=60)
    assert await cache.get(KEY) == ENTRY
    assert await cache.get(OTHER) is None
    assert await cache.get(replace(KEY, collection="other")) is None


async def test_a_later_entry_takes_the_place_of_an_earlier_one(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=60, vector=NORTH)
    later = replace(ENTRY, documents=("guide",), question="later")
    await cache.put(KEY, later, ttl_s=60, vector=EAST)
    assert await cache.get(KEY) == later
    (found,) = await cache.similar(KEY, EAST, 4)
    assert (found.entry, round(found.similarity, 3)) == (later, 1.0)


async def test_entries_expire(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=1, vector=NORTH)
    await cache.put(OTHER, ENTRY, ttl_s=60, vector=EAST)
    await asyncio.sleep(1.2)
    assert await cache.get(KEY) is None
    assert [found.key for found in await cache.similar(KEY, NORTH, 4)] == [OTHER]


async def test_a_dropped_entry_is_gone(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=60, vector=NORTH)
    await cache.drop(KEY)
    await cache.drop(OTHER)  # never there
    assert await cache.get(KEY) is None
    assert await cache.similar(KEY, NORTH, 4) == ()
    assert await cache.alive()


async def test_similar_entries_come_nearest_first(cache: Cache) -> None:
    assert await cache.similar(KEY, NORTH, 4) == ()
    vectors = {"north": NORTH, "nearly": NEARLY_NORTH, "east": EAST, "south": vector(-1, 0, 0)}
    for name, each in vectors.items():
        await cache.put(replace(KEY, exact=name), replace(ENTRY, question=name), ttl_s=60, vector=each)
    found = await cache.similar(KEY, NORTH, 3)
    assert [each.key.exact for each in found] == ["north", "nearly", "east"]
    assert [each.entry.question for each in found] == ["north", "nearly", "east"]
    assert [each.similarity for each in found] == pytest.approx([1, 1 / 1.01**0.5, 0], abs=1e-5)
    assert all(each.key.space == "space" for each in found)


async def test_entries_of_another_space_or_collection_are_not_similar(cache: Cache) -> None:
    await cache.put(replace(KEY, space="another"), ENTRY, ttl_s=60, vector=NORTH)
    await cache.put(replace(KEY, collection="other"), ENTRY, ttl_s=60, vector=NORTH)
    assert await cache.similar(KEY, NORTH, 4) == ()


async def test_an_entry_without_a_vector_is_found_by_its_key_alone(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=60)
    assert await cache.similar(KEY, NORTH, 4) == ()
    await cache.put(OTHER, ENTRY, ttl_s=60, vector=NORTH)
    await cache.put(OTHER, ENTRY, ttl_s=60)  # had one before
    assert await cache.similar(KEY, NORTH, 4) == ()
    assert await cache.get(OTHER) == ENTRY


async def test_entries_that_rest_on_a_document_are_forgotten_with_it(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=60, vector=NORTH)
    await cache.put(OTHER, replace(ENTRY, documents=("guide",)), ttl_s=60, vector=EAST)
    await cache.forget([])
    await cache.forget(["nothing", "handbook"])
    assert await cache.get(KEY) is None
    assert [found.key for found in await cache.similar(KEY, NORTH, 4)] == [OTHER]
    await cache.forget(["guide"])
    assert await cache.get(OTHER) is None
    assert await cache.similar(KEY, NORTH, 4) == ()


async def test_lookups_are_counted(cache: Cache) -> None:
    await cache.count("miss")
    await cache.put(KEY, ENTRY, ttl_s=60)
    for _ in range(2):
        await cache.count("exact", Usage(10, 5))
    await cache.count("semantic", Usage(1, 1))
    await cache.count("stale")
    stats = await cache.stats()
    assert stats is not None
    assert stats.semantic_ready
    assert replace(stats, bytes=None) == CacheStats(1, 2, 1, 1, 1, saved_prompt_tokens=21, saved_completion_tokens=11)


async def test_one_collection_is_cleared_and_then_everything(cache: Cache) -> None:
    for name in ("default", "default-2", "other"):
        await cache.put(replace(KEY, collection=name), ENTRY, ttl_s=60, vector=NORTH)
    await cache.count("miss")
    assert await cache.clear("default") == 1
    assert await cache.get(KEY) is None
    assert await cache.similar(KEY, NORTH, 4) == ()
    stats = await cache.stats()
    assert stats is not None
    assert (stats.answers, stats.misses) == (2, 1)
    assert await cache.clear() == 2
    stats = await cache.stats()
    assert stats is not None
    assert replace(stats, bytes=None) == CacheStats(0)


async def test_many_at_once_do_not_meet(cache: Cache) -> None:
    async def use(number: int) -> None:
        key, entry = replace(KEY, exact=f"n{number}"), replace(ENTRY, question=f"question {number}")
        await cache.put(key, entry, ttl_s=60, vector=NORTH)
        assert await cache.get(key) == entry

    await asyncio.gather(*map(use, range(100)))
    stats = await cache.stats()
    assert stats is not None
    assert stats.answers == 100


async def test_the_cache_switched_off_keeps_nothing() -> None:
    cache: Cache = NullAnswerCache()
    await cache.put(KEY, ENTRY, ttl_s=60, vector=NORTH)
    await cache.count("miss")
    assert await cache.get(KEY) is None
    assert await cache.similar(KEY, NORTH, 4) == ()
    assert await cache.stats() == CacheStats(0, semantic_ready=False)
    assert await cache.clear() == 0
    assert await cache.alive()
