"""Records each request as one MLflow trace, with OpenTelemetry spans that leave in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from contracts import Span
from observability.logs import current_trace_id
from observability.mlflow_attributes import clean, opening_attributes, to_attributes

if TYPE_CHECKING:
    import httpx
    from opentelemetry import trace

log = logging.getLogger(__name__)


def _ignore(_: int) -> None:
    """Nobody counts lost spans."""


class MlflowTracer:
    """A Tracer whose traces appear in MLflow's experiment `experiment` at the server `url`.

    A span costs the request tens of microseconds, whether MLflow answers or not: finished spans wait in a queue of
    `queue_size`, and `on_drop` is told how many were lost. With `record_text` off, every text in inputs and outputs
    is replaced by its length, and an error's message is left out. `transport` stands in for the network in tests.

    Usage: ``with tracer.span("retrieve", inputs={"query": q}) as span: ...; span.set(outputs=hits)``.
    """

    def __init__(
        self,
        url: str,
        experiment: str,
        *,
        queue_size: int = 2048,
        record_text: bool = True,
        on_drop: Callable[[int], None] = _ignore,
        heeds_proxy: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        from observability.mlflow_spans import MlflowSpanSender
        from observability.span_queue import SpanQueue

        self._sender = MlflowSpanSender(url, experiment, heeds_proxy=heeds_proxy, transport=transport)
        self._queue = SpanQueue(self._sender.send, size=queue_size, on_drop=on_drop)
        resource = Resource({"service.name": "footnote"})
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(self._queue)
        self._tracer = provider.get_tracer("footnote")
        self._record_text = record_text

    def span(self, name: str, **attributes: Any) -> AbstractContextManager[Span]:
        """Open a span below the current one. See `to_attributes` for the attributes that MLflow understands."""
        return _MlflowSpan(self._tracer, name, attributes, record_text=self._record_text)

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, for at most `timeout_s`, and stop. Blocks: call it in a thread, at shutdown."""
        self._queue.close(timeout_s)
        self._sender.close()


class _MlflowSpan:
    def __init__(self, tracer: trace.Tracer, name: str, attributes: dict[str, Any], *, record_text: bool) -> None:
        self._tracer = tracer
        self._name = name
        self._attributes = attributes
        self._record_text = record_text

    @property
    def trace_id(self) -> str:
        return f"tr-{self._span.get_span_context().trace_id:032x}"

    def set(self, **attributes: Any) -> None:
        try:
            self._span.set_attributes(to_attributes(attributes, record_text=self._record_text))
        except Exception:  # a value that cannot be written must not fail the request that it describes
            log.warning("The attributes %s of the span %r cannot be recorded", sorted(attributes), self._name)

    def __enter__(self) -> Self:
        from opentelemetry import context, trace

        self._before = context.get_current()
        self._root = not trace.get_current_span().get_span_context().is_valid
        opening = opening_attributes(self._name, root=self._root)
        self._span = self._tracer.start_span(clean(self._name), attributes=opening)
        context.attach(trace.set_span_in_context(self._span))
        if self._root:
            current_trace_id.set(self.trace_id)
        self.set(**self._attributes)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._settle(error)
        self._span.end()
        self._restore()

    def _settle(self, error: BaseException | None) -> None:
        from opentelemetry.trace import StatusCode

        # A closed generator is a reader who went away, not a failure.
        if error is None or isinstance(error, GeneratorExit):
            self._span.set_status(StatusCode.OK)
            return
        kind = type(error).__name__
        self._span.set_attribute("error.type", kind)
        if not self._record_text:
            self._span.set_status(StatusCode.ERROR, kind)
            return
        message = clean(f"{kind}: {error}")
        self._span.set_status(StatusCode.ERROR, message)
        self._span.add_event("exception", {"exception.type": kind, "exception.message": clean(str(error))})

    def _restore(self) -> None:
        """Make the span before this one current again, without the token that OpenTelemetry's `detach` wants: an
        async generator may be closed in another context than it was opened in, where the token is invalid."""
        from opentelemetry import context, trace

        if trace.get_current_span() is self._span:
            context.attach(self._before)
            if self._root:
                current_trace_id.set("")
