"""Rate limiters: those in memory, in SQLite and in a real Redis alike, against a plain model of a token bucket."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from cache.memory_rate_limiter import MemoryRateLimiter
from cache.redis_connection import RedisConnection
from cache.redis_rate_limiter import RedisRateLimiter
from cache.sqlite_rate_limiter import SqliteRateLimiter
from cache.sqlite_store import SqliteStore
from contracts import Rate, RateLimiter
from tests.cache_stores import redis_server

SLOW = Rate(per_minute=0.6, burst=3)  # a token every 100 seconds


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def limiter(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RateLimiter]:
    if request.param == "memory":
        yield MemoryRateLimiter()
    elif request.param == "sqlite":
        store = SqliteStore(tmp_path / "cache.sqlite", max_mb=16)
        yield SqliteRateLimiter(store)
        await store.close()
    else:
        async with redis_server(tmp_path) as (url, _):
            connection = RedisConnection(url, timeout_s=5)
            yield RedisRateLimiter(connection, identity="one")
            await connection.close()


async def test_a_burst_is_admitted_and_then_the_wait_is_told(limiter: RateLimiter) -> None:
    assert [await limiter.take("alice", SLOW) for _ in range(3)] == [0, 0, 0]
    assert await limiter.take("alice", SLOW) == pytest.approx(100, abs=5)
    assert await limiter.take("alice", SLOW, cost=2) == pytest.approx(200, abs=5)
    assert await limiter.take("bob", SLOW) == 0


async def test_tokens_come_back(limiter: RateLimiter) -> None:
    fast = Rate(per_minute=600, burst=1)
    assert await limiter.take("alice", fast) == 0
    wait = await limiter.take("alice", fast)
    assert 0 < wait <= 0.1
    await asyncio.sleep(wait + 0.02)
    assert await limiter.take("alice", fast) == 0


async def test_costs_are_taken_whole_or_not_at_all(limiter: RateLimiter) -> None:
    assert await limiter.take("alice", SLOW, cost=2.5) == 0
    assert await limiter.take("alice", SLOW, cost=1) == pytest.approx(50, abs=5)
    assert await limiter.take("alice", SLOW, cost=0.5) == 0


async def test_who_asks_for_more_than_the_burst_gets_a_whole_bucket_when_it_is_full(limiter: RateLimiter) -> None:
    assert await limiter.take("alice", SLOW, cost=1000) == 0
    assert await limiter.take("alice", SLOW, cost=1000) == pytest.approx(300, abs=5)


async def test_a_rate_may_change(limiter: RateLimiter) -> None:
    assert await limiter.take("alice", SLOW) == 0  # 2 left
    assert await limiter.take("alice", Rate(per_minute=0.6, burst=1)) == 0  # no more than 1 is left of them
    assert await limiter.take("alice", Rate(per_minute=60, burst=3)) == pytest.approx(1, abs=0.2)


async def test_200_at_once_get_what_is_there_and_no_more(limiter: RateLimiter) -> None:
    began = time.monotonic()
    rate = Rate(per_minute=6, burst=50)
    waits = await asyncio.gather(*(limiter.take("alice", rate) for _ in range(200)))
    refilled = int((time.monotonic() - began) * rate.per_minute / 60)
    assert 50 <= waits.count(0) <= 50 + refilled


async def test_two_processes_with_one_file_share_buckets(tmp_path: Path) -> None:
    stores = [SqliteStore(tmp_path / "cache.sqlite", max_mb=16) for _ in range(2)]
    limiters = [SqliteRateLimiter(store) for store in stores]
    waits = await asyncio.gather(*(limiters[n % 2].take("alice", Rate(0.6, 10)) for n in range(40)))
    assert waits.count(0) == 10
    for store in stores:
        await store.close()


@dataclass
class Model:
    """A token bucket that is stepped through time: what is known of each take that was admitted, from the start."""

    rate: Rate
    takes: list[tuple[float, float]] = field(default_factory=list)

    def held(self, now: float) -> float:
        tokens, at = self.rate.burst, 0.0
        for when, cost in [*self.takes, (now, 0.0)]:
            tokens = min(self.rate.burst, tokens + (when - at) * self.rate.per_minute / 60) - cost
            at = when
        return tokens


STEPS = st.lists(st.tuples(st.floats(0, 90), st.floats(0.1, 12)), max_size=25)
RATES = st.builds(Rate, st.floats(0.5, 600), st.floats(0.5, 20))


@given(STEPS, RATES, st.booleans())
@settings(max_examples=60, deadline=None)
def test_takes_are_those_of_a_token_bucket(steps: list[tuple[float, float]], rate: Rate, in_memory: bool) -> None:
    async def follow() -> None:
        clock, model = Clock(), Model(rate)
        began = clock.now
        with TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "cache.sqlite", max_mb=16, clock=clock)
            limiter: RateLimiter = MemoryRateLimiter(clock) if in_memory else SqliteRateLimiter(store)
            for pause, cost in steps:
                clock.now += pause
                held, wanted = model.held(clock.now - began), min(cost, rate.burst)
                wait = await limiter.take("alice", rate, cost)
                if abs(held - wanted) > 1e-6:
                    assert (wait == 0) == (held > wanted)
                if wait == 0:
                    model.takes.append((clock.now - began, wanted))
                else:
                    assert wait == pytest.approx((wanted - held) / rate.per_minute * 60, rel=1e-6, abs=1e-4)
            await store.close()

    asyncio.run(follow())


async def test_redis_takes_are_those_of_a_token_bucket(redis_url: str) -> None:
    """By Redis' own clock, so to the precision of the time that a round trip takes."""
    connection = RedisConnection(redis_url, timeout_s=5)
    limiter, rate = RedisRateLimiter(connection, identity="one"), Rate(per_minute=1200, burst=4)
    model, began = Model(rate), time.monotonic()
    await limiter.take("warm", rate)
    for number in range(60):
        cost = (0.5, 1.0, 2.5, 6.0)[number % 4]
        earliest = model.held(time.monotonic() - began)
        wait = await limiter.take("alice", rate, cost)
        now = time.monotonic() - began
        if wait == 0:
            assert model.held(now) >= min(cost, rate.burst) - 0.2
            model.takes.append((now, min(cost, rate.burst)))
        else:
            assert earliest <= min(cost, rate.burst) + 0.5
            assert wait <= rate.burst / rate.per_minute * 60
        await asyncio.sleep(0.01)
    admitted = sum(cost for _, cost in model.takes)
    assert admitted <= rate.burst + (time.monotonic() - began) * rate.per_minute / 60
    await connection.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_clock_that_goes_back_locks_nobody_out(kind: str, tmp_path: Path) -> None:
    clock = Clock()
    store = SqliteStore(tmp_path / "cache.sqlite", max_mb=16, clock=clock)
    limiter: RateLimiter = MemoryRateLimiter(clock) if kind == "memory" else SqliteRateLimiter(store)
    assert [await limiter.take("alice", SLOW) for _ in range(3)] == [0, 0, 0]
    clock.now -= 100_000
    assert await limiter.take("alice", SLOW) == pytest.approx(100)
    clock.now += 101
    assert await limiter.take("alice", SLOW) == 0
    await store.close()


