"""Which slots a search may look at, kept between searches and brought up to date by what changed since."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from contracts import Selection
from retrieval.dense.index_contents import Flags
from retrieval.dense.slot_table import SlotTable
from retrieval.dense.vector_rows import Slots

Bits = NDArray[np.uint8]

_REMEMBERED = 32  # selections
_FEW_DOCUMENTS = 1000  # for these alone nothing is kept


class Mask:
    """The selected ones of the first `count` slots: how many, as bits (little-endian, 8 to a byte), and as a list.
    `everything` says that no slot that is alive is left out."""

    def __init__(self, count: int, selected: int, bits: Bits | None, slots: Slots | None, *, everything: bool) -> None:
        self.count = count
        self.selected = selected
        self.everything = everything
        self._bits = bits
        if slots is not None:
            self.slots = slots

    @cached_property
    def bits(self) -> Bits:
        """One bit per slot."""
        if self._bits is not None:
            return self._bits
        flags = np.zeros(self.count, dtype=np.bool_)
        flags[self.slots] = True
        return np.packbits(flags, bitorder="little")

    @cached_property
    def slots(self) -> Slots:
        """The selected slots in order."""
        return np.flatnonzero(np.unpackbits(self.bits, count=self.count, bitorder="little"))

    def slots_from(self, start: int) -> Slots:
        """Return the selected slots from `start` on, in order."""
        first = start >> 3
        flags = np.unpackbits(self.bits[first:], count=self.count - 8 * first, bitorder="little")
        flags[: start - 8 * first] = 0
        found: Slots = np.flatnonzero(flags) + 8 * first
        return found

    @cached_property
    def per_list(self) -> WeakKeyDictionary[object, NDArray[np.int64]]:
        """For structures with lists: how many selected slots each has, kept by who counted them."""
        return WeakKeyDictionary()


class Masks:
    """The masks of one slot table. Not safe between threads, unlike the masks it gives."""

    def __init__(self, table: SlotTable) -> None:
        self._table = table
        self._kept: OrderedDict[Selection, _Kept] = OrderedDict()

    def of(self, selection: Selection) -> Mask:
        """Return what a selection selects at this moment."""
        if selection.documents is not None and len(selection.documents) <= _FEW_DOCUMENTS:
            return self._few(selection.scope, selection.documents)
        kept = self._kept.pop(selection, None) or _Kept(self._table, selection)
        self._kept[selection] = kept
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return kept.mask()

    def _few(self, scope: tuple[str, ...], documents: frozenset[str]) -> Mask:
        slots = self._table.slots_of(tuple(documents))
        slots = slots[self._table.classes.readable(scope)[self._table.class_of_slot[slots]]]
        return Mask(len(self._table), len(slots), None, slots, everything=False)


class _Kept:
    """A selection with a flag per slot, up to a moment of the table."""

    def __init__(self, table: SlotTable, selection: Selection) -> None:
        self._table = table
        self._selection = selection
        self._flags: Flags = np.zeros(0, dtype=np.bool_)
        self._bits: Bits = np.zeros(0, dtype=np.uint8)
        self._moment = -1
        self._mask = Mask(0, 0, self._bits, None, everything=True)

    def mask(self) -> Mask:
        if self._moment != self._table.moment:
            touched = self._table.touched_since(self._moment) if self._moment >= 0 else None
            self._fit(len(self._table))
            self._begin() if touched is None else self._update(touched)
            selected = int(np.count_nonzero(self._flags))
            everything = selected == len(self._table) - self._table.dead
            self._mask = Mask(len(self._table), selected, self._bits, None, everything=everything)
            self._moment = self._table.moment
        return self._mask

    def _fit(self, count: int) -> None:
        """Make room for so many slots, in whole bytes."""
        if count > len(self._flags):
            size = -(-(count + count // 8 + 64) // 8) * 8
            flags = np.zeros(size, dtype=np.bool_)
            flags[: len(self._flags)] = self._flags
            bits = np.zeros(size // 8, dtype=np.uint8)
            bits[: len(self._bits)] = self._bits
            self._flags, self._bits = flags, bits

    def _begin(self) -> None:
        self._flags[: len(self._table)] = self._selected(slice(None))
        self._bits = np.packbits(self._flags, bitorder="little")

    def _update(self, touched: Slots) -> None:
        self._flags[touched] = self._selected(touched)
        places = np.unique(touched >> 3)
        bits = self._bits.copy()  # masks that were given before stay as they are
        bits[places] = np.packbits(self._flags.reshape(-1, 8)[places], axis=1, bitorder="little")[:, 0]
        self._bits = bits

    def _selected(self, slots: Slots | slice) -> Flags:
        table = self._table
        flags: Flags = table.alive[slots] & table.classes.readable(self._selection.scope)[table.class_of_slot[slots]]
        if self._selection.documents is not None:
            wanted = np.zeros(table.document_count, dtype=np.bool_)
            wanted[table.numbers_of(tuple(self._selection.documents))] = True
            flags &= wanted[table.document_of_slot[slots]]
        return flags
