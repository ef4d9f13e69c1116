"""Answer caches: the one in memory and the one in a real Redis alike; Redis being away is a miss."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from apps.supervisor import Supervisor
from cache.memory_answer_cache import MemoryAnswerCache, NullAnswerCache
from cache.redis_answer_cache import RedisAnswerCache
from cache.redis_server import redis_service
from contracts import Answer, AnswerCache, CachedAnswer, Citation, Usage
from tests.library import hit

ENTRY = CachedAnswer(
    Answer(
        text="It opens in May [1].",
        citations=(Citation(1, hit("handbook", "The museum opens in May."), "matched"),),
        grounded=True,
        abstained=False,
        cache="miss",
        generation=7,
        trace_id="tr-1",
        conversation_id="c",
        usage=Usage(10, 5),
        timings={"generate": 12.5},
    ),
    evidence=("chunk-1",),
    documents=("handbook", "guide"),
)


@pytest.fixture
async def redis_url(tmp_path: Path) -> AsyncIterator[str]:
    with TemporaryDirectory() as short:  # a socket's path may not be long
        supervisor = Supervisor(tmp_path)
        service = redis_service(Path(short) / "redis.sock")
        await supervisor.until_ready(service, await supervisor.start(service))
        try:
            yield service.url
        finally:
            await supervisor.stop()


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[AnswerCache]:
    if request.param == "memory":
        yield MemoryAnswerCache()
        return
    redis = RedisAnswerCache(redis_url, ttl_s=60, timeout_s=1)
    yield redis
    await redis.close()


async def test_entries_that_rest_on_a_document_are_forgotten_with_it(cache: AnswerCache) -> None:
    await cache.put("one", ENTRY)
    await cache.put("other", replace(ENTRY, documents=("guide",)))
    await cache.forget(["nothing", "handbook"])
    assert await cache.get("one") is None
    assert await cache.get("other") is not None
    await cache.forget(["guide"])
    assert await cache.get("other") is None


async def test_an_entry_comes_back_as_it_was_put(cache: AnswerCache) -> None:
    assert await cache.get("key") is None
    await cache.put("key", ENTRY)
    assert await cache.get("key") == ENTRY
    assert await cache.get("other") is None


async def test_a_dropped_entry_is_gone(cache: AnswerCache) -> None:
    await cache.put("key", ENTRY)
    await cache.drop("key")
    await cache.drop("never there")
    assert await cache.get("key") is None
    assert await cache.alive()


async def test_redis_forgets_after_the_time_to_live(redis_url: str) -> None:
    cache = RedisAnswerCache(redis_url, ttl_s=1, timeout_s=1)
    await cache.put("key", ENTRY)
    await asyncio.sleep(1.2)
    assert await cache.get("key") is None
    await cache.close()


@pytest.mark.parametrize("foreign", [b"\x80\x04pickle", b"{}", b'{"answer": 1, "evidence": []}', b"\xff\xfe", b""])
async def test_a_foreign_entry_is_a_miss(redis_url: str, foreign: bytes, caplog: pytest.LogCaptureFixture) -> None:
    cache = RedisAnswerCache(redis_url, ttl_s=60, timeout_s=1)
    await cache.put("key", ENTRY)
    client = cache._redis()
    (stored,) = [key async for key in client.scan_iter("footnote:answer:*")]
    await client.set(stored, foreign)
    assert await cache.get("key") is None
    assert "unreadable" in caplog.text
    await cache.close()


async def test_redis_away_is_a_miss_and_a_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = RedisAnswerCache(f"unix://{tmp_path}/nothing.sock", ttl_s=60, timeout_s=0.2)
    await cache.put("key", ENTRY)
    assert await cache.get("key") is None
    await cache.drop("key")
    assert not await cache.alive()
    assert "is away" in caplog.text
    await cache.close()


async def test_the_cache_switched_off_keeps_nothing() -> None:
    cache = NullAnswerCache()
    await cache.put("key", ENTRY)
    assert await cache.get("key") is None
