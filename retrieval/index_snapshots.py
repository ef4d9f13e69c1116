"""Where snapshots of index views lie: a folder per collection, a file per embedder. All of them can be deleted."""

from __future__ import annotations

import hashlib
import logging
import shutil
from pathlib import Path

_log = logging.getLogger(__name__)


def snapshot_path(folder: Path, collection: str, embedder: str) -> Path:
    """Return the file of a collection's vectors made by one embedder."""
    return folder / collection / f"{hashlib.sha256(embedder.encode()).hexdigest()[:12]}.npz"


def remove_snapshots(folder: Path, collection: str) -> None:
    """Remove every snapshot of a collection, also half-written ones: they may hold vectors of what was deleted."""
    shutil.rmtree(folder / collection, ignore_errors=True)


def remove_other_snapshots(kept: Path) -> None:
    """Remove the collection's snapshots of former embedders, and what dead processes left half-written."""
    folder = kept.parent
    discard(folder.with_suffix(".npz"))  # where it was when collections had but one embedder
    for file in folder.iterdir() if folder.is_dir() else ():
        if file != kept:
            discard(file)


def discard(file: Path) -> None:
    """Remove a file, if it can be removed."""
    try:
        file.unlink(missing_ok=True)
    except OSError as exc:
        _log.warning("index snapshot %s cannot be removed: %s", file, exc)
