"""What every tracer must do: nest, never raise of its own, pass errors on, cost next to nothing."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from contracts import Tracer
from observability.mlflow_tracer import MlflowTracer
from observability.recording_tracer import NullTracer, RecordingTracer

CLOSED = "http://127.0.0.1:9"  # nothing listens on the discard port


@pytest.fixture(params=["recording", "null", pytest.param("mlflow-away", marks=pytest.mark.enable_socket)])
def tracer(request: pytest.FixtureRequest) -> Iterator[Tracer]:
    if request.param != "mlflow-away":
        yield RecordingTracer() if request.param == "recording" else NullTracer()
        return
    tracer = MlflowTracer(CLOSED, "contract", queue_size=64)
    yield tracer
    tracer.close(timeout_s=1)


class Unwritable:
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def test_spans_of_one_trace_share_its_id(tracer: Tracer) -> None:
    with tracer.span("request", inputs={"question": "who?"}) as root:
        with tracer.span("retrieve") as first:
            first.set(outputs=[{"score": 0.5}])
        with tracer.span("generate") as second, tracer.span("output_guard") as third:
            pass
    assert {first.trace_id, second.trace_id, third.trace_id} == {root.trace_id}


def test_two_traces_do_not_mix(tracer: Tracer) -> None:
    with tracer.span("request") as first:
        pass
    with tracer.span("request") as second:
        pass
    assert isinstance(tracer, NullTracer) or first.trace_id != second.trace_id


async def test_concurrent_tasks_keep_their_own_trace(tracer: Tracer) -> None:
    async def request() -> tuple[str, str]:
        with tracer.span("request") as root:
            await asyncio.sleep(0.001)
            inner = await asyncio.create_task(stage())
            return root.trace_id, inner

    async def stage() -> str:
        with tracer.span("retrieve") as span:
            await asyncio.sleep(0.001)
            return span.trace_id

    pairs = await asyncio.gather(*(request() for _ in range(5)))
    assert all(root == inner for root, inner in pairs)
    assert isinstance(tracer, NullTracer) or len({root for root, _ in pairs}) == 5


def test_an_error_passes_through_and_ends_the_span(tracer: Tracer) -> None:
    with pytest.raises(ValueError, match="bad input"), tracer.span("request"):
        raise ValueError("bad input")
    with tracer.span("request") as first, tracer.span("retrieve") as inner:
        pass
    assert inner.trace_id == first.trace_id


def test_a_value_that_cannot_be_written_does_not_fail_the_request(tracer: Tracer) -> None:
    circular: list[object] = []
    circular.append(circular)
    with tracer.span("request", inputs=Unwritable(), label=Unwritable()) as span:
        span.set(outputs=circular)
        span.set(outputs={("a", "tuple"): 1}, note="lone \ud800 surrogate", nothing=None)


async def test_a_generator_closed_elsewhere_leaves_no_span_open(tracer: Tracer) -> None:
    async def answer():  # type: ignore[no-untyped-def]
        with tracer.span("request"):
            yield "first"
            yield "second"

    stream = answer()
    assert await asyncio.create_task(anext(stream)) == "first"
    await asyncio.create_task(stream.aclose())
    with tracer.span("request") as outer, tracer.span("retrieve") as inner:
        pass
    assert outer.trace_id == inner.trace_id


def test_a_full_queue_does_not_slow_the_request(tracer: Tracer) -> None:
    began = time.perf_counter()
    for _ in range(100):
        with tracer.span("request", inputs={"question": "x" * 1000}):
            for stage in ("guard", "cache", "embed", "retrieve", "prompt", "generate"):
                with tracer.span(stage) as span:
                    span.set(outputs="y" * 1000)
    per_trace = (time.perf_counter() - began) / 100
    assert per_trace < 0.02  # measured: about a millisecond at most, on a busy machine
