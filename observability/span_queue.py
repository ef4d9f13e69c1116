"""A bounded queue of finished spans between the requests and a server that may be away.

OpenTelemetry's own batch processor drops a batch whose export failed, counts nothing and cannot be flushed with a
deadline; this one keeps the spans until the server answers again, and drops the oldest when it is full.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

log = logging.getLogger(__name__)

Send = Callable[[Sequence[ReadableSpan]], None]

BATCH_SPANS = 256
MAX_PAUSE_S = 5.0


class SpansRejectedError(Exception):
    """The server refuses these spans and will refuse them again."""


class SpanQueue(SpanProcessor):
    """Hands finished spans to `send` in a background thread, oldest first, at most `size` of them waiting.

    `send` raises SpansRejectedError when a batch is refused for good (its good spans are still sent, in smaller
    batches), and anything else when the server is away: the spans then wait. `on_drop` is told each loss.
    """

    def __init__(self, send: Send, *, size: int, on_drop: Callable[[int], None], interval_s: float = 0.5) -> None:
        self._send = send
        self._size = size
        self._on_drop = on_drop
        self._interval = interval_s
        self._waiting: deque[ReadableSpan] = deque()
        self._sending = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._thread: threading.Thread | None = None
        self._away = False
        self._lost = 0
        self._refused: list[str] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do: only finished spans are sent."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span; drop the oldest one when the queue is full."""
        with self._lock:
            full = len(self._waiting) >= self._size
            if full:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(span)
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="footnote-spans", daemon=True)
                self._thread.start()
        if full:
            self._on_drop(1)

    def close(self, timeout_s: float) -> None:
        """Send what waits, for at most `timeout_s`, and stop."""
        self._deadline = time.monotonic() + timeout_s
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        if left := self._undelivered() + self._lost:
            log.warning("%d spans of traces were not delivered", left)

    def shutdown(self) -> None:
        """Close with OpenTelemetry's name for it."""
        self.close(2.0)

    def force_flush(self, timeout_millis: int = 2000) -> bool:
        """Wait until nothing is queued, without sending anything out of turn; return whether that came about."""
        deadline = time.monotonic() + timeout_millis / 1000
        while self._undelivered() and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._undelivered()

    def _undelivered(self) -> int:
        with self._lock:
            return len(self._waiting) + self._sending

    def _run(self) -> None:
        pause = self._interval
        while not self._closing.wait(pause):
            pause = self._interval if self._drain() else min(pause * 2, MAX_PAUSE_S)
        self._drain()

    def _drain(self) -> bool:
        """Send everything that waits; return False when the server is away."""
        while (batch := self._take()) and time.monotonic() < self._deadline:
            try:
                self._deliver(batch)
            except Exception as exc:
                self._put_back(batch)
                self._note_away(exc)
                return False
            self._note_back()
        self._put_back(batch)
        self._report_losses()
        return True

    def _deliver(self, batch: list[ReadableSpan]) -> None:
        try:
            self._send(batch)
        except SpansRejectedError as exc:
            if len(batch) == 1:
                self._refused.append(f"{batch[0].name!r} ({exc})")
                self._on_drop(1)
                return
            # Sending a span twice is harmless: the server keeps one row per span id.
            middle = len(batch) // 2
            self._deliver(batch[:middle])
            self._deliver(batch[middle:])

    def _take(self) -> list[ReadableSpan]:
        with self._lock:
            self._sending = min(BATCH_SPANS, len(self._waiting))
            return [self._waiting.popleft() for _ in range(self._sending)]

    def _put_back(self, batch: list[ReadableSpan]) -> None:
        with self._lock:
            room = max(0, self._size - len(self._waiting))
            dropped = max(0, len(batch) - room)
            self._waiting.extendleft(reversed(batch[dropped:]))
            self._lost += dropped
            self._sending = 0
        if dropped:
            self._on_drop(dropped)

    def _note_away(self, exc: Exception) -> None:
        if not self._away:
            log.warning("Traces wait, up to %d spans, because their server is away: %s", self._size, exc)
        self._away = True

    def _note_back(self) -> None:
        if self._away:
            log.info("Traces are delivered again")
        self._away = False

    def _report_losses(self) -> None:
        refused, self._refused = self._refused, []
        if refused:
            log.warning("%d spans were refused and dropped, the first one %s", len(refused), refused[0])
        with self._lock:
            lost, self._lost = self._lost, 0
        if lost:
            log.warning("%d spans were dropped, the oldest first, because the queue of %d was full", lost, self._size)
