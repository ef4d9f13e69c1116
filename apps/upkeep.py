"""Removes what nothing needs any more: outdated versions, their originals, and what dead processes left."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from contracts import Upkeep

_YOUNG_S = 3600.0  # what is younger may belong to a document that is just being stored
_ABANDONED_S = 24 * 3600.0  # a temporary file that is older belongs to a process that died


class KeptOriginals(Protocol):
    """The originals as upkeep sees them."""

    def settled(self, younger_s: float) -> list[str]:
        """Return the versions of originals that are there for longer."""
        ...

    async def discard(self, version: str) -> None:
        """Remove the bytes."""
        ...

    def remove_abandoned(self, older_s: float) -> None:
        """Remove staged copies that are older."""
        ...


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """The use case over its ports; it can run beside anything else."""

    catalog: Upkeep
    originals: KeptOriginals
    scratch: Path

    async def sweep(self) -> None:
        """Remove versions that the policy keeps no longer, originals of no document, and abandoned files."""
        await self.catalog.prune()
        settled = await asyncio.to_thread(self.originals.settled, _YOUNG_S)
        for version in await self.catalog.unused(settled):
            await self.originals.discard(version)
        await asyncio.to_thread(self._remove_abandoned)

    async def compact(self) -> None:
        """Sweep, and give the space of what was deleted back to the disk."""
        await self.sweep()
        await self.catalog.compact()

    def _remove_abandoned(self) -> None:
        self.originals.remove_abandoned(_ABANDONED_S)
        for folder in self.scratch.iterdir():
            with suppress(FileNotFoundError):  # others are at work here
                if folder.stat().st_mtime < time.time() - _ABANDONED_S:
                    shutil.rmtree(folder, ignore_errors=True)
