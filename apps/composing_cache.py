"""Wires what is kept between requests: answers, vectors of questions, rates; in Redis, in SQLite, or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.cached_answers import CachedAnswers
from apps.settings import Settings
from contracts import AnswerCache, CacheUpkeep, ConfigurationError, RateLimiter, VectorCache, Vectors

_SQLITE = "sqlite:///"
_REDIS = ("redis://", "rediss://", "unix://")


@dataclass(frozen=True, slots=True)
class Caches:
    """What processes keep together. They belong to one event loop."""

    answers: AnswerCache
    upkeep: CacheUpkeep
    vectors: VectorCache
    limiter: RateLimiter
    close: Callable[[], Awaitable[None]]


def open_caches(settings: Settings, identity: str) -> Caches:
    """Return what the settings ask for, of the catalog with this identity. Raises ConfigurationError for a URL that no
    store has."""
    url = settings.cache_url
    if not settings.cache.enabled:
        return _nothing()
    if url.startswith(_SQLITE):
        return _in_sqlite(settings, Path(url.removeprefix(_SQLITE)))
    if url.startswith(_REDIS):
        return _in_redis(settings, identity)
    raise ConfigurationError(
        f"FOOTNOTE_CACHE__URL is {url.partition('://')[0]!r}://…: use redis://, rediss://, unix:// or sqlite:///file."
    )


def open_cached_answers(
    settings: Settings, caches: Caches, encode: Callable[[Sequence[str]], Awaitable[Vectors]], identity: str
) -> CachedAnswers:
    """Return the answers that are kept; `encode` is the packaged sentence encoder, which `agrees` was fitted with."""
    from cache.question_agreement import agrees

    cache = settings.cache
    return CachedAnswers(
        cache=caches.answers,
        upkeep=caches.upkeep,
        encode=encode,
        agrees=agrees if cache.semantic else None,
        enabled=cache.enabled,
        ttl_s=cache.ttl_s,
        refusal_ttl_s=min(cache.refusal_ttl_s, cache.ttl_s),
        namespace=identity,
    )


def _in_redis(settings: Settings, identity: str) -> Caches:
    from cache.redis_answer_cache import RedisAnswerCache
    from cache.redis_connection import RedisConnection
    from cache.redis_rate_limiter import RedisRateLimiter
    from cache.redis_vector_cache import RedisVectorCache

    connection = RedisConnection(settings.cache_url, timeout_s=settings.cache.timeout_s)
    answers = RedisAnswerCache(connection, identity=identity)

    async def close() -> None:
        await answers.close()
        await connection.close()

    return Caches(
        answers=answers,
        upkeep=answers,
        vectors=RedisVectorCache(connection, identity=identity, ttl_s=settings.cache.vector_ttl_s),
        limiter=RedisRateLimiter(connection, identity=identity),
        close=close,
    )


def _in_sqlite(settings: Settings, path: Path) -> Caches:
    from cache.sqlite_answer_cache import SqliteAnswerCache
    from cache.sqlite_rate_limiter import SqliteRateLimiter
    from cache.sqlite_store import SqliteStore
    from cache.sqlite_vector_cache import SqliteVectorCache

    store = SqliteStore(path, max_mb=settings.cache.max_memory_mb)
    answers = SqliteAnswerCache(store)
    return Caches(
        answers=answers,
        upkeep=answers,
        vectors=SqliteVectorCache(store, ttl_s=settings.cache.vector_ttl_s),
        limiter=SqliteRateLimiter(store),
        close=store.close,
    )


def _nothing() -> Caches:
    from cache.memory_answer_cache import NullAnswerCache
    from cache.memory_rate_limiter import MemoryRateLimiter
    from cache.memory_vector_cache import NullVectorCache

    answers = NullAnswerCache()
    return Caches(answers, answers, NullVectorCache(), MemoryRateLimiter(), answers.close)
