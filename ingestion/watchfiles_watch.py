"""Tells when to look at sources again: when a file on this machine changes, and every so often for all others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from contracts import InvalidInputError


async def watch(places: Sequence[Path], interval_s: float) -> AsyncGenerator[None]:
    """Yield at once, after each burst of changes below `places` (folders, or files), and every `interval_s` seconds.

    What changes between two yields leads to another one. Raises InvalidInputError when the system cannot watch.
    """
    from watchfiles import awatch

    if not places:
        while True:
            yield
            await asyncio.sleep(interval_s)
    folders = {path if path.is_dir() else path.parent for path in places}  # editors replace files
    changes = awatch(*folders, rust_timeout=int(interval_s * 1000), yield_on_timeout=True)
    try:
        upcoming = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)  # from here on changes are noted, also while the first round is under way
        while True:
            yield
            await upcoming
            upcoming = asyncio.ensure_future(anext(changes))
    except (OSError, RuntimeError) as exc:
        raise InvalidInputError(
            f"Changes cannot be watched: {exc}. Raise the system's limit, or sync by a timer."
        ) from exc
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await changes.aclose()
