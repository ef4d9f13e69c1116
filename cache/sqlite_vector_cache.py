"""Vectors of questions in SQLite, by a hash of their text."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cache.sqlite_store import SqliteStore
from cache.vector_bytes import pack, unpack, vector_name

_log = logging.getLogger(__name__)


class SqliteVectorCache:
    """Port `VectorCache`. Vectors stay for `ttl_s` seconds."""

    def __init__(self, store: SqliteStore, *, ttl_s: int) -> None:
        self._store = store
        self._ttl_s = ttl_s

    async def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors that are known."""
        now, names = self._store.clock(), {vector_name(embedder, text): text for text in texts}

        def read(connection: sqlite3.Connection) -> list[tuple[str, bytes]]:
            one = "SELECT name, vector FROM cache_vectors WHERE name = ? AND until > ?"
            found = [connection.execute(one, (name, now)).fetchone() for name in names]
            return [row for row in found if row is not None]

        nothing: list[tuple[str, bytes]] = []
        vectors: dict[str, NDArray[np.float32]] = {}
        for name, packed in await self._store.run(read, nothing) if names else nothing:
            try:
                vectors[names[name]] = unpack(packed)
            except (ValueError, TypeError) as exc:
                _log.warning("a cached vector is unreadable and is ignored: %s", exc)
        return vectors

    async def put(self, embedder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors."""
        until = self._store.clock() + self._ttl_s
        rows = [(vector_name(embedder, text), pack(vector), until) for text, vector in vectors.items()]

        def store(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO cache_vectors VALUES (?, ?, ?)", rows)
            self._store.make_room(connection)

        if rows:
            await self._store.run(store, None)
