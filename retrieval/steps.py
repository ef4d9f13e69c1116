"""The steps of a search: a span and a stopwatch for each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from contracts import Span, Tracer


class Steps:
    """Opens a span per step and adds up its milliseconds; a step that comes again, deeper, adds to itself."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str, **attributes: object) -> Iterator[Span]:
        started = time.perf_counter()
        try:
            with self._tracer.span(name, **attributes) as span:
                yield span
        finally:
            self._ms[name] = self._ms.get(name, 0.0) + (time.perf_counter() - started) * 1e3

    def timings(self) -> dict[str, float]:
        """Return the milliseconds by step."""
        return {name: round(ms, 3) for name, ms in self._ms.items()}
