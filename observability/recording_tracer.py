"""Tracers without a server: one that remembers spans, for tests, and one that does nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from contracts import Span


@dataclass(slots=True)
class RecordedSpan:
    """A span as it was recorded; `error` is the exception that left it."""

    name: str
    parent: RecordedSpan | None
    trace_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None

    def set(self, **attributes: Any) -> None:
        """Remember the attributes."""
        self.attributes.update(attributes)


_current: ContextVar[RecordedSpan | None] = ContextVar("recorded_span", default=None)


class RecordingTracer:
    """Keeps finished spans in memory, in the order they ended: ``tracer.spans``."""

    def __init__(self) -> None:
        self.spans: list[RecordedSpan] = []

    def span(self, name: str, **attributes: Any) -> AbstractContextManager[Span]:
        """Open a span below the current one."""
        return self._open(name, attributes)

    def named(self, name: str) -> list[RecordedSpan]:
        """Return the finished spans called `name`."""
        return [span for span in self.spans if span.name == name]

    @contextmanager
    def _open(self, name: str, attributes: dict[str, Any]) -> Iterator[RecordedSpan]:
        parent = _current.get()
        trace_id = parent.trace_id if parent else f"tr-{uuid.uuid4().hex}"
        span = RecordedSpan(name, parent, trace_id, attributes)
        _current.set(span)
        try:
            yield span
        except BaseException as exc:
            span.error = exc
            raise
        finally:
            if _current.get() is span:
                _current.set(parent)
            self.spans.append(span)


class _NullSpan:
    trace_id = ""

    def set(self, **attributes: Any) -> None:
        """Forget the attributes."""


class NullTracer:
    """Records nothing; every trace id is empty, since there is no trace to find."""

    def span(self, name: str, **attributes: Any) -> AbstractContextManager[Span]:
        """Open a span that nobody sees."""
        return _open_nothing()


@contextmanager
def _open_nothing() -> Iterator[Span]:
    yield _NullSpan()
