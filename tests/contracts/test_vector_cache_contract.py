"""Vector caches: those in memory, in SQLite and in a real Redis alike."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from redis.asyncio import Redis

from cache.memory_vector_cache import MemoryVectorCache, NullVectorCache
from cache.redis_connection import RedisConnection
from cache.redis_vector_cache import RedisVectorCache
from cache.sqlite_store import SqliteStore
from cache.sqlite_vector_cache import SqliteVectorCache
from cache.vector_bytes import pack, unpack
from contracts import VectorCache
from tests.cache_stores import redis_server

ONE, OTHER = np.array([0.6, 0.8], np.float32), np.array([1, 0], np.float32)


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def cache(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorCache]:
    if request.param == "memory":
        yield MemoryVectorCache(ttl_s=1)
    elif request.param == "sqlite":
        store = SqliteStore(tmp_path / "cache.sqlite", max_mb=16)
        yield SqliteVectorCache(store, ttl_s=1)
        await store.close()
    else:
        async with redis_server(tmp_path) as (url, _):
            connection = RedisConnection(url, timeout_s=2)
            yield RedisVectorCache(connection, identity="one", ttl_s=1)
            await connection.close()


async def test_vectors_come_back_as_they_were_put(cache: VectorCache) -> None:
    assert await cache.get("minilm", ["a"]) == {}
    await cache.put("minilm", {"a": ONE, "lone \ud800 surrogate": OTHER})
    found = await cache.get("minilm", ["a", "b", "lone \ud800 surrogate"])
    assert list(found) == ["a", "lone \ud800 surrogate"]
    assert found["a"].dtype == np.float32
    np.testing.assert_array_equal(found["a"], ONE)
    np.testing.assert_array_equal(found["lone \ud800 surrogate"], OTHER)


async def test_embedders_do_not_meet(cache: VectorCache) -> None:
    await cache.put("minilm", {"a": ONE})
    assert await cache.get("e5", ["a"]) == {}


async def test_nothing_is_asked_for_or_put(cache: VectorCache) -> None:
    await cache.put("minilm", {})
    assert await cache.get("minilm", []) == {}


async def test_what_is_put_is_a_copy(cache: VectorCache) -> None:
    rows = np.stack([ONE, OTHER])
    await cache.put("minilm", {"a": rows[0]})
    rows[:] = 0
    np.testing.assert_array_equal((await cache.get("minilm", ["a"]))["a"], ONE)


async def test_vectors_expire(cache: VectorCache) -> None:
    await cache.put("minilm", {"a": ONE})
    await asyncio.sleep(1.2)
    assert await cache.get("minilm", ["a"]) == {}


async def test_null_keeps_nothing() -> None:
    cache: VectorCache = NullVectorCache()
    await cache.put("minilm", {"a": ONE})
    assert await cache.get("minilm", ["a"]) == {}


async def test_catalogs_on_one_redis_do_not_meet(redis_url: str) -> None:
    connection = RedisConnection(redis_url, timeout_s=2)
    one, other = (RedisVectorCache(connection, identity=name, ttl_s=60) for name in ("one", "other"))
    await one.put("minilm", {"a": ONE})
    assert await other.get("minilm", ["a"]) == {}
    await connection.close()


DAMAGED = [b"", b"\x00" * 8, pack(ONE)[:-1], pack(ONE)[:-4], pack(ONE)[:9] + b"?" + pack(ONE)[10:], b"\x80\x04pickle"]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_damaged_bytes_are_no_vector(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="no vector"):
        unpack(damaged)


async def test_a_damaged_vector_in_redis_is_a_miss(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    connection, client = RedisConnection(redis_url, timeout_s=2), Redis.from_url(redis_url)
    cache = RedisVectorCache(connection, identity="one", ttl_s=60)
    await cache.put("minilm", {"a": ONE, "b": OTHER})
    for name in await client.keys("footnote:one:vector:*"):
        await client.set(name, pack(ONE)[:-1])
    assert await cache.get("minilm", ["a", "b"]) == {}
    assert "unreadable" in caplog.text
    for name in await client.keys("footnote:one:vector:*"):
        await client.delete(name)
        await client.rpush(name, "a list")
    assert await cache.get("minilm", ["a", "b"]) == {}
    await cache.put("minilm", {"a": ONE})
    assert list(await cache.get("minilm", ["a", "b"])) == ["a"]
    await client.aclose()
    await connection.close()


@pytest.mark.parametrize("damaged", [pack(ONE)[:-1], "text", 7])
async def test_a_damaged_vector_in_sqlite_is_a_miss(
    tmp_path: Path, damaged: object, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(tmp_path / "cache.sqlite", max_mb=16)
    cache = SqliteVectorCache(store, ttl_s=60)
    await cache.put("minilm", {"a": ONE})
    with sqlite3.connect(tmp_path / "cache.sqlite") as connection:
        connection.execute("UPDATE cache_vectors SET vector = ?", (damaged,))
    connection.close()
    assert await cache.get("minilm", ["a"]) == {}
    assert "unreadable" in caplog.text
    await store.close()
