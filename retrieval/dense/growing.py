"""Arrays that grow at their end without disturbing who reads them."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)


class Growing(Generic[T]):
    """An array of one or two dimensions with room behind its last row. When the room is used up it moves to one twice
    as large; a view taken before keeps the old one, which never changes in the rows it has."""

    def __init__(self, values: NDArray[T]) -> None:
        self._room = values
        self._count = len(values)

    @property
    def values(self) -> NDArray[T]:
        """The rows so far, without a copy."""
        return self._room[: self._count]

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows at the end."""
        after = self._count + len(rows)
        if after > len(self._room) or not self._room.flags.writeable:
            larger = np.empty((max(64, 2 * after), *self._room.shape[1:]), dtype=self._room.dtype)
            larger[: self._count] = self.values
            self._room = larger
        self._room[self._count : after] = rows
        self._count = after

    def __len__(self) -> int:
        return self._count
