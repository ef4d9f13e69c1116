"""The fakes keep what a test asks of them."""

import pytest

from observability.recording_tracer import NullTracer, RecordingTracer


def test_spans_are_kept_with_parent_and_attributes() -> None:
    tracer = RecordingTracer()
    with tracer.span("request", inputs="q"), tracer.span("retrieve") as span:
        span.set(outputs=["hit"])
    assert [span.name for span in tracer.spans] == ["retrieve", "request"]
    (retrieve,), (request,) = tracer.named("retrieve"), tracer.named("request")
    assert retrieve.parent is request
    assert request.parent is None
    assert (request.attributes, retrieve.attributes) == ({"inputs": "q"}, {"outputs": ["hit"]})


def test_an_error_is_kept_on_each_span_it_left() -> None:
    tracer = RecordingTracer()
    error = ValueError("bad")
    with pytest.raises(ValueError), tracer.span("request"), tracer.span("retrieve"):
        raise error
    assert [span.error for span in tracer.spans] == [error, error]


def test_the_null_tracer_has_no_trace_to_find() -> None:
    with NullTracer().span("request") as span:
        assert span.trace_id == ""
