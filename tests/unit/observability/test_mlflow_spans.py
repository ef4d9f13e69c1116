"""How MLflow's answers are read, against a fake of its API behind httpx's own transport seam."""

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from observability.mlflow_spans import EXPERIMENT_HEADER, MlflowAwayError, MlflowSpanSender
from observability.span_queue import SpansRejectedError


class FakeMlflow(httpx.BaseTransport):
    """Experiments by name, and the experiment ids that traces were sent to."""

    def __init__(self) -> None:
        self.experiments: dict[str, str] = {}
        self.stage = "active"
        self.status = 200
        self.another_creates_it = False
        self.traces: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/traces":
            return self._take(request)
        if request.url.path.endswith("/create"):
            return self._create()
        name = request.url.params["experiment_name"]
        if name not in self.experiments:
            return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST"})
        found = {"experiment_id": self.experiments[name], "lifecycle_stage": self.stage}
        return httpx.Response(200, json={"experiment": found})

    def _create(self) -> httpx.Response:
        self.experiments["footnote"] = "7"
        if self.another_creates_it:
            return httpx.Response(400, json={"error_code": "RESOURCE_ALREADY_EXISTS"})
        return httpx.Response(200, json={"experiment_id": "7"})

    def _take(self, request: httpx.Request) -> httpx.Response:
        if self.status == 200:
            self.traces.append(request.headers[EXPERIMENT_HEADER])
        return httpx.Response(self.status, text="because")


@pytest.fixture
def mlflow() -> FakeMlflow:
    return FakeMlflow()


@pytest.fixture
def sender(mlflow: FakeMlflow) -> MlflowSpanSender:
    return MlflowSpanSender("http://mlflow/", "footnote", transport=mlflow)


@pytest.fixture
def spans() -> list[ReadableSpan]:
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("request")
    span.end()
    assert isinstance(span, ReadableSpan)
    return [span]


def test_the_experiment_is_created_once(
    sender: MlflowSpanSender, mlflow: FakeMlflow, spans: list[ReadableSpan]
) -> None:
    sender.send(spans)
    sender.send(spans)
    assert mlflow.traces == ["7", "7"]


def test_an_experiment_that_another_process_creates_is_used(
    sender: MlflowSpanSender, mlflow: FakeMlflow, spans: list[ReadableSpan]
) -> None:
    mlflow.another_creates_it = True
    sender.send(spans)
    assert mlflow.traces == ["7"]


def test_after_a_failure_the_experiment_is_looked_up_again(
    sender: MlflowSpanSender, mlflow: FakeMlflow, spans: list[ReadableSpan]
) -> None:
    sender.send(spans)
    mlflow.status = 404
    mlflow.experiments = {"footnote": "8"}
    with pytest.raises(MlflowAwayError):
        sender.send(spans)
    mlflow.status = 200
    sender.send(spans)
    assert mlflow.traces == ["7", "8"]


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_what_may_pass_is_an_outage(
    sender: MlflowSpanSender, mlflow: FakeMlflow, spans: list[ReadableSpan], status: int
) -> None:
    mlflow.status = status
    with pytest.raises(MlflowAwayError, match=f"HTTP {status} because"):
        sender.send(spans)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_will_not_pass_is_a_refusal(
    sender: MlflowSpanSender, mlflow: FakeMlflow, spans: list[ReadableSpan], status: int
) -> None:
    mlflow.status = status
    with pytest.raises(SpansRejectedError, match=f"HTTP {status} because"):
        sender.send(spans)


def test_a_deleted_experiment_says_what_to_do(
    sender: MlflowSpanSender, mlflow: FakeMlflow, spans: list[ReadableSpan]
) -> None:
    mlflow.experiments, mlflow.stage = {"footnote": "7"}, "deleted"
    with pytest.raises(MlflowAwayError, match="restore it or name another"):
        sender.send(spans)


def test_a_url_that_is_none_is_an_outage_not_a_crash(spans: list[ReadableSpan]) -> None:
    with pytest.raises(MlflowAwayError, match="not a url"):
        MlflowSpanSender("not a url", "footnote").send(spans)
