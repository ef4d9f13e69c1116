"""Where a collection's words lie on disk: a folder for it, in it the index that is in use, a lock, and nothing else."""

from __future__ import annotations

import hashlib
import logging
import shutil
import uuid
from pathlib import Path

_log = logging.getLogger(__name__)
_CURRENT = "current"  # a file that names the folder of the index in use
_LOCK = "writer.lock"


class IndexFolder:
    """The folder of one collection. `origin` is what its index was made of and how; an index of anything else is not
    taken. Writers hold the file `lock`."""

    def __init__(self, folder: Path, collection: str, origin: str) -> None:
        self.path = folder / collection
        self.lock = self.path / _LOCK
        self._prefix = hashlib.sha256(origin.encode()).hexdigest()[:16]

    def current(self) -> Path | None:
        """Return the folder of the index in use; None where there is none, or it is not of this origin."""
        try:
            name = (self.path / _CURRENT).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None
        whole = self.path / name
        return whole if name.startswith(f"{self._prefix}-") and (whole / "meta.json").is_file() else None

    def stranger(self) -> bool:
        """Return whether something lies there that is not the index in use."""
        return self.current() is None and any(each.is_dir() for each in self.path.iterdir())

    def begin(self) -> Path:
        """Return a new folder for an index that is about to be made."""
        new = self.path / f"{self._prefix}-{uuid.uuid4().hex[:8]}"
        new.mkdir(parents=True)
        return new

    def switch(self, new: Path) -> None:
        """Make the index in `new` the one in use, for every process at once, and remove any other."""
        pointer = self.path / f"{new.name}.{_CURRENT}"
        pointer.write_text(new.name, encoding="ascii")
        pointer.replace(self.path / _CURRENT)
        self.tidy()

    def abandon(self, index: Path) -> None:
        """Let no process use an index that is damaged, unless another is in use already."""
        if self.current() == index:
            _remove(self.path / _CURRENT)

    def tidy(self) -> None:
        """Remove what is not in use: former indexes, and what dead processes left."""
        current = self.current()
        kept = {current, self.lock, self.path / _CURRENT}
        for each in self.path.iterdir():
            if each not in kept:
                _remove(each)


def remove_index(folder: Path, collection: str) -> None:
    """Remove a collection's index. A process that has it open goes on with what it sees until its next refresh."""
    _remove(folder / collection)


def _remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as exc:
        _log.warning("%s cannot be removed: %s", path, exc)
