"""Token buckets in SQLite: one for all processes on a machine."""

from __future__ import annotations

import sqlite3

from cache.sqlite_store import SqliteStore
from cache.token_bucket import full_again_s, take
from contracts import Rate


class SqliteRateLimiter:
    """Port `RateLimiter`, each take in its own transaction. While the file cannot be used everything may happen."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def take(self, key: str, rate: Rate, cost: float = 1.0) -> float:
        """Take `cost` tokens and return 0, or return the seconds until they are there."""

        def run(connection: sqlite3.Connection) -> float:
            connection.execute("BEGIN IMMEDIATE")
            now = self._store.clock()  # within the transaction: buckets see their takes in the order of time
            filling = "SELECT tokens, at FROM cache_buckets WHERE name = ? AND full_at > ?"
            tokens, at = connection.execute(filling, (key, now)).fetchone() or (rate.burst, now)
            tokens, wait = take(tokens, now - at, rate, cost)
            full_at = now + full_again_s(tokens, rate)
            connection.execute("INSERT OR REPLACE INTO cache_buckets VALUES (?, ?, ?, ?)", (key, tokens, now, full_at))
            self._store.make_room(connection)
            return wait

        return await self._store.run(run, 0.0)
