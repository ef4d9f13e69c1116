"""A SQLite file as the cache of a small installation, used by all processes on one machine. It fails open."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from cache.outage import Outage

T = TypeVar("T")
_BUSY_S = 1.0  # for which other processes may write before we go on without
_EVICTED = 0.1  # of the answers, those not used for longest, when the file is as large as it may be
_TIDY_EVERY_S = 60.0
_SCHEMA = """  -- tables that change get other names
CREATE TABLE IF NOT EXISTS cache_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, exact TEXT NOT NULL, space TEXT NOT NULL,
    entry BLOB NOT NULL, vector BLOB, until REAL NOT NULL, used_at REAL NOT NULL, UNIQUE (collection, exact)
);
CREATE INDEX IF NOT EXISTS cache_entries_space ON cache_entries (collection, space) WHERE vector IS NOT NULL;
CREATE INDEX IF NOT EXISTS cache_entries_until ON cache_entries (until);
CREATE INDEX IF NOT EXISTS cache_entries_used ON cache_entries (used_at);
CREATE TABLE IF NOT EXISTS cache_evidence (
    document TEXT NOT NULL, collection TEXT NOT NULL, exact TEXT NOT NULL,
    PRIMARY KEY (document, collection, exact),
    FOREIGN KEY (collection, exact) REFERENCES cache_entries (collection, exact) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS cache_evidence_entry ON cache_evidence (collection, exact);
CREATE TABLE IF NOT EXISTS cache_counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cache_vectors (name TEXT PRIMARY KEY, vector BLOB NOT NULL, until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS cache_vectors_until ON cache_vectors (until);
CREATE TABLE IF NOT EXISTS cache_buckets (
    name TEXT PRIMARY KEY, tokens REAL NOT NULL, at REAL NOT NULL, full_at REAL NOT NULL
);
"""
_log = logging.getLogger(__name__)


class SqliteStore:
    """The file at `path`, made with its folder when it is first used; `clock` tells the seconds since the epoch.

    Its connection lives in a thread of its own. What has expired is removed now and then, and above `max_mb` what was
    not used for longest. Removed text is overwritten."""

    def __init__(self, path: Path, *, max_mb: int, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._path = path
        self._max_bytes = max_mb << 20
        self._outage = Outage(str(path))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="footnote-cache")
        self._connection: sqlite3.Connection | None = None
        self._tidied_at = 0.0
        self._closed = False

    async def run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Return what `work` returns, in one transaction, or `otherwise` when the file cannot be used."""
        if self._closed or not self._outage.over():
            return otherwise
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)
        except (sqlite3.Error, OSError) as exc:
            self._outage.failed(exc)
            return otherwise
        except (ValueError, TypeError) as exc:  # something else stands in the file than we wrote
            self._outage.refused(exc)
            return otherwise
        self._outage.answered()
        return result

    async def close(self) -> None:
        """Close the file."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown()

    def size(self, connection: sqlite3.Connection) -> int:
        """Return the bytes in use."""
        pages, free, page = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * page

    def make_room(self, connection: sqlite3.Connection) -> None:
        """Remove what has expired, at most once a minute, and what is too much."""
        now = self.clock()
        if now - self._tidied_at > _TIDY_EVERY_S or now < self._tidied_at:
            self._tidied_at = now
            connection.execute("DELETE FROM cache_entries WHERE until <= ?", (now,))
            connection.execute("DELETE FROM cache_vectors WHERE until <= ?", (now,))
            connection.execute("DELETE FROM cache_buckets WHERE full_at <= ?", (now,))
        while self.size(connection) > self._max_bytes and _evict(connection):
            pass

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._open()
        try:
            result = work(connection)
            if connection.in_transaction:
                connection.execute("COMMIT")
        except sqlite3.Error:
            self._close()  # which rolls back; the file may be another one by now
            raise
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", timeout=_BUSY_S):  # nobody waits for who changes the journal's mode
                self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        try:
            for setting in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {setting}")
            connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _evict(connection: sqlite3.Connection) -> bool:
    """Remove what was not used for longest; return whether there was anything."""
    for table, age in (("cache_entries", "used_at"), ("cache_vectors", "until")):
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        if count:
            oldest = f"SELECT rowid FROM {table} ORDER BY {age} LIMIT ?"
            connection.execute(f"DELETE FROM {table} WHERE rowid IN ({oldest})", (int(count * _EVICTED) + 1,))
            return True
    return False
