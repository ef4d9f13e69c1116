"""Whether a store is worth asking: one that failed a few times in a row is left alone for a moment, said once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

_FAILURES = 3  # in a row
_PAUSE_S = 2.0
_SAY_AGAIN_S = 60.0
_log = logging.getLogger(__name__)


class Outage:
    """Tells when to leave the store called `name` alone. An outage is logged once, and so is its end; what a store that
    is there refuses, once a minute for each kind of refusal."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._failures = 0
        self._next_try = 0.0
        self._away = False
        self._said: dict[str, float] = {}

    def over(self) -> bool:
        """Return whether the store may be asked: after a pause by one caller, and the others wait for what it finds."""
        if self._failures < _FAILURES:
            return True
        now = self._clock()
        if now < self._next_try:
            return False
        self._next_try = now + _PAUSE_S
        return True

    def failed(self, exc: Exception) -> None:
        """Note that the store did not answer."""
        self._failures += 1
        self._next_try = self._clock() + _PAUSE_S
        if not self._away:
            self._away = True
            _log.warning("the cache at %s is away, and requests go on without it: %s", self._name, _told(exc))

    def answered(self) -> None:
        """Note that the store is there."""
        self._failures = 0
        if self._away:
            self._away = False
            _log.warning("the cache at %s is back", self._name)

    def refused(self, exc: Exception) -> None:
        """Note that the store is there but full, or holds something else than it should."""
        self.answered()
        kind, now = f"{type(exc).__name__} {str(exc).partition(' ')[0]}", self._clock()
        if now >= self._said.get(kind, 0.0):
            self._said[kind] = now + _SAY_AGAIN_S
            _log.warning("the cache at %s refused: %s", self._name, _told(exc))


def _told(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}"
