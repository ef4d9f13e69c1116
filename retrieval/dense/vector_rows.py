"""Where the vectors of an index lie: a base that may be a file mapped into memory, and a tail behind it in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors
from retrieval.dense.growing import Growing

Slots = NDArray[np.int64]

_SLICE = 16_384  # rows handled at once


@dataclass(frozen=True, slots=True)
class RowView:
    """Rows as they were at one moment: `base` of shape (m, dimension), then `tail`, both float32."""

    base: Vectors
    tail: Vectors

    def __len__(self) -> int:
        return len(self.base) + len(self.tail)

    def take(self, slots: Slots) -> Vectors:
        """Return a copy of these rows, in the order asked for."""
        bound = len(self.base)
        if not len(self.tail):
            return self.base[slots]
        taken = np.empty((len(slots), self.base.shape[1]), dtype=np.float32)
        in_base = slots < bound
        taken[in_base] = self.base[slots[in_base]]
        taken[~in_base] = self.tail[slots[~in_base] - bound]
        return taken


class VectorRows:
    """The growing rows of an index."""

    def __init__(self, base: Vectors) -> None:
        self._base = base
        self._tail: Growing[np.float32] = Growing(np.empty((0, base.shape[1]), dtype=np.float32))

    def __len__(self) -> int:
        return len(self._base) + len(self._tail)

    def append(self, rows: Vectors) -> None:
        """Add rows at the end."""
        self._tail.append(rows)

    def view(self) -> RowView:
        """Return the rows as they are now; what is appended later does not change it."""
        return RowView(self._base, self._tail.values)

    def rebase(self, base: Vectors) -> None:
        """Take `base`, which holds the same rows as far as it goes, in place of them."""
        behind = self._tail.values[len(base) - len(self._base) :].copy()
        self._base, self._tail = base, Growing(behind)


def slices(count: int) -> list[tuple[int, int]]:
    """Return the bounds of slices that together are `count` rows."""
    return [(start, min(start + _SLICE, count)) for start in range(0, count, _SLICE)]
