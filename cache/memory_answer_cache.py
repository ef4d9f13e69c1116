"""An answer cache in this process: for tests, and where no Redis is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from contracts import CachedAnswer


class MemoryAnswerCache:
    """Port `AnswerCache` on a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[str, CachedAnswer] = {}

    async def get(self, key: str) -> CachedAnswer | None:
        """Return the entry, or None."""
        return self._entries.get(key)

    async def put(self, key: str, entry: CachedAnswer) -> None:
        """Store the entry."""
        self._entries[key] = entry

    async def drop(self, key: str) -> None:
        """Remove the entry."""
        self._entries.pop(key, None)

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Remove every entry that rests on one of these documents."""
        gone = [key for key, entry in self._entries.items() if not set(document_ids).isdisjoint(entry.documents)]
        for key in gone:
            del self._entries[key]

    async def alive(self) -> bool:
        """Return True."""
        return True


class NullAnswerCache:
    """Port `AnswerCache` that keeps nothing: the cache switched off."""

    async def get(self, key: str) -> CachedAnswer | None:
        """Return None."""
        return None

    async def put(self, key: str, entry: CachedAnswer) -> None:
        """Do nothing."""

    async def drop(self, key: str) -> None:
        """Do nothing."""

    async def forget(self, document_ids: Sequence[str]) -> None:
        """Do nothing."""

    async def alive(self) -> bool:
        """Return True."""
        return True

    async def close(self) -> None:
        """Do nothing."""
