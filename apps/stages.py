"""The stages of a request: a span and a stopwatch for each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from contracts import Span, Tracer


class Stages:
    """Opens a span per stage and adds up the milliseconds of each."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._started = time.perf_counter()
        self._ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str, **attributes: object) -> Iterator[Span]:
        started = time.perf_counter()
        try:
            with self._tracer.span(name, **attributes) as span:
                yield span
        finally:
            self.add({name: (time.perf_counter() - started) * 1e3})

    def add(self, timings: Mapping[str, float]) -> None:
        for name, ms in timings.items():
            self._ms[name] = self._ms.get(name, 0.0) + ms

    def timings(self) -> dict[str, float]:
        total = (time.perf_counter() - self._started) * 1e3
        return {name: round(ms, 2) for name, ms in {**self._ms, "total": total}.items()}
