"""Redis in every trouble: the cache misses and says so, and nothing is raised."""

import asyncio
import json
import logging
import os
import pickle
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from redis.asyncio import Redis

from cache.redis_answer_cache import RedisAnswerCache
from cache.redis_connection import RedisConnection
from cache.redis_rate_limiter import RedisRateLimiter
from cache.redis_vector_cache import RedisVectorCache
from contracts import AnswerKey, Rate, Usage
from tests.cache_stores import ENTRY, redis_server, restarted

pytestmark = pytest.mark.integration

KEY, OTHER = AnswerKey("default", "exact-1", "space"), AnswerKey("default", "exact-2", "space")
VECTOR = np.array([1, 0, 0], np.float32)
TIMEOUT_S = 0.3


@dataclass(frozen=True)
class Site:
    """Caches on a Redis, and a client of its own to make trouble with."""

    connection: RedisConnection
    answers: RedisAnswerCache
    vectors: RedisVectorCache
    limiter: RedisRateLimiter
    client: Any
    url: str

    async def pid(self) -> int:
        return int((await self.client.info("server"))["process_id"])

    async def use(self) -> None:
        """Do everything there is once."""
        await self.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
        await self.answers.get(KEY)
        await self.answers.similar(KEY, VECTOR, 4)
        await self.answers.drop(OTHER)
        await self.answers.forget(["nothing"])
        await self.answers.count("exact", Usage(1, 1))
        await self.answers.stats()
        await self.answers.clear("nothing")
        await self.answers.alive()
        await self.vectors.put("minilm", {"a": VECTOR})
        await self.vectors.get("minilm", ["a"])
        await self.limiter.take("alice", Rate(60, 5))

    async def close(self) -> None:
        await self.answers.close()
        await self.connection.close()
        await self.client.aclose()


def open_site(url: str, identity: str = "one") -> Site:
    connection = RedisConnection(url, timeout_s=TIMEOUT_S)
    return Site(
        connection,
        RedisAnswerCache(connection, identity=identity),
        RedisVectorCache(connection, identity=identity, ttl_s=60),
        RedisRateLimiter(connection, identity=identity),
        Redis.from_url(url),
        url,
    )


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with redis_server(tmp_path) as (url, _):
        made = open_site(url)
        yield made
        await made.close()


async def took(work: Callable[[], Awaitable[object]]) -> float:
    began = time.monotonic()
    await work()
    return time.monotonic() - began


async def names(site: Site, pattern: str) -> list[str]:
    return sorted([name.decode() async for name in site.client.scan_iter(match=pattern)])


async def test_killed_it_is_a_miss_said_once_and_costs_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    await site.answers.put(KEY, ENTRY, ttl_s=60)
    os.kill(await site.pid(), signal.SIGKILL)
    for _ in range(5):
        await site.use()
    assert await site.answers.get(KEY) is None
    assert await site.answers.similar(KEY, VECTOR, 4) == ()
    assert await site.answers.stats() is None
    assert await site.answers.clear() is None
    assert not await site.answers.alive()
    assert await site.vectors.get("minilm", ["a"]) == {}
    assert await site.limiter.take("alice", Rate(60, 1)) == 0
    assert await took(site.use) < 0.1
    assert caplog.text.count("is away") == 1


async def test_slow_it_costs_a_few_timeouts_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    await site.use()
    pid = await site.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        assert await took(site.use) < 4 * TIMEOUT_S
        assert await took(site.use) < 0.1  # left alone
        assert await took(lambda: asyncio.gather(*(site.answers.get(KEY) for _ in range(200)))) < 0.5
    finally:
        os.kill(pid, signal.SIGCONT)
    assert caplog.text.count("is away") == 1
    await asyncio.sleep(2.1)
    assert await site.answers.get(KEY) == ENTRY
    assert caplog.text.count("is back") == 1


