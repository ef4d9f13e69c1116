"""All that an index holds at one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors
from retrieval.dense.vector_rows import RowView, Slots, slices

Keys = NDArray[np.int64]
Numbers = NDArray[np.int32]
Flags = NDArray[np.bool_]
Proceed = Callable[[], None]  # called between steps of long work; raises when it is to stop


@dataclass(frozen=True, slots=True)
class Contents:
    """All that an index holds at one moment, as arrays by slot: key, number of the document, class of readers, and
    whether it is alive. `names`, `starts` and `lengths` are by document: its slots follow one another. `picked` are the
    rows of `rows` that belong to the slots, where not all of them do."""

    generation: int
    rows: RowView
    keys: Keys
    documents: Numbers
    classes: Numbers
    alive: Flags
    names: tuple[str, ...]
    starts: Keys
    lengths: Keys
    readers: tuple[tuple[str, ...], ...]
    picked: Slots | None = None

    def vectors(self, start: int, stop: int) -> Vectors:
        """Return the vectors of these slots; zeros for dead ones."""
        slots = np.arange(start, stop) if self.picked is None else self.picked[start:stop]
        found = self.rows.take(slots)
        found[~self.alive[start:stop]] = 0
        return found

    def take(self, slots: Slots) -> Vectors:
        """Return the vectors of these slots, which are alive."""
        return self.rows.take(slots if self.picked is None else self.picked[slots])

    def in_memory(self) -> Contents:
        """Return the same with vectors of their own, one after another."""
        rows = np.empty((len(self.keys), self.rows.base.shape[1]), dtype=np.float32)
        for start, stop in slices(len(rows)):
            rows[start:stop] = self.vectors(start, stop)
        return replace(self, rows=RowView(rows, rows[:0]), picked=None)

    def compacted(self) -> Contents:
        """Return the same without dead slots and documents that have none."""
        slots = np.flatnonzero(self.alive)
        kept = np.flatnonzero(self.lengths)
        renumbered = np.zeros(len(self.names), dtype=np.int32)
        renumbered[kept] = np.arange(len(kept))
        before = np.concatenate([[0], np.cumsum(self.alive)])
        return replace(
            self,
            keys=self.keys[slots],
            documents=renumbered[self.documents[slots]],
            classes=self.classes[slots],
            alive=np.ones(len(slots), dtype=np.bool_),
            names=tuple(self.names[number] for number in kept.tolist()),
            starts=before[self.starts[kept]],
            lengths=self.lengths[kept],
            picked=slots,
        )


def nothing(dimension: int) -> Contents:
    """Return the contents of an index before its first change."""
    none = np.empty(0, dtype=np.int64)
    numbers = np.empty(0, dtype=np.int32)
    rows = np.empty((0, dimension), dtype=np.float32)
    alive = np.empty(0, dtype=np.bool_)
    return Contents(0, RowView(rows, rows), none, numbers, numbers, alive, (), none, none, ())
