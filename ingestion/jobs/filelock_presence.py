"""Which workers of this machine are alive: each holds a lock on a file of its own, which dies with its process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


class FilelockPresence:
    """Port `Presence` for workers that share a data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, FileLock] = {}

    def enter(self, name: str) -> None:
        """Be known as alive under `name`, until `leave` or the end of the process. No other process has this name."""
        if name in self._held:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._held[name] = FileLock(self._path(name), thread_local=False)
        self._held[name].acquire(timeout=0)

    def leave(self, name: str) -> None:
        """Be gone."""
        self._held.pop(name).release()
        self._path(name).unlink(missing_ok=True)

    @contextmanager
    def inherit(self, name: str) -> Iterator[bool]:
        """Yield whether `name` is gone; if so, nobody else inherits it meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path(name), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
            self._path(name).unlink(missing_ok=True)
        finally:
            lock.release()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.lock"
