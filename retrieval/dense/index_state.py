"""The state of an index that searches look at while upkeep changes it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts import Selection, StoredVectors, Vectors
from retrieval.dense.index_contents import Contents, Keys
from retrieval.dense.masks import Mask, Masks
from retrieval.dense.slot_table import SlotTable
from retrieval.dense.structure import Structure
from retrieval.dense.vector_rows import RowView


@dataclass(frozen=True, slots=True)
class Moment:
    """What a search sees: it stays as it is."""

    rows: RowView
    keys: Keys
    mask: Mask
    structure: Structure | None


@dataclass(frozen=True, slots=True)
class Frozen:
    """What upkeep works from: the contents, the structure over them, the number of removals until then, and which table
    it was: what is made of it is of no use to another."""

    contents: Contents
    structure: Structure | None
    removals: int
    table: int


class IndexState:
    """A table of slots and a structure over it. Every method is short, and safe between threads."""

    def __init__(self, contents: Contents, structure: Structure | None = None) -> None:
        self._lock = threading.Lock()
        self._changed: dict[str, None] = {}  # documents, since the last freeze
        self._removals = 0
        self._number = 0  # of the table
        self._set(contents, structure)

    @property
    def generation(self) -> int:
        """The generation that the table stands for."""
        return self._table.generation

    @generation.setter
    def generation(self, value: int) -> None:
        with self._lock:
            self._table.generation = value

    @property
    def count(self) -> int:
        """How many slots there are."""
        return len(self._table)

    @property
    def dead(self) -> int:
        """How many of them are dead."""
        return self._table.dead

    @property
    def structure(self) -> Structure | None:
        """The structure over the table."""
        return self._structure

    def moment(self, selection: Selection) -> Moment:
        """Return what a search with this selection sees."""
        with self._lock:
            return Moment(self._table.rows.view(), self._table.keys, self._masks.of(selection), self._structure)

    def vectors(self, keys: Sequence[int]) -> Mapping[int, NDArray[np.float32]]:
        """Return the vectors of the keys that are alive."""
        with self._lock:
            slots, rows = self._table.find(keys), self._table.rows.view()
        return dict(zip(slots, rows.take(np.array(list(slots.values()), dtype=np.int64)), strict=True))

    def apply(self, changed: Sequence[str], stored: Mapping[str, StoredVectors]) -> bool:
        """Let these documents be as they are stored; return whether slots died."""
        with self._lock:
            before = self._table.dead
            self._table.apply(changed, stored)
            self._changed.update(dict.fromkeys(changed))
            died = self._table.dead > before
            self._removals += died
            return died

    def freeze(self) -> Frozen:
        """Return the state as it is now."""
        with self._lock:
            self._changed.clear()
            return Frozen(self._table.freeze(), self._structure, self._removals, self._number)

    def take_structure(self, structure: Structure | None, frozen: Frozen) -> None:
        """Search in another structure over the same slots."""
        with self._lock:
            if frozen.table == self._number:
                self._structure = structure

    def take_rows(self, base: Vectors, frozen: Frozen) -> None:
        """Read the same vectors from another place."""
        with self._lock:
            if frozen.table == self._number:
                self._table.rows.rebase(base)

    def take_compacted(self, contents: Contents, structure: Structure | None, frozen: Frozen) -> Frozen:
        """Let a compacted table take the place of this one, with all that changed since the freeze it was made from;
        return what upkeep goes on with."""
        with self._lock:
            if frozen.table != self._number:
                return frozen
            former, changed = self._table, list(self._changed)
            self._set(contents, structure)
            stored = {name: now for name in changed if (now := former.stored(name)) is not None}
            self._table.apply(changed, stored)
            self._table.generation = former.generation
            return Frozen(contents, structure, frozen.removals, self._number)

    def reset(
        self,
        contents: Contents,
        structure: Structure | None = None,
        changed: Sequence[str] = (),
        stored: Mapping[str, StoredVectors] | None = None,
    ) -> None:
        """Start from other contents, with these documents as they are stored."""
        with self._lock:
            self._set(contents, structure)
            self._table.apply(changed, stored or {})
            self._removals += 1

    def is_current(self, frozen: Frozen) -> bool:
        """Return whether nothing died since, and the table is the same."""
        with self._lock:
            return frozen.table == self._number and frozen.removals == self._removals

    def _set(self, contents: Contents, structure: Structure | None) -> None:
        self._table = SlotTable(contents)
        self._masks = Masks(self._table)
        self._structure = structure
        self._number += 1
