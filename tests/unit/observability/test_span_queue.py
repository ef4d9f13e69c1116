"""Spans wait while the server is away, arrive when it is back, and the oldest are dropped when too many wait."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from observability.span_queue import SpanQueue, SpansRejectedError


class Server:
    """A fake server: it may be away, refuse spans by name, or be slow."""

    def __init__(self) -> None:
        self.away = False
        self.refuses: set[str] = set()
        self.delay_s = 0.0
        self.calls = 0
        self.got: list[str] = []

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        self.calls += 1
        time.sleep(self.delay_s)
        if self.away:
            raise ConnectionError("nobody there")
        if self.refuses & {span.name for span in spans}:
            raise SpansRejectedError("malformed")
        self.got.extend(span.name for span in spans)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def dropped() -> list[int]:
    return []


@pytest.fixture
def queue(server: Server, dropped: list[int]) -> Iterator[SpanQueue]:
    queue = SpanQueue(server.send, size=10, on_drop=dropped.append, interval_s=0.01)
    yield queue
    queue.close(1)


def emit(queue: SpanQueue, *names: str) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(queue)
    for name in names:
        provider.get_tracer("test").start_span(name).end()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        time.sleep(0.005)


def test_spans_arrive_in_order(queue: SpanQueue, server: Server) -> None:
    emit(queue, "a", "b", "c")
    until(lambda: len(server.got) == 3)
    assert server.got == ["a", "b", "c"]


def test_spans_of_an_outage_arrive_when_the_server_is_back(queue: SpanQueue, server: Server) -> None:
    server.away = True
    emit(queue, "a", "b")
    until(lambda: server.calls > 0)
    server.away = False
    until(lambda: server.got == ["a", "b"])


def test_a_full_queue_drops_the_oldest_and_counts_each(
    queue: SpanQueue, server: Server, dropped: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    server.away = True
    with caplog.at_level(logging.INFO, logger="observability"):
        emit(queue, *(f"span {i}" for i in range(25)))
        until(lambda: server.calls >= 2)
        server.away = False
        until(lambda: len(server.got) == 10)
        until(lambda: any("dropped" in message for message in caplog.messages))
    assert server.got == [f"span {i}" for i in range(15, 25)]
    assert sum(dropped) == 15
    assert len([message for message in caplog.messages if "away" in message]) == 1
    assert [message for message in caplog.messages if "15 spans were dropped" in message]


def test_refused_spans_do_not_take_the_others_with_them(
    server: Server, dropped: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    queue = SpanQueue(server.send, size=10, on_drop=dropped.append, interval_s=60)
    server.refuses = {"bad", "worse"}
    emit(queue, "a", "bad", "b", "worse", "c")
    queue.close(2)
    assert set(server.got) == {"a", "b", "c"}
    assert dropped == [1, 1]
    assert caplog.messages == ["2 spans were refused and dropped, the first one 'bad' (malformed)"]


def test_close_sends_what_waits(server: Server, dropped: list[int]) -> None:
    queue = SpanQueue(server.send, size=10, on_drop=dropped.append, interval_s=60)
    emit(queue, "a", "b")
    queue.close(2)
    assert server.got == ["a", "b"]


def test_a_flush_waits_for_the_batch_on_its_way(queue: SpanQueue, server: Server) -> None:
    server.delay_s = 0.1
    emit(queue, "a")
    until(lambda: server.calls == 1)
    assert not queue.force_flush(timeout_millis=10)
    assert queue.force_flush(timeout_millis=2000)
    assert server.got == ["a"]


def test_close_returns_in_time_when_the_server_hangs(
    server: Server, dropped: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    queue = SpanQueue(server.send, size=10, on_drop=dropped.append, interval_s=60)
    server.delay_s = 1.0
    server.away = True
    emit(queue, "a")
    began = time.monotonic()
    queue.close(0.1)
    assert time.monotonic() - began < 0.8
    assert "were not delivered" in caplog.text


def test_nothing_runs_before_the_first_span_nor_after_close(server: Server, dropped: list[int]) -> None:
    def threads() -> int:
        return sum(thread.name == "footnote-spans" for thread in threading.enumerate())

    before = threads()
    queue = SpanQueue(server.send, size=10, on_drop=dropped.append, interval_s=0.01)
    assert threads() == before
    emit(queue, "a")
    assert threads() == before + 1
    queue.close(2)
    assert threads() == before
