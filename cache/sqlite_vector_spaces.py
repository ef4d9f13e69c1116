"""The vectors of the questions in an SQLite file, held in memory by space and brought up to date before each look."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts import AnswerKey

_SPACES = 16  # held at once


@dataclass(frozen=True, slots=True)
class _Space:
    """Row i of `vectors`, of shape (n, dimension), belongs to ids[i]. `rows` and `last` are the count of what was read
    and its highest id: ids only rise, so both are the same only while nothing has changed."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    rows: int
    last: int


class SqliteVectorSpaces:
    """Used in the store's thread only."""

    def __init__(self) -> None:
        self._spaces: OrderedDict[tuple[str, str, int], _Space] = OrderedDict()

    def nearest(
        self, connection: sqlite3.Connection, key: AnswerKey, vector: NDArray[np.float32]
    ) -> Iterator[tuple[int, float]]:
        """Return the ids of the answers of the key's space with their similarity, the nearest first."""
        held = (key.collection, key.space, len(vector))
        space = _up_to_date(connection, key, self._spaces.get(held) or _empty(len(vector)))
        self._spaces[held] = space
        self._spaces.move_to_end(held)
        if len(self._spaces) > _SPACES:
            self._spaces.popitem(last=False)
        scores = space.vectors @ vector
        return ((int(space.ids[at]), float(scores[at])) for at in np.argsort(-scores, kind="stable"))


def _empty(dimension: int) -> _Space:
    return _Space(np.empty(0, np.int64), np.empty((0, dimension), np.float32), 0, 0)


def _up_to_date(connection: sqlite3.Connection, key: AnswerKey, space: _Space) -> _Space:
    inside = "FROM cache_entries WHERE collection = ? AND space = ? AND vector IS NOT NULL"
    of_space = (key.collection, key.space)
    rows, last = connection.execute(f"SELECT count(*), coalesce(max(id), 0) {inside}", of_space).fetchone()
    if (rows, last) == (space.rows, space.last):
        return space
    new = connection.execute(f"SELECT id, vector {inside} AND id > ?", (*of_space, space.last)).fetchall()
    dimension = space.vectors.shape[1]
    if space.rows + len(new) != rows:  # something was removed
        return _grown(_empty(dimension), connection.execute(f"SELECT id, vector {inside}", of_space).fetchall())
    return _grown(space, new)


def _grown(space: _Space, new: list[tuple[int, bytes]]) -> _Space:
    dimension = space.vectors.shape[1]
    fit = [(row, vector) for row, vector in new if isinstance(vector, bytes) and len(vector) == 4 * dimension]
    vectors = np.frombuffer(b"".join(vector for _, vector in fit), "<f4").reshape(-1, dimension)
    return _Space(
        np.concatenate([space.ids, np.array([row for row, _ in fit], np.int64)]),
        np.concatenate([space.vectors, vectors.astype(np.float32, copy=False)]),
        space.rows + len(new),
        max([space.last, *(row for row, _ in new)]),
    )