async def test_full_buckets_are_forgotten_in_memory_and_in_sqlite(tmp_path: Path) -> None:
    clock = Clock()
    store, memory = SqliteStore(tmp_path / "cache.sqlite", max_mb=16, clock=clock), MemoryRateLimiter(clock)
    sqlite = SqliteRateLimiter(store)
    for number in range(1500):
        await memory.take(f"caller {number}", SLOW)
        if number < 20:
            await sqlite.take(f"caller {number}", SLOW)
        clock.now += 1
    assert len(memory._buckets) <= 1001
    await sqlite.take("last", SLOW)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as connection:
        assert connection.execute("SELECT name FROM cache_buckets").fetchall() == [("last",)]


async def test_full_buckets_are_forgotten_in_redis(redis_url: str) -> None:
    connection, client = RedisConnection(redis_url, timeout_s=5), Redis.from_url(redis_url)
    limiter = RedisRateLimiter(connection, identity="one")
    await limiter.take("alice", Rate(per_minute=600, burst=3))
    (name,) = await client.keys()
    assert 0 < await client.pttl(name) <= 100
    await asyncio.sleep(0.2)
    assert await client.keys() == []
    await client.aclose()
    await connection.close()


async def test_something_else_under_the_key_of_a_bucket_counts_as_full(redis_url: str) -> None:
    connection, client = RedisConnection(redis_url, timeout_s=5), Redis.from_url(redis_url)
    limiter = RedisRateLimiter(connection, identity="one")
    await limiter.take("alice", SLOW)
    (name,) = await client.keys()
    for foreign in ("x", "1", "nan nan", "inf 0", "1 2 3"):
        await client.set(name, foreign)
        assert await limiter.take("alice", SLOW) == 0, foreign
        assert await limiter.take("alice", SLOW, cost=2) == 0, foreign
        assert await limiter.take("alice", SLOW) > 90
    await client.delete(name)
    await client.rpush(name, "a list")
    assert await limiter.take("alice", SLOW) == 0
    assert await client.type(name) == b"string"
    await client.script_flush()
    assert await limiter.take("alice", SLOW) == 0  # the script is loaded again
    await client.aclose()
    await connection.close()