async def test_answers_of_one_command_never_reach_another_after_a_timeout(site: Site) -> None:
    """A connection that timed out still has an answer on its way: it must not be used again."""
    others = [replace(KEY, exact=f"exact-{number}") for number in range(30)]
    for number, key in enumerate(others):
        await site.answers.put(key, replace(ENTRY, question=str(number)), ttl_s=60)
    pid = await site.pid()
    os.kill(pid, signal.SIGSTOP)
    await asyncio.gather(*(site.answers.get(key) for key in others[:5]))
    os.kill(pid, signal.SIGCONT)
    await asyncio.sleep(2.1)
    assert await site.answers.alive()
    found = await asyncio.gather(*(site.answers.get(key) for key in others))
    assert [entry.question for entry in found if entry is not None] == [str(number) for number in range(30)]


async def test_cancelled_requests_never_get_one_another_s_answers(site: Site) -> None:
    keys = [replace(KEY, exact=f"exact-{number}") for number in range(50)]
    for number, key in enumerate(keys):
        await site.answers.put(key, replace(ENTRY, question=str(number)), ttl_s=60)
    for number in range(200):
        tasks = [asyncio.create_task(site.answers.get(key)) for key in keys[:5]]
        for _ in range(number % 7):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    found = await asyncio.gather(*map(site.answers.get, keys))
    assert [entry.question for entry in found if entry is not None] == [str(number) for number in range(50)]


async def test_full_it_keeps_what_it_has_and_stores_nothing_by_halves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with redis_server(tmp_path, "--maxmemory-policy", "noeviction", "--maxmemory", "8mb") as (url, _):
        site = open_site(url)
        await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
        with pytest.raises(Exception, match="memory"):
            for number in range(1000):
                await site.client.set(f"others:{number}", b"x" * 50_000)
        with pytest.raises(Exception, match="memory"):
            for number in range(100_000):
                await site.client.set(f"small:{number}", b"x" * 100)
        before = await names(site, "footnote:*")
        for _ in range(5):
            await site.answers.put(OTHER, ENTRY, ttl_s=60, vector=VECTOR)
        await site.vectors.put("minilm", {"a": VECTOR})
        assert await names(site, "footnote:*") == before
        assert await site.answers.get(OTHER) is None
        assert await site.answers.get(KEY) == ENTRY
        assert [found.key for found in await site.answers.similar(KEY, VECTOR, 4)] == [KEY]
        assert await site.limiter.take("alice", Rate(60, 1)) == 0
        assert 1 <= caplog.text.count("refused") <= 3
        assert "is away" not in caplog.text
        await site.answers.forget(["handbook"])  # what frees memory is allowed
        assert await site.answers.get(KEY) is None
        await site.close()


