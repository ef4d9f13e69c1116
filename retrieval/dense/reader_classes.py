"""Who may read a document, as a small number: documents with the same readers are of one class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class ReaderClasses:
    """Distinct tuples of readers, numbered in the order they came."""

    def __init__(self, readers: Sequence[tuple[str, ...]] = ()) -> None:
        self.readers: list[tuple[str, ...]] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._by_reader: dict[str, list[int]] = {}
        for each in readers:
            self.number(each)

    def __len__(self) -> int:
        return len(self.readers)

    def number(self, readers: tuple[str, ...]) -> int:
        """Return the class of these readers, a new one where there is none."""
        if (known := self._numbers.get(readers)) is not None:
            return known
        new = self._numbers[readers] = len(self.readers)
        self.readers.append(readers)
        for reader in set(readers):
            self._by_reader.setdefault(reader, []).append(new)
        return new

    def readable(self, scope: Sequence[str]) -> NDArray[np.bool_]:
        """Return, by class, whether a reader in `scope` is among its readers."""
        flags = np.zeros(len(self.readers), dtype=np.bool_)
        for reader in scope:
            flags[self._by_reader.get(reader, [])] = True
        return flags
