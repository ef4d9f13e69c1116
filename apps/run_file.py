"""Which `footnote up` runs on a data folder: a lock that dies with it, and a note of its parts for other commands."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts import ConfigurationError

_CLOCK_SLACK_S = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack; `pid` is that of its guardian, 0 for a part that runs elsewhere."""

    name: str
    state: str
    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A running `footnote up`."""

    pid: int
    created: float
    parts: tuple[Part, ...]


class RunFile:
    """The note and the lock in the folder `run` of a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._note = data_dir / "run" / "up.json"
        self._lock = data_dir / "run" / "up.lock"

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one stack on this data folder. Raises ConfigurationError when there is one already."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                stack = self.read()
                which = f" (process {stack.pid})" if stack else ""
                raise ConfigurationError(f"Footnote already runs{which}. Stop it first: footnote down") from exc
            self.write(())
            try:
                yield
            finally:
                self._note.unlink(missing_ok=True)

    def write(self, parts: tuple[Part, ...]) -> None:
        """Note this process and its parts."""
        stack = RunningStack(os.getpid(), _created(os.getpid()) or 0.0, parts)
        unfinished = self._note.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(stack), indent=2))
        unfinished.replace(self._note)

    def read(self) -> RunningStack | None:
        """Return the running stack; None when none runs, whatever an earlier one left behind."""
        try:
            note = json.loads(self._note.read_text())
            parts = tuple(Part(**part) for part in note["parts"])
            stack = RunningStack(note["pid"], note["created"], parts)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        created = _created(stack.pid)
        return stack if created is not None and abs(created - stack.created) < _CLOCK_SLACK_S else None


def _created(pid: int) -> float | None:
    """Return when the process was created, or None when there is none: numbers are used again, times are not."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None
