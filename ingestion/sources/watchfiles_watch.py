"""Tells when to look at sources again: when a file on this machine changes, and every so often for all others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from contracts import InvalidInputError
from ingestion.sources.fsspec_tree import IGNORE_FILE
from ingestion.sources.yaml_descriptions import FOLDER_FILE


async def watch(places: Sequence[Path], interval_s: float, *, ignored: Path | None = None) -> AsyncGenerator[None]:
    """Yield at once, after each burst of changes below `places` (folders, or files), and `interval_s` seconds after the
    last look.

    What changes between two yields leads to another one; what is hidden, or below `ignored`, does not count. Raises
    InvalidInputError when the system cannot watch.
    """
    from watchfiles import awatch

    if not places:
        while True:
            yield
            await asyncio.sleep(interval_s)
    folders = {path if path.is_dir() else path.parent for path in places}  # editors replace files

    def counts(_: object, path: str) -> bool:
        return any(_counts(Path(path), folder) for folder in folders) and not (
            ignored and Path(path).is_relative_to(ignored)
        )

    changes = awatch(*folders, watch_filter=counts)
    upcoming = asyncio.ensure_future(anext(changes))
    try:
        await asyncio.sleep(0)  # from here on changes are noted, also while the first round is under way
        while True:
            yield
            await asyncio.wait({upcoming}, timeout=interval_s)
            if upcoming.done():
                upcoming.result()
                upcoming = asyncio.ensure_future(anext(changes))
    except (OSError, RuntimeError) as exc:
        message = f"Changes cannot be watched: {exc}. Raise the system's limit, or sync by a timer."
        raise InvalidInputError(message) from exc
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await changes.aclose()


def _counts(path: Path, folder: Path) -> bool:
    """Return whether a path below `folder` can make a difference: hidden files do not, but for those that say which
    files are read, and how."""
    if not path.is_relative_to(folder):
        return False
    *above, last = path.relative_to(folder).parts or (".",)
    return not any(part.startswith(".") for part in above) and (
        not last.startswith(".") or last in (IGNORE_FILE, FOLDER_FILE)
    )
