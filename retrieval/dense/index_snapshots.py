"""Where snapshots of index views lie: a folder per collection, in it one per embedder and generation. All of them can
be deleted at any time, also while they are read."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EPOCH, _LOCK, _UNFINISHED = "epoch", "writing.lock", ".new"
_log = logging.getLogger(__name__)


def remove_snapshots(folder: Path, collection: str) -> None:
    """Remove every snapshot of a collection, also half-written ones: they may hold vectors of what was deleted. One
    that another process is about to finish is discarded by that process, which finds the epoch gone."""
    place = folder / collection
    discard(place / _EPOCH)
    shutil.rmtree(place, ignore_errors=True)
    if place.exists():  # something was added meanwhile
        shutil.rmtree(place, ignore_errors=True)


def discard(path: Path) -> None:
    """Remove a file or a folder, if it can be removed."""
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        pass  # another process removes it too
    except OSError as exc:
        _log.warning("index snapshot %s cannot be removed: %s", path, exc)


class SnapshotPlace:
    """The snapshots of one collection's vectors made by one embedder."""

    def __init__(self, folder: Path, collection: str, embedder: str) -> None:
        self._folder = folder / collection
        self._mark = hashlib.sha256(embedder.encode()).hexdigest()[:12]

    def newest(self) -> Path | None:
        """Return the finished snapshot of the highest generation."""
        return max(self._finished(), key=lambda path: path.name, default=None)

    def epoch(self) -> str:
        """Return a word that changes when all snapshots are removed. Raises OSError."""
        file = self._folder / _EPOCH
        try:
            return file.read_text()
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
            file.write_text(uuid.uuid4().hex)
            return file.read_text()

    def still(self, epoch: str) -> bool:
        """Return whether no snapshots were removed since `epoch`."""
        try:
            return (self._folder / _EPOCH).read_text() == epoch
        except OSError:
            return False

    def begin(self) -> Path:
        """Return a new folder to write to. Raises OSError."""
        path = self._folder / f"{uuid.uuid4().hex}{_UNFINISHED}"
        path.mkdir(parents=True)
        return path

    def finish(self, written: Path, generation: int) -> Path:
        """Give what was written its name, by which later ones of a generation come later; return it. Raises OSError."""
        path = self._folder / f"{self._mark}-{generation:015d}-{time.time_ns():020d}"
        written.replace(path)
        return path

    def keep_only(self, kept: Path) -> None:
        """Remove this embedder's other snapshots, but for newer ones."""
        for path in self._finished():
            if path.name < kept.name:
                discard(path)

    def discard_before(self, generation: int) -> None:
        """Remove the snapshots of earlier generations."""
        for path in self._finished():
            if int(path.name.split("-")[1]) < generation:
                discard(path)

    def tidy(self) -> None:
        """Remove the snapshots of former embedders, and what dead processes left half-written."""
        discard(self._folder.with_suffix(".npz"))  # where it was when collections had but one embedder
        with self.writing() as alone:
            if not alone:
                return
            for path in self._folder.iterdir():
                if path.name not in (_EPOCH, _LOCK) and path not in self._finished():
                    discard(path)

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Keep other processes from writing meanwhile; yields False, at once, when another one does, and when there is
        no folder."""
        from filelock import FileLock, Timeout

        if not self._folder.is_dir():
            yield False
            return
        lock = FileLock(self._folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _finished(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if path.name.startswith(f"{self._mark}-") and path.is_dir()]
        except OSError:
            return []