async def test_restarted_the_first_command_works(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with restarted(tmp_path) as (url, restart):
        site = open_site(url)
        await site.use()
        await asyncio.gather(*(site.answers.get(KEY) for _ in range(20)))  # many connections
        await restart()
        await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
        assert await site.answers.get(KEY) == ENTRY
        assert [found.key for found in await site.answers.similar(KEY, VECTOR, 4)] == [KEY]
        await site.limiter.take("alice", Rate(60, 5))  # its script is gone
        assert set(await asyncio.gather(*(site.limiter.take("bob", Rate(0.6, 5)) for _ in range(5)))) == {0}
        assert await site.limiter.take("bob", Rate(0.6, 5)) > 90
        assert "is away" not in caplog.text
        await site.close()


async def test_evicted_entries_are_misses_and_their_vectors_go(site: Site) -> None:
    await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
    await site.answers.put(OTHER, ENTRY, ttl_s=60, vector=VECTOR)
    (near,) = await names(site, "footnote:one:*:near:*")
    (gone,) = await names(site, "footnote:one:*:answer:*exact-1")
    await site.client.delete(gone)
    assert [found.key for found in await site.answers.similar(KEY, VECTOR, 4)] == [OTHER]
    assert await site.client.execute_command("VCARD", near) == 1
    await site.client.delete(near)
    assert await site.answers.similar(KEY, VECTOR, 4) == ()
    assert await site.answers.get(OTHER) == ENTRY


async def test_vectors_of_expired_entries_are_swept_out_now_and_then(site: Site) -> None:
    for number in range(80):
        await site.answers.put(replace(KEY, exact=f"exact-{number}"), ENTRY, ttl_s=60, vector=VECTOR)
    for name in await names(site, "footnote:one:*:answer:*"):
        await site.client.delete(name)
    for number in range(100, 130):
        await site.answers.put(replace(KEY, exact=f"exact-{number}"), ENTRY, ttl_s=60, vector=VECTOR)
    (near,) = await names(site, "footnote:one:*:near:*")
    assert await site.client.execute_command("VCARD", near) < 60


async def test_a_document_is_forgotten_even_where_redis_evicted_what_tells_its_answers(tmp_path: Path) -> None:
    async with redis_server(tmp_path, "--maxmemory", "4mb") as (url, _):
        site = open_site(url)
        for number in range(200):
            await site.client.set(f"others:{number}", b"x" * 50_000)
        await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
        await site.answers.put(OTHER, replace(ENTRY, documents=("other",)), ttl_s=60, vector=VECTOR)
        for name in await names(site, "footnote:one:*:used:*"):
            await site.client.delete(name)
        await site.answers.forget(["handbook"])
        assert await site.answers.get(KEY) is None
        assert await site.answers.get(OTHER) is not None
        (near,) = await names(site, "footnote:one:*:near:*")
        assert await site.client.execute_command("VCARD", near) == 1
        await site.close()


FOREIGN = [
    pickle.dumps(ENTRY),
    b"{}",
    b'{"answer": 1, "evidence": []}',
    b"\xff\xfe",
    b"",
    b"[" * 100_000,
    b"null",
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=range(len(FOREIGN)))
async def test_a_foreign_entry_is_a_miss(site: Site, foreign: bytes, caplog: pytest.LogCaptureFixture) -> None:
    await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
    (name,) = await names(site, "footnote:one:*:answer:*")
    await site.client.set(name, foreign)
    assert await site.answers.get(KEY) is None
    assert await site.answers.similar(KEY, VECTOR, 4) == ()
    assert "unreadable" in caplog.text
    await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
    assert await site.answers.get(KEY) == ENTRY


async def test_truncated_entries_and_those_with_other_fields_are_misses(site: Site) -> None:
    await site.answers.put(KEY, ENTRY, ttl_s=60)
    (name,) = await names(site, "footnote:one:*:answer:*")
    raw = await site.client.get(name)
    for length in range(0, len(raw), 7):
        await site.client.set(name, raw[:length])
        assert await site.answers.get(KEY) is None
    for field in ("answer", "evidence"):
        older = json.loads(raw)
        del older[field]
        await site.client.set(name, json.dumps(older))
        assert await site.answers.get(KEY) is None


async def test_other_types_under_every_key_raise_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    await site.use()
    await site.answers.put(OTHER, ENTRY, ttl_s=60, vector=VECTOR)
    for name in await names(site, "footnote:*"):
        await site.client.delete(name)
        await site.client.rpush(name, b"\xff a list")
    await site.use()
    assert await site.answers.get(OTHER) is None
    await site.answers.forget(["handbook", "guide"])
    assert await site.answers.get(KEY) is None
    for name in await names(site, "footnote:*"):
        await site.client.delete(name)
        await site.client.sadd(name, b"\xff\xfe", b"one two three four", b"x")
    await site.use()
    await site.answers.forget(["handbook", "guide"])
    assert await site.answers.clear() is not None
    await site.use()
    assert await site.answers.get(KEY) == ENTRY
    assert "WRONGTYPE" in caplog.text


async def test_foreign_elements_and_dimensions_in_a_vector_set_raise_nothing(site: Site) -> None:
    await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
    (near,) = await names(site, "footnote:one:*:near:*")
    await site.client.execute_command("VADD", near, "FP32", VECTOR.tobytes(), b"\xff\xfe", "NOQUANT")
    assert [found.key for found in await site.answers.similar(KEY, VECTOR, 4)] == [KEY]
    assert await site.answers.similar(KEY, np.array([1, 0], np.float32), 4) == ()
    await site.answers.put(OTHER, ENTRY, ttl_s=60, vector=np.array([1, 0], np.float32))
    assert await site.answers.get(OTHER) == ENTRY


async def test_a_server_without_vector_sets_finds_the_same_words_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = [f"-{name}" for name in ("vadd", "vsim", "vrem", "vcard", "vrandmember")]
    async with redis_server(tmp_path, "--user", "default", "on", "nopass", "~*", "&*", "+@all", *hidden) as (url, _):
        site = open_site(url)
        for _ in range(3):
            await site.use()
        assert await site.answers.get(KEY) == ENTRY
        assert await site.answers.similar(KEY, VECTOR, 4) == ()
        stats = await site.answers.stats()
        assert stats is not None
        assert not stats.semantic_ready
        assert stats.answers == 1
        await site.answers.forget(["handbook"])
        assert await site.answers.get(KEY) is None
        assert caplog.text.count("no vector sets") == 1
        await site.close()


async def test_installations_on_one_redis_never_meet(site: Site) -> None:
    other = open_site(site.url, identity="other")
    await site.answers.put(KEY, ENTRY, ttl_s=60, vector=VECTOR)
    assert await other.answers.get(KEY) is None
    assert await other.answers.similar(KEY, VECTOR, 4) == ()
    assert await other.answers.clear() == 0
    await other.answers.forget(["handbook"])
    assert await site.answers.get(KEY) == ENTRY
    assert await site.limiter.take("alice", Rate(0.6, 1)) == 0
    assert await other.limiter.take("alice", Rate(0.6, 1)) == 0
    await other.close()


async def test_counts_that_could_not_be_told_are_told_when_it_is_back(tmp_path: Path) -> None:
    async with restarted(tmp_path) as (url, restart):
        site = open_site(url)
        await site.answers.alive()
        os.kill(await site.pid(), signal.SIGSTOP)
        for _ in range(7):
            await site.answers.count("miss")
        assert await site.answers.stats() is None
        await restart()
        await asyncio.sleep(2.1)
        stats = await site.answers.stats()
        assert stats is not None
        assert stats.misses == 7
        await site.close()


async def test_nothing_of_a_deleted_document_is_left(site: Site) -> None:
    secret = replace(ENTRY, question="the secret question")
    await site.answers.put(KEY, secret, ttl_s=60, vector=VECTOR)
    await site.answers.forget(["handbook"])
    assert await names(site, "footnote:one:*:near:*") == []
    assert await names(site, "footnote:one:*:answer:*") == []
    assert all("handbook" not in name for name in await names(site, "*"))


async def test_everything_that_is_kept_has_an_end(site: Site) -> None:
    await site.use()
    await site.answers.put(OTHER, ENTRY, ttl_s=10, vector=VECTOR)
    ends = {name: await site.client.ttl(name) for name in await names(site, "footnote:*")}
    assert {name for name, ttl in ends.items() if ttl < 0} == {"footnote:one:3:counts"}
    assert all(ttl > 50 for name, ttl in ends.items() if ":near:" in name or ":used:" in name)


async def test_no_entry_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await site.answers.put(KEY, replace(ENTRY, question="the secret question"), ttl_s=60, vector=VECTOR)
    (name,) = await names(site, "footnote:one:*:answer:*")
    raw = await site.client.get(name)
    await site.client.set(name, raw.replace(b'"evidence"', b'"evidences"'))
    assert await site.answers.get(KEY) is None
    assert "unreadable" in caplog.text
    assert "secret" not in caplog.text
    assert "May" not in caplog.text
