"""From keys to slots without an object per key: a sorted array, and a dictionary for what came after it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_RECENT = 65_536  # keys; beyond these, and a quarter of all, the array is sorted anew


class KeyLookup:
    """The last slot of each key."""

    def __init__(self, keys: NDArray[np.int64], *, recent: int = _RECENT) -> None:
        self._bound = recent
        self._sort(keys, np.arange(len(keys), dtype=np.int64))
        self._next = len(keys)
        self._recent: dict[int, int] = {}

    def append(self, keys: NDArray[np.int64]) -> None:
        """Let the next slots belong to these keys."""
        first, self._next = self._next, self._next + len(keys)
        self._recent.update(zip(keys.tolist(), range(first, self._next), strict=True))
        if len(self._recent) > max(self._bound, len(self._keys) // 4):
            recent = np.array(list(self._recent.items()), dtype=np.int64)
            self._sort(np.concatenate([self._keys, recent[:, 0]]), np.concatenate([self._slots, recent[:, 1]]))
            self._recent = {}

    def find(self, keys: Sequence[int]) -> dict[int, int]:
        """Return the slots of the keys that have one."""
        wanted = np.asarray(keys, dtype=np.int64)
        places = np.searchsorted(self._keys, wanted, side="right") - 1
        found: dict[int, int] = {}
        for key, place in zip(wanted.tolist(), places.tolist(), strict=True):
            if (slot := self._recent.get(key)) is not None:
                found[key] = slot
            elif place >= 0 and self._keys[place] == key:
                found[key] = int(self._slots[place])
        return found

    def _sort(self, keys: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys, self._slots = keys[order], slots[order]
