"""Work that is done some time after it was asked for, on a thread that ends when there is none."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


_PATIENCE_S = 10.0


class StoppedError(Exception):
    """The work is to end before it is done."""


class Background:
    """Runs `work` once things have been quiet for `quiet_s`, or `patience` times as long after it was first asked for.
    The thread is a daemon: it holds no process back."""

    def __init__(self, work: Callable[[], None], *, quiet_s: float, patience: int = 10) -> None:
        self._work = work
        self._quiet_s = quiet_s
        self._patience = patience
        self._changed = threading.Condition()
        self._due: float | None = None
        self._latest = 0.0  # the moment after which it is put off no further
        self._thread: threading.Thread | None = None
        self._stopped = False

    def ask(self, *, factor: float = 1.0) -> None:
        """Have the work done, `factor` times the quiet bound from now unless it is asked for again."""
        with self._changed:
            if self._stopped:
                return
            now = time.monotonic()
            if self._due is None:
                self._latest = now + self._quiet_s * factor * self._patience
            self._due = min(now + self._quiet_s * factor, self._latest)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="index upkeep", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def proceed(self) -> None:
        """Raise StoppedError when the work is to end."""
        if self._stopped:
            raise StoppedError

    def settle(self) -> None:
        """Do at once what was asked for, and return when nothing is left to do."""
        with self._changed:
            while self._thread is not None:
                if self._due is not None:
                    self._due = 0.0
                    self._changed.notify_all()
                self._changed.wait(0.05)

    def stop(self) -> None:
        """End the work after its present step, and do none again. A step that takes longer than some seconds, such as
        training, is left to end with the process."""
        with self._changed:
            self._stopped, self._due = True, None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._thread is None, _PATIENCE_S)

    def _run(self) -> None:
        while self._wait():
            try:
                self._work()
            except StoppedError:
                pass
            except Exception:
                _log.exception("upkeep of an index failed")

    def _wait(self) -> bool:
        """Wait until something is due; False when nothing is, and the thread is to end."""
        with self._changed:
            while self._due is not None and (rest := self._due - time.monotonic()) > 0:
                self._changed.wait(rest)
            if self._due is None:
                self._thread = None
                self._changed.notify_all()
                return False
            self._due = None
            return True
