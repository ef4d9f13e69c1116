"""Answers in Redis, as JSON under a prefix of their own, with a time to live."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from cache.entry_json import decode, encode
from contracts import CachedAnswer

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PREFIX = "footnote:answer:2:"  # the number is the format's; an older entry is never read
_USED_BY = "footnote:used-by:2:"  # by document: the keys of the answers that rest on it
_log = logging.getLogger(__name__)


class RedisAnswerCache:
    """Port `AnswerCache`. Redis being away or slow, or an entry being unreadable, is a miss, logged."""

    def __init__(self, url: str, *, ttl_s: int, timeout_s: float) -> None:
        self._url = url
        self._shown_url = re.sub(r"(?<=://)[^/]*@", "", url.partition("?")[0])  # either part may hold a password
        self._ttl_s = ttl_s
        self._timeout_s = timeout_s
        self._client: Redis | None = None

    async def get(self, key: str) -> CachedAnswer | None:
        """Return the entry, or None."""
        from redis import RedisError

        try:
            raw = await self._redis().get(_PREFIX + key)
            return decode(raw) if raw is not None else None
        except (RedisError, OSError) as exc:
            _log.warning("the answer cache at %s is away: %s", self._shown_url, exc)
        except ValueError as exc:
            _log.warning("an entry of the answer cache is unreadable and is ignored: %r", exc)
        return None

    async def put(self, key: str, entry: CachedAnswer) -> None:
        """Store the entry."""
        from redis import RedisError

        try:
            async with self._redis().pipeline() as pipeline:
                pipeline.set(_PREFIX + key, encode(entry), ex=self._ttl_s)
                for document in entry.documents:
                    pipeline.sadd(_USED_BY + document, key)
                    pipeline.expire(_USED_BY + document, self._ttl_s)
                await pipeline.execute()
        except (RedisError, OSError) as exc:
            _log.warning("the answer cache at %s is away: %s", self._shown_url, exc)

    async def drop(self, key: str) -> None:
        """Remove the entry."""
        from redis import RedisError

        try:
            await self._redis().delete(_PREFIX + key)
        except (RedisError, OSError) as exc:
            _log.warning("the answer cache at %s is away: %s", self._shown_url, exc)

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Remove every entry that rests on one of these documents."""
        from redis import RedisError

        redis = self._redis()
        try:
            for document in document_ids:
                keys = cast("set[bytes]", await redis.smembers(_USED_BY + document))
                await redis.delete(_USED_BY + document, *(_PREFIX.encode() + key for key in keys))
        except (RedisError, OSError) as exc:
            _log.warning(
                "cached answers of %d deleted documents stay until they expire, unserved: the answer cache at %s is "
                "away: %s",
                len(document_ids),
                self._shown_url,
                exc,
            )

    async def alive(self) -> bool:
        """Return whether Redis answers."""
        from redis import RedisError

        try:
            return bool(await self._redis().ping())
        except (RedisError, OSError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _redis(self) -> Redis:
        if self._client is None:
            from redis.asyncio import Redis

            self._client = Redis.from_url(
                self._url, socket_timeout=self._timeout_s, socket_connect_timeout=self._timeout_s
            )
        return self._client
