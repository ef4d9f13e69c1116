"""Answers in an SQLite file: vectors held in memory follow the file, also what other processes do to it; the file stays
within its bound, and what is forgotten is not in it."""

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cache.sqlite_answer_cache import SqliteAnswerCache
from cache.sqlite_store import SqliteStore
from contracts import AnswerKey
from tests.cache_stores import ENTRY

KEY = AnswerKey("default", "exact", "space")
VECTORS = np.random.default_rng(0).normal(size=(60, 16)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[SqliteAnswerCache, SqliteAnswerCache]]:
    """Two processes' caches in one file."""
    stores = [SqliteStore(tmp_path / "cache.sqlite", max_mb=16) for _ in range(2)]
    yield SqliteAnswerCache(stores[0]), SqliteAnswerCache(stores[1])
    for store in stores:
        await store.close()


def key(number: int) -> AnswerKey:
    return AnswerKey("default", str(number), "space")


async def nearest(cache: SqliteAnswerCache, vector: NDArray[np.float32], limit: int = 3) -> list[str]:
    return [each.key.exact for each in await cache.similar(KEY, vector, limit)]


async def test_what_comes_and_goes_between_looks_is_seen_by_all(
    pair: tuple[SqliteAnswerCache, SqliteAnswerCache],
) -> None:
    kept = set[int]()
    for number, vector in enumerate(VECTORS):
        await pair[number % 2].put(key(number), ENTRY, ttl_s=60, vector=vector)
        kept.add(number)
        if number % 3 == 2:  # the latest or the first
            gone = number if number % 2 else min(kept)
            await pair[number % 4 // 2].drop(key(gone))
            kept.discard(gone)
        if number % 5 == 0:
            expected = sorted(kept, key=lambda each: -float(VECTORS[each] @ vector))[:3]
            assert await nearest(pair[0], vector) == list(map(str, expected))
            assert await nearest(pair[1], vector) == list(map(str, expected))


async def test_an_entry_put_again_with_another_vector_is_found_by_that(
    pair: tuple[SqliteAnswerCache, SqliteAnswerCache],
) -> None:
    for vector in (VECTORS[0], VECTORS[1]):
        await pair[0].put(KEY, ENTRY, ttl_s=60, vector=vector)
        (found,) = await pair[1].similar(KEY, vector, 5)
        assert math.isclose(found.similarity, 1, abs_tol=1e-5)


async def test_vectors_of_another_dimension_are_passed_over(
    pair: tuple[SqliteAnswerCache, SqliteAnswerCache],
) -> None:
    await pair[0].put(key(1), ENTRY, ttl_s=60, vector=VECTORS[0])
    await pair[0].put(key(2), ENTRY, ttl_s=60, vector=VECTORS[0][:8])
    assert await nearest(pair[0], VECTORS[0]) == ["1"]
    assert await nearest(pair[0], VECTORS[0][:8]) == ["2"]
    assert await nearest(pair[0], VECTORS[0][:4]) == []


async def test_a_file_grows_to_its_bound_and_loses_what_was_not_used(tmp_path: Path) -> None:
    clock = [1000.0]
    store = SqliteStore(tmp_path / "cache.sqlite", max_mb=1, clock=lambda: clock[0])
    cache = SqliteAnswerCache(store)
    long = replace(ENTRY, question="?" * 20_000)
    for number in range(80):
        clock[0] += 100
        await cache.put(key(number), long, ttl_s=1_000_000, vector=VECTORS[number % 60])
        assert await cache.get(key(0)) == long
    stats = await cache.stats()
    assert stats is not None
    assert stats.bytes is not None
    assert stats.bytes <= 1 << 20
    assert 20 < stats.answers < 60
    assert await cache.get(key(79)) == long
    assert await cache.get(key(1)) is None
    await store.close()
    assert (tmp_path / "cache.sqlite").stat().st_size < 2 << 20


async def test_nothing_of_a_forgotten_answer_is_left_in_the_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cache.sqlite", max_mb=16)
    cache = SqliteAnswerCache(store)
    await cache.put(KEY, replace(ENTRY, question="xyzzy " * 1000), ttl_s=60, vector=VECTORS[0])
    await cache.forget(["handbook"])
    assert await nearest(cache, VECTORS[0]) == []
    for path in tmp_path.iterdir():
        assert b"xyzzy" not in path.read_bytes(), path
        assert VECTORS[0].tobytes() not in path.read_bytes(), path
    await store.close()


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"something else, and valuable " * 100)
    store = SqliteStore(path, max_mb=16)
    cache = SqliteAnswerCache(store)
    await cache.put(KEY, ENTRY, ttl_s=60)
    assert await cache.get(KEY) is None
    assert not await cache.alive()
    assert await cache.stats() is None
    assert caplog.text.count("is away") == 1
    await store.close()
    assert path.read_bytes() == b"something else, and valuable " * 100
