"""What a span looks like on the wire."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observability.logs import current_trace_id
from observability.mlflow_tracer import MlflowTracer

OK, ERROR = 1, 2  # status codes of the OTLP protocol


class Wire(httpx.BaseTransport):
    """Stands in for MLflow and keeps the spans it is sent, by name."""

    def __init__(self) -> None:
        self.spans: dict[str, Any] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/traces":
            return httpx.Response(200, json={"experiment": {"experiment_id": "1", "lifecycle_stage": "active"}})
        batch = ExportTraceServiceRequest.FromString(request.read())
        for resource in batch.resource_spans:
            for scope in resource.scope_spans:
                self.spans.update({span.name: span for span in scope.spans})
        return httpx.Response(200)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_the_parent_is_the_span_around_it(wire: Wire) -> None:
    tracer = MlflowTracer("http://mlflow", "unit", transport=wire)
    with tracer.span("request") as root, tracer.span("retrieve"), tracer.span("embed"):
        assert current_trace_id.get() == root.trace_id
    assert current_trace_id.get() == ""
    tracer.close()
    request, retrieve, embed = (wire.spans[name] for name in ("request", "retrieve", "embed"))
    assert not request.parent_span_id
    assert (retrieve.parent_span_id, embed.parent_span_id) == (request.span_id, retrieve.span_id)
    assert {f"tr-{span.trace_id.hex()}" for span in wire.spans.values()} == {root.trace_id}
    assert {span.status.code for span in wire.spans.values()} == {OK}


@pytest.mark.parametrize("record_text", [True, False])
def test_an_error_is_recorded_but_its_text_only_where_text_may_be(wire: Wire, record_text: bool) -> None:
    tracer = MlflowTracer("http://mlflow", "unit", record_text=record_text, transport=wire)
    with pytest.raises(ValueError), tracer.span("request", inputs="of the letter"):
        raise ValueError("the letter says so")
    tracer.close()
    span = wire.spans["request"]
    assert span.status.code == ERROR
    assert "ValueError" in span.status.message
    assert ("the letter" in str(span)) is record_text


async def test_a_reader_who_goes_away_is_no_failure_and_no_noise(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    tracer = MlflowTracer("http://mlflow", "unit", transport=wire)

    async def answer() -> AsyncIterator[str]:
        with tracer.span("request"):
            yield "first"
            yield "second"

    stream = answer()
    with caplog.at_level(logging.DEBUG):
        await asyncio.create_task(anext(stream))
        await asyncio.create_task(stream.aclose())
        await asyncio.to_thread(tracer.close)
    assert wire.spans["request"].status.code == OK
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
