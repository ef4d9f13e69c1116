"""Answers in SQLite: found by key, or by comparing the vectors of all questions in a space."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.entry_json import decode, encode
from cache.lookup_counts import counts_of, stats_of
from cache.sqlite_store import SqliteStore
from cache.sqlite_vector_spaces import SqliteVectorSpaces
from cache.vector_bytes import raw
from contracts import NOTHING_SAVED, AnswerKey, CachedAnswer, CacheOutcome, CacheStats, Similar, Usage

_USE_NOTED_EVERY_S = 60.0  # a use is written down no oftener
_log = logging.getLogger(__name__)


class SqliteAnswerCache:
    """Ports `AnswerCache` and `CacheUpkeep`. An entry that cannot be read is a miss, logged, and removed."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._spaces = SqliteVectorSpaces()

    async def get(self, key: AnswerKey) -> CachedAnswer | None:
        """Return the entry, or None."""
        now = self._store.clock()

        def read(connection: sqlite3.Connection) -> Any:
            where, which = "WHERE collection = ? AND exact = ?", (key.collection, key.exact)
            found = connection.execute(
                f"SELECT entry, used_at FROM cache_entries {where} AND until > ?", (*which, now)
            ).fetchone()
            if found is None:
                return None
            if abs(now - found[1]) > _USE_NOTED_EVERY_S:
                connection.execute(f"UPDATE cache_entries SET used_at = ? {where}", (now, *which))
            return found[0]

        found = await self._store.run(read, None)
        return None if found is None else await self._read(key, found)

    async def similar(self, key: AnswerKey, vector: NDArray[np.float32], limit: int) -> tuple[Similar, ...]:
        """Return up to `limit` entries of the key's space, nearest first."""
        now = self._store.clock()

        def nearest(connection: sqlite3.Connection) -> list[tuple[str, bytes, float]]:
            near = self._spaces.nearest(connection, key, vector)
            rows = ((_entry(connection, row, now), similarity) for row, similarity in near)
            return list(islice(((*row, similarity) for row, similarity in rows if row is not None), limit))

        nothing: list[tuple[str, bytes, float]] = []
        similar = []
        for exact, content, similarity in await self._store.run(nearest, nothing):
            its = AnswerKey(key.collection, exact, key.space)
            entry = await self._read(its, content)
            if entry is not None:
                similar.append(Similar(its, entry, similarity))
        return tuple(similar)

    async def put(
        self, key: AnswerKey, entry: CachedAnswer, *, ttl_s: int, vector: NDArray[np.float32] | None = None
    ) -> None:
        """Store the entry."""
        now, content = self._store.clock(), encode(entry)

        def store(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            _remove(connection, [(key.collection, key.exact)])
            connection.execute(
                "INSERT INTO cache_entries (collection, exact, space, entry, vector, until, used_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*_names(key), content, None if vector is None else raw(vector), now + ttl_s, now),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO cache_evidence VALUES (?, ?, ?)",
                [(document, key.collection, key.exact) for document in entry.documents],
            )
            self._store.make_room(connection)

        await self._store.run(store, None)

    async def drop(self, key: AnswerKey) -> None:
        """Remove the entry."""
        await self._store.run(lambda connection: _remove(connection, [(key.collection, key.exact)]), None)

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Remove every entry that rests on one of these documents."""

        def forget(connection: sqlite3.Connection) -> bool:
            connection.execute("BEGIN IMMEDIATE")
            for document in document_ids:
                resting = "SELECT collection, exact FROM cache_evidence WHERE document = ?"
                _remove(connection, connection.execute(resting, (document,)).fetchall())
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the text is in the log still
            return True

        if document_ids and not await self._store.run(forget, False):
            _log.warning("cached answers of %d deleted documents stay until they expire, unserved", len(document_ids))

    async def count(self, outcome: CacheOutcome, saved: Usage = NOTHING_SAVED) -> None:
        """Count a lookup."""
        counts = counts_of(outcome, saved)
        add_one = "INSERT INTO cache_counts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"

        def add(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(add_one, [(name, count) for name, count in counts.items() if count])

        await self._store.run(add, None)

    async def stats(self) -> CacheStats | None:
        """Return what there is, or None when the file cannot be used."""
        now = self._store.clock()

        def read(connection: sqlite3.Connection) -> CacheStats:
            counts: dict[str, int] = dict(connection.execute("SELECT name, value FROM cache_counts").fetchall())
            (answers,) = connection.execute("SELECT count(*) FROM cache_entries WHERE until > ?", (now,)).fetchone()
            return stats_of(counts, answers, bytes=self._store.size(connection))

        return await self._store.run(read, None)

    async def clear(self, collection: str = "") -> int | None:
        """Remove every answer, or those from one collection; return how many there were, or None when the file cannot
        be used. Clearing everything starts the counts anew."""

        def clear(connection: sqlite3.Connection) -> int:
            connection.execute("BEGIN IMMEDIATE")
            if collection:
                gone = connection.execute("DELETE FROM cache_entries WHERE collection = ?", (collection,))
            else:
                gone = connection.execute("DELETE FROM cache_entries")
                connection.execute("DELETE FROM cache_counts")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return gone.rowcount

        return await self._store.run(clear, None)

    async def alive(self) -> bool:
        """Return whether the file can be used."""
        return await self._store.run(lambda connection: bool(connection.execute("SELECT 1").fetchone()), False)

    async def _read(self, key: AnswerKey, content: bytes) -> CachedAnswer | None:
        try:
            return decode(content)
        except ValueError as exc:
            _log.warning("an entry of the answer cache is unreadable and is ignored: %r", exc)
            await self.drop(key)
            return None


def _names(key: AnswerKey) -> tuple[str, str, str]:
    return key.collection, key.exact, key.space


def _remove(connection: sqlite3.Connection, keys: Sequence[tuple[str, str]]) -> None:
    connection.executemany("DELETE FROM cache_entries WHERE collection = ? AND exact = ?", keys)


def _entry(connection: sqlite3.Connection, row: int, now: float) -> tuple[str, bytes] | None:
    wanted = "SELECT exact, entry FROM cache_entries WHERE id = ? AND until > ?"
    found: tuple[str, bytes] | None = connection.execute(wanted, (row, now)).fetchone()
    return found
