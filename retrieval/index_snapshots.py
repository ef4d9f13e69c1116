"""Where snapshots of index views lie: a folder per collection, a file per embedder. All of them can be deleted."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path


def snapshot_path(folder: Path, collection: str, embedder: str) -> Path:
    """Return the file of a collection's vectors made by one embedder."""
    return folder / collection / f"{hashlib.sha256(embedder.encode()).hexdigest()[:12]}.npz"


def remove_snapshots(folder: Path, collection: str) -> None:
    """Remove every snapshot of a collection, also half-written ones: they may hold vectors of what was deleted."""
    shutil.rmtree(folder / collection, ignore_errors=True)


def remove_other_snapshots(kept: Path) -> None:
    """Remove the collection's snapshots of former embedders, and what dead processes left half-written."""
    kept.parent.with_suffix(".npz").unlink(missing_ok=True)  # where it was when collections had but one embedder
    if kept.parent.is_dir():
        for file in kept.parent.iterdir():
            if file != kept:
                file.unlink(missing_ok=True)
