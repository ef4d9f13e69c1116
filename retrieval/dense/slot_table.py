"""Which slot of an index holds which vector, of which document, for which readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts import StoredVectors
from retrieval.dense.growing import Growing
from retrieval.dense.index_contents import Contents, Flags, Keys, Numbers
from retrieval.dense.key_lookup import KeyLookup
from retrieval.dense.reader_classes import ReaderClasses
from retrieval.dense.vector_rows import Slots, VectorRows

_REMEMBERED_CHANGES = 8192


class SlotTable:
    """Slots that only ever grow at the end: a document that changes leaves its slots dead and gets new ones, one that
    is read by others keeps them. Not safe between threads: who uses it holds a lock."""

    def __init__(self, contents: Contents) -> None:
        self.generation = contents.generation
        self.rows = VectorRows(contents.rows.base)
        self.classes = ReaderClasses(contents.readers)
        self.dead = int(len(contents.alive) - np.count_nonzero(contents.alive))
        self._keys = Growing(contents.keys)
        self._documents = Growing(contents.documents)
        self._class_of_slot = Growing(contents.classes)
        self._alive = Growing(contents.alive)
        self._names = list(contents.names)
        self._starts = Growing(contents.starts)
        self._lengths = Growing(contents.lengths)
        self._numbers = {
            name: number
            for number, (name, length) in enumerate(zip(self._names, contents.lengths, strict=True))
            if length
        }
        self._lookup = KeyLookup(contents.keys)
        self._touched: list[Slots] = []
        self._forgotten = 0  # entries that were dropped from the front of it

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> Keys:
        """The key of each slot."""
        return self._keys.values

    @property
    def alive(self) -> Flags:
        """Whether each slot is alive; changes with the table."""
        return self._alive.values

    @property
    def document_of_slot(self) -> Numbers:
        """The number of the document of each slot."""
        return self._documents.values

    @property
    def document_count(self) -> int:
        """How many numbers of documents there are."""
        return len(self._names)

    @property
    def class_of_slot(self) -> Numbers:
        """The class of readers of each slot; changes with the table."""
        return self._class_of_slot.values

    def apply(self, changed: Sequence[str], stored: Mapping[str, StoredVectors]) -> None:
        """Let these documents be as they are stored; those that are not are gone."""
        fresh: list[tuple[str, StoredVectors]] = []
        for name in changed:
            now = stored.get(name)
            if now is not None and self._same(name, now):
                self._share(name, now.readers)
                continue
            self._kill(name)
            if now is not None and len(now.keys):
                fresh.append((name, now))
        if fresh:
            self._append(fresh)

    def stored(self, name: str) -> StoredVectors | None:
        """Return what the table holds of a document."""
        if (number := self._numbers.get(name)) is None:
            return None
        slots = self._slots(number)
        readers = self.classes.readers[int(self._class_of_slot.values[slots[0]])]
        return StoredVectors(self.keys[slots], self.rows.view().take(slots), readers)

    @property
    def moment(self) -> int:
        """A number that grows with every change."""
        return self._forgotten + len(self._touched)

    def touched_since(self, moment: int) -> Slots | None:
        """Return the slots that changed or came after a moment, some perhaps twice; None when that is too long ago."""
        if moment < self._forgotten:
            return None
        after = self._touched[moment - self._forgotten :]
        return np.concatenate(after) if after else np.empty(0, dtype=np.int64)

    def find(self, keys: Sequence[int]) -> dict[int, int]:
        """Return the slots that are alive by these keys."""
        found = self._lookup.find(keys)
        return {key: slot for key, slot in found.items() if self._alive.values[slot]}

    def slots_of(self, names: Sequence[str]) -> Slots:
        """Return the slots of these documents in order, dead ones of former versions left out."""
        numbers = self.numbers_of(names)
        starts, lengths = self._starts.values[numbers], self._lengths.values[numbers]
        order = np.argsort(starts)
        starts, lengths = starts[order], lengths[order]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        found: Slots = np.repeat(starts, lengths) + within
        return found

    def numbers_of(self, names: Sequence[str]) -> Keys:
        """Return the numbers of the documents that are here."""
        known = self._numbers
        return np.array([known[name] for name in names if name in known], dtype=np.int64)

    def freeze(self) -> Contents:
        """Return the contents as they are now."""
        return Contents(
            self.generation,
            self.rows.view(),
            self.keys,
            self._documents.values,
            self._class_of_slot.values.copy(),
            self._alive.values.copy(),
            tuple(self._names),
            self._starts.values.copy(),
            self._lengths.values.copy(),
            tuple(self.classes.readers),
        )

    def _slots(self, number: int) -> Slots:
        start = int(self._starts.values[number])
        return np.arange(start, start + int(self._lengths.values[number]))

    def _touch(self, slots: Slots) -> None:
        self._touched.append(slots)
        if len(self._touched) > _REMEMBERED_CHANGES:
            half = len(self._touched) // 2
            del self._touched[:half]
            self._forgotten += half

    def _same(self, name: str, now: StoredVectors) -> bool:
        was = self._numbers.get(name)
        if was is None or int(self._lengths.values[was]) != len(now.keys):
            return False
        slots = self._slots(was)
        return np.array_equal(self.keys[slots], now.keys) and np.array_equal(self.rows.view().take(slots), now.vectors)

    def _share(self, name: str, readers: tuple[str, ...]) -> None:
        slots = self._slots(self._numbers[name])
        self._class_of_slot.values[slots] = self.classes.number(readers)
        self._touch(slots)

    def _kill(self, name: str) -> None:
        number = self._numbers.pop(name, None)
        if number is None:
            return
        slots = self._slots(number)
        self._alive.values[slots] = False
        self._lengths.values[number] = 0
        self.dead += len(slots)
        self._touch(slots)

    def _append(self, fresh: Sequence[tuple[str, StoredVectors]]) -> None:
        first = len(self)
        lengths = np.array([len(each.keys) for _, each in fresh], dtype=np.int64)
        numbers = np.arange(len(self._names), len(self._names) + len(fresh), dtype=np.int32)
        classes = np.array([self.classes.number(each.readers) for _, each in fresh], dtype=np.int32)
        keys = np.concatenate([each.keys for _, each in fresh])
        self.rows.append(np.concatenate([each.vectors for _, each in fresh]))
        self._keys.append(keys)
        self._documents.append(np.repeat(numbers, lengths))
        self._class_of_slot.append(np.repeat(classes, lengths))
        self._alive.append(np.ones(len(keys), dtype=np.bool_))
        self._starts.append(first + np.cumsum(lengths) - lengths)
        self._lengths.append(lengths)
        self._names += [name for name, _ in fresh]
        self._numbers.update(zip((name for name, _ in fresh), numbers.tolist(), strict=True))
        self._lookup.append(keys)
        self._touch(np.arange(first, len(self)))
