"""Answer caches: in memory, in SQLite and in a real Redis alike."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
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
from contracts import (
    Answer,
    AnswerCache,
    AnswerKey,
    AnswerMode,
    AnswerSentence,
    CachedAnswer,
    CacheStats,
    CacheUpkeep,
    Citation,
    Usage,
    Violation,
)
from tests.library import hit

ENTRY = CachedAnswer(
    Answer(
        text="It opens in May [1].",
        citations=(Citation(1, hit("handbook", "The museum opens in May."), "matched", (0, 24)),),
        grounded=True,
        abstained=False,
        cache="miss",
        generation=7,
        trace_id="tr-1",
        conversation_id="c",
        usage=Usage(10, 5),
        timings={"generate": 12.5},
        sentences=(AnswerSentence((0, 20), (1,), "matched", 0.93),),
        violations=(Violation("length", "It was long.", "flag"),),
        mode=AnswerMode.EXTRACTIVE,
        notice="model_unavailable",
        tool_calls=({"id": "call-1", "function": {"name": "look", "arguments": '{"at": "é"}'}},),
    ),
    evidence=("chunk-1",),
    documents=("handbook", "guide"),
    question="When does the museum open?",
)
KEY = AnswerKey("default", "exact", "space")


class Cache(AnswerCache, CacheUpkeep, Protocol):
    """What each of these classes is."""


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def cache(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryAnswerCache()
    elif request.param == "sqlite":
        store = SqliteStore(tmp_path / "cache.sqlite", max_mb=16)
        yield SqliteAnswerCache(store)
        await store.close()
    else:
        connection = RedisConnection(redis_url, timeout_s=5)
        redis = RedisAnswerCache(connection, identity=uuid.uuid4().hex)
        yield redis
        await redis.close()
        await connection.close()


def key(exact: str, collection: str = "default", space: str = "space") -> AnswerKey:
    return AnswerKey(collection, exact, space)


def direction(*coordinates: float) -> NDArray[np.float32]:
    vector = np.array(coordinates, np.float32)
    return vector / np.linalg.norm(vector)


async def found(cache: AnswerCache, vector: NDArray[np.float32], of: AnswerKey = KEY) -> list[str]:
    return [each.key.exact for each in await cache.similar(of, vector, 10)]


async def there(cache: AnswerCache, names: Sequence[str]) -> list[str]:
    return [name for name in names if await cache.get(key(name)) is not None]


async def test_an_entry_comes_back_as_it_was_put(cache: Cache) -> None:
    assert await cache.get(KEY) is None
    await cache.put(KEY, ENTRY, ttl_s=60)
    assert await cache.get(KEY) == ENTRY
    assert await cache.get(key("other")) is None
    assert await cache.get(key("exact", collection="other")) is None


async def test_the_later_entry_replaces_the_earlier_one(cache: Cache) -> None:
    later = replace(ENTRY, question="When does it close?")
    await cache.put(KEY, ENTRY, ttl_s=60, vector=direction(1, 0))
    await cache.put(KEY, later, ttl_s=60, vector=direction(0, 1))
    assert await cache.get(KEY) == later
    (near,) = await cache.similar(KEY, direction(0, 1), 5)
    assert near.entry == later
    assert near.similarity == pytest.approx(1, abs=1e-3)
    stats = await cache.stats()
    assert stats is not None
    assert stats.answers == 1


async def test_entries_are_gone_after_their_own_time(cache: Cache) -> None:
    await cache.put(key("short"), ENTRY, ttl_s=1, vector=direction(1, 0))
    await cache.put(key("long"), ENTRY, ttl_s=60, vector=direction(1, 1))
    await asyncio.sleep(1.2)
    assert await there(cache, ["short", "long"]) == ["long"]
    assert await found(cache, direction(1, 0)) == ["long"]
    stats = await cache.stats()
    assert stats is not None
    assert stats.answers == 1


async def test_a_dropped_entry_is_gone(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=60, vector=direction(1, 0))
    await cache.drop(KEY)
    await cache.drop(key("never there"))
    assert await cache.get(KEY) is None
    assert await found(cache, direction(1, 0)) == []


async def test_entries_that_rest_on_a_document_are_forgotten_with_it(cache: Cache) -> None:
    await cache.put(key("one"), ENTRY, ttl_s=60, vector=direction(1, 0))
    await cache.put(key("other"), replace(ENTRY, documents=("guide",)), ttl_s=60, vector=direction(0, 1))
    await cache.put(key("none"), replace(ENTRY, documents=()), ttl_s=60, vector=direction(1, 1))
    await cache.forget([])
    await cache.forget(["nothing", "handbook"])
    assert await there(cache, ["one", "other", "none"]) == ["other", "none"]
    assert await found(cache, direction(0, 1)) == ["other", "none"]
    await cache.forget(["guide", *(f"document-{number}" for number in range(2500))])
    assert await there(cache, ["one", "other", "none"]) == ["none"]
    assert await found(cache, direction(0, 1)) == ["none"]


async def test_the_nearest_of_the_space_are_found_first(cache: Cache) -> None:
    for name, vector in {"near": (1, 0.2), "nearer": (1, 0.1), "far": (0, 1), "opposite": (-1, 0)}.items():
        entry = replace(ENTRY, question=name)
        await cache.put(key(name), entry, ttl_s=60, vector=direction(*vector))
    await cache.put(key("without a vector"), ENTRY, ttl_s=60)
    near = await cache.similar(KEY, direction(1, 0), 3)
    assert [(each.key, each.entry.question) for each in near] == [
        (key(name), name) for name in ("nearer", "near", "far")
    ]
    expected = [float(direction(1, y) @ direction(1, 0)) for y in (0.1, 0.2)]
    assert [each.similarity for each in near] == pytest.approx([*expected, 0], abs=1e-3)
    assert await found(cache, direction(1, 0)) == ["nearer", "near", "far", "opposite"]


async def test_spaces_and_collections_do_not_meet(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=60, vector=direction(1, 0))
    assert await found(cache, direction(1, 0), key("x")) == ["exact"]
    assert await found(cache, direction(1, 0), key("x", space="other")) == []
    assert await found(cache, direction(1, 0), key("x", collection="other")) == []
    await cache.put(key("exact", collection="other"), ENTRY, ttl_s=60, vector=direction(1, 0))
    await cache.drop(KEY)
    assert await found(cache, direction(1, 0), key("x", collection="other")) == ["exact"]


async def test_a_question_of_another_dimension_finds_nothing(cache: Cache) -> None:
    if isinstance(cache, MemoryAnswerCache):
        pytest.skip("tests bring vectors that fit")
    await cache.put(KEY, ENTRY, ttl_s=60, vector=direction(1, 0))
    assert await found(cache, direction(1, 0, 0)) == []
    assert await found(cache, direction(1, 0)) == ["exact"]


async def test_what_comes_and_goes_between_looks_is_seen(cache: Cache) -> None:
    random = np.random.default_rng(0)
    vectors = {f"{number}": direction(*random.normal(size=16)) for number in range(60)}
    kept = set[str]()
    for number, (name, vector) in enumerate(vectors.items()):
        await cache.put(key(name), ENTRY, ttl_s=60, vector=vector)
        kept.add(name)
        if number % 3 == 2:
            gone = sorted(kept)[0]
            await cache.drop(key(gone))
            kept.discard(gone)
        if number % 7 == 0:
            expected = sorted(kept, key=lambda each: -float(vectors[each] @ vector))[:3]
            assert [each.key.exact for each in await cache.similar(KEY, vector, 3)] == expected


async def test_lookups_are_counted_until_all_is_cleared(cache: Cache) -> None:
    await cache.put(KEY, ENTRY, ttl_s=60, vector=direction(1, 0))
    await cache.put(key("elsewhere", collection="other"), ENTRY, ttl_s=60, vector=direction(1, 0))
    for outcome in ("exact", "exact", "semantic"):
        await cache.count(outcome, Usage(100, 20))
    await cache.count("miss")
    await cache.count("stale")
    stats = await cache.stats()
    assert stats is not None
    assert replace(stats, bytes=None) == CacheStats(2, 2, 1, 1, 1, 300, 60)
    assert await cache.clear("other") == 1
    assert await cache.get(key("elsewhere", collection="other")) is None
    assert await found(cache, direction(1, 0), key("x", collection="other")) == []
    assert await there(cache, ["exact"]) == ["exact"]
    assert await cache.clear() == 1
    assert await there(cache, ["exact"]) == []
    assert await found(cache, direction(1, 0)) == []
    stats = await cache.stats()
    assert stats is not None
    assert replace(stats, bytes=None) == CacheStats(0)


async def test_many_use_it_at_once(cache: Cache) -> None:
    async def use(number: int) -> CachedAnswer | None:
        entry = replace(ENTRY, question=str(number))
        await cache.put(key(str(number % 10)), entry, ttl_s=60, vector=direction(1, number % 10))
        await cache.count("miss")
        await cache.similar(KEY, direction(1, 0), 3)
        return await cache.get(key(str(number % 10)))

    entries = await asyncio.gather(*map(use, range(100)))
    assert all(entry is not None and int(entry.question) % 10 == at % 10 for at, entry in enumerate(entries))
    assert len(await found(cache, direction(1, 0))) == 10
    stats = await cache.stats()
    assert stats is not None
    assert (stats.answers, stats.misses) == (10, 100)


async def test_it_is_alive(cache: Cache) -> None:
    assert await cache.alive()


async def test_installations_on_one_redis_do_not_meet(redis_url: str) -> None:
    connection = RedisConnection(redis_url, timeout_s=5)
    one, other = (RedisAnswerCache(connection, identity=name) for name in ("one", "one-more"))
    await one.put(KEY, ENTRY, ttl_s=60, vector=direction(1, 0))
    assert await other.get(KEY) is None
    assert await found(other, direction(1, 0)) == []
    assert await other.clear() == 0
    await other.forget(["handbook"])
    assert await one.get(KEY) == ENTRY
    assert await one.clear() == 1
    await connection.close()


async def test_clearing_a_collection_spares_those_with_names_like_it(cache: Cache) -> None:
    for collection in ("a", "ab", "a*"):
        await cache.put(key("exact", collection=collection), ENTRY, ttl_s=60, vector=direction(1, 0))
    assert await cache.clear("a") == 1
    assert await cache.get(key("exact", collection="ab")) == ENTRY
    assert await cache.get(key("exact", collection="a*")) == ENTRY
    assert await cache.clear("a*") == 1
    assert await cache.get(key("exact", collection="ab")) == ENTRY


async def test_processes_share_a_file(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "cache.sqlite", max_mb=16) for _ in range(2)]
    one, other = map(SqliteAnswerCache, stores)
    await one.put(key("1"), ENTRY, ttl_s=60, vector=direction(1, 0))
    assert await found(other, direction(1, 0)) == ["1"]
    await other.put(key("2"), ENTRY, ttl_s=60, vector=direction(1, 0.1))
    assert await found(one, direction(1, 0)) == ["1", "2"]
    await one.forget(["handbook"])
    assert await found(other, direction(1, 0)) == []
    await asyncio.gather(*(each.count("miss") for each in (one, other) for _ in range(20)))
    stats = await one.stats()
    assert stats is not None
    assert stats.misses == 40
    for store in stores:
        await store.close()


async def test_a_file_grows_to_its_bound_and_loses_what_was_not_used(tmp_path: Path) -> None:
    now = 1000.0
    store = SqliteStore(tmp_path / "cache.sqlite", max_mb=1, clock=lambda: now)
    cache = SqliteAnswerCache(store)
    long = replace(ENTRY, question="?" * 20_000)
    for number in range(100):
        now += 100
        await cache.put(key(str(number)), long, ttl_s=1_000_000, vector=direction(1, number))
        assert await cache.get(key("0")) == long
    stats = await cache.stats()
    assert stats is not None
    assert stats.bytes is not None
    assert stats.bytes <= 1 << 20
    assert 20 < stats.answers < 60
    assert await cache.get(key("99")) == long
    assert await cache.get(key("1")) is None
    await store.close()
    assert (tmp_path / "cache.sqlite").stat().st_size < 2 << 20


async def test_nothing_of_a_forgotten_answer_is_left_in_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cache.sqlite", max_mb=16)
    cache = SqliteAnswerCache(store)
    vector = direction(*np.random.default_rng(1).normal(size=384))
    await cache.put(KEY, replace(ENTRY, question="xyzzy " * 1000), ttl_s=60, vector=vector)
    await cache.forget(["handbook"])
    for path in tmp_path.iterdir():
        assert b"xyzzy" not in path.read_bytes(), path
        assert vector.tobytes()[:400] not in path.read_bytes(), path
    await store.close()


async def test_the_cache_switched_off_keeps_nothing() -> None:
    cache = NullAnswerCache()
    upkeep: Cache = cache
    await upkeep.put(KEY, ENTRY, ttl_s=60, vector=direction(1, 0))
    await upkeep.count("miss")
    await upkeep.drop(KEY)
    await upkeep.forget(["handbook"])
    assert await upkeep.get(KEY) is None
    assert await upkeep.similar(KEY, direction(1, 0), 3) == ()
    assert await upkeep.stats() == CacheStats(0, semantic_ready=False)
    assert await upkeep.clear() == 0
    assert await upkeep.alive()
    await cache.close()
