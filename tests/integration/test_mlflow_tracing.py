"""Traces and runs in a real MLflow server: what is recorded can be read back with MLflow's own client."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.entities import Trace

from contracts import Usage
from observability.mlflow_runs import MlflowRunLog
from observability.mlflow_tracer import MlflowTracer

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

STAGES = ("guard", "cache", "retrieve", "prompt", "generate", "output_guard")
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MlflowServer:
    """A real server on a SQLite file in `folder`, with a tracer that began before it; stopping it leaves none of its
    processes behind.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.early = MlflowTracer(self.url, "early")
        self.early_trace = answer_a_question(self.early)

    def start(self) -> None:
        argv = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        argv += ["--workers", "1", "--artifacts-destination", str(self.folder / "artifacts")]
        argv += ["--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.sqlite'}"]
        offline = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        environment = os.environ | offline | {"MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self.folder / "mlflow.log").open("a") as output:
            self.process = subprocess.Popen(
                argv, env=environment, stdout=output, stderr=output, start_new_session=True, cwd=self.folder
            )
        eventually(lambda: answers(self.url), 120)

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=1).is_success
    except httpx.HTTPError:
        return False


def eventually(found: Callable[[], T], timeout_s: float = 20) -> T:
    """Return the first true value of `found`."""
    deadline = time.monotonic() + timeout_s
    while not (value := found()):
        assert time.monotonic() < deadline, f"it did not happen within {timeout_s} s"
        time.sleep(0.1)
    return value


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"))
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.early.close()


@pytest.fixture
def server(mlflow: MlflowServer) -> str:
    return mlflow.url


@pytest.fixture
def client(server: str) -> MlflowClient:
    return MlflowClient(server)


def answer_a_question(tracer: MlflowTracer, question: str = "Où est la clé?") -> str:
    """Record what a request records; return its trace id."""
    with tracer.span("query", inputs={"question": question}, session="c1", user="ana") as root:
        for stage in STAGES:
            with tracer.span(stage, inputs={"question": question}) as span:
                if stage == "generate":
                    span.set(model="smol", usage=Usage(120, 30), outputs="Under the mat [1].")
        root.set(outputs={"answer": "Under the mat [1]."})
    return root.trace_id


def find_trace(client: MlflowClient, experiment: str, trace_id: str, spans: int) -> Trace:
    """Wait until the trace is complete, as the list of traces on MLflow's page would show it."""

    def complete() -> Trace | None:
        known = client.get_experiment_by_name(experiment)
        traces: list[Any] = client.search_traces(locations=[known.experiment_id]) if known else []
        return next((t for t in traces if t.info.trace_id == trace_id and len(t.data.spans) == spans), None)

    return eventually(complete)


def test_a_request_is_one_trace_with_a_span_per_stage(server: str, client: MlflowClient) -> None:
    tracer = MlflowTracer(server, "requests")
    trace = find_trace(client, "requests", answer_a_question(tracer), 7)
    tracer.close()
    spans = {span.name: span for span in trace.data.spans}
    assert set(spans) == {"query", *STAGES}
    assert {spans[stage].parent_id for stage in STAGES} == {spans["query"].span_id}
    assert (spans["query"].inputs, spans["query"].outputs) == (
        {"question": "Où est la clé?"},
        {"answer": "Under the mat [1]."},
    )
    assert {name: spans[name].span_type for name in ("query", "guard", "retrieve", "generate")} == {
        "query": "CHAIN",
        "guard": "GUARDRAIL",
        "retrieve": "RETRIEVER",
        "generate": "CHAT_MODEL",
    }
    assert trace.info.state == "OK"
    assert spans["generate"].outputs == "Under the mat [1]."


def test_tokens_session_user_and_previews_are_on_the_trace(server: str, client: MlflowClient) -> None:
    tracer = MlflowTracer(server, "requests")
    trace = find_trace(client, "requests", answer_a_question(tracer), 7)
    tracer.close()
    assert trace.info.token_usage == {"input_tokens": 120, "output_tokens": 30, "total_tokens": 150}
    assert trace.info.trace_metadata["mlflow.trace.session"] == "c1"
    assert trace.info.trace_metadata["mlflow.trace.user"] == "ana"
    assert "Où est la clé?" in trace.info.request_preview
    assert "Under the mat" in trace.info.response_preview


def test_a_failed_request_is_a_failed_trace(server: str, client: MlflowClient) -> None:
    tracer = MlflowTracer(server, "requests")
    with pytest.raises(ValueError), tracer.span("query") as root, tracer.span("retrieve"):
        raise ValueError("no such collection")
    trace = find_trace(client, "requests", root.trace_id, 2)
    tracer.close()
    assert trace.info.state == "ERROR"
    assert {span.status.description for span in trace.data.spans} == {"ValueError: no such collection"}


def test_without_text_none_of_it_reaches_the_server(server: str, client: MlflowClient) -> None:
    tracer = MlflowTracer(server, "requests", record_text=False)
    trace = find_trace(client, "requests", answer_a_question(tracer, "a secret question"), 7)
    tracer.close()
    assert "secret" not in trace.to_json()
    assert "mat" not in str([span.outputs for span in trace.data.spans])
    assert trace.info.token_usage["total_tokens"] == 150


def test_text_that_is_no_unicode_arrives_with_the_rest(server: str, client: MlflowClient) -> None:
    tracer = MlflowTracer(server, "requests")
    trace = find_trace(client, "requests", answer_a_question(tracer, "odd \ud800 \x00 letters"), 7)
    tracer.close()
    assert "letters" in str(trace.data.spans[0].inputs)


def test_traces_made_before_mlflow_was_up_arrive(mlflow: MlflowServer, client: MlflowClient) -> None:
    find_trace(client, "early", mlflow.early_trace, 7)


def test_traces_made_while_mlflow_restarts_arrive(mlflow: MlflowServer, client: MlflowClient) -> None:
    tracer = MlflowTracer(mlflow.url, "restart")
    find_trace(client, "restart", answer_a_question(tracer), 7)
    mlflow.stop()
    during = answer_a_question(tracer)
    time.sleep(1)
    mlflow.start()
    find_trace(client, "restart", during, 7)
    tracer.close()


def test_three_hundred_traces_drain_within_seconds(server: str, client: MlflowClient) -> None:
    tracer = MlflowTracer(server, "load", queue_size=4096)
    began = time.monotonic()
    last = [answer_a_question(tracer) for _ in range(300)][-1]
    find_trace(client, "load", last, 7)
    tracer.close()
    assert time.monotonic() - began < 20  # MLflow's own asynchronous logging would take thirty
    found = client.search_traces(locations=[client.get_experiment_by_name("load").experiment_id], max_results=500)
    assert len(found) == 300
    # A trace whose spans left in two batches is whole all the same.
    assert {len(trace.data.spans) for trace in found} == {7}
    assert {trace.info.state for trace in found} == {"OK"}
    assert {trace.info.token_usage["total_tokens"] for trace in found} == {150}


async def test_an_ingestion_is_a_run_with_params_and_metrics(server: str, client: MlflowClient) -> None:
    log = MlflowRunLog(server, "ingestion")
    await log.record("ingest", {"collection": "default", "long": "x" * 10_000}, {"documents": 3.0, "seconds": 1.5})
    await log.record("ingest", {"collection": "default"}, {"documents": 1.0})
    runs = client.search_runs([client.get_experiment_by_name("ingestion").experiment_id])
    assert len(runs) == 2
    first = next(run for run in runs if run.data.metrics["documents"] == 3.0)
    assert first.info.run_name == "ingest"
    assert first.info.status == "FINISHED"
    assert first.data.params["collection"] == "default"
    assert first.data.metrics == {"documents": 3.0, "seconds": 1.5}


async def test_a_run_keeps_copies_of_its_files(server: str, client: MlflowClient, tmp_path: Path) -> None:
    dump = tmp_path / "per_query.jsonl"
    dump.write_text('{"query_id": "1"}\n')
    recorded = await MlflowRunLog(server, "evaluation").record("eval", {}, {"hybrid/nDCG_at_10": 0.5}, [dump])
    assert recorded
    dump.unlink()
    (run,) = client.search_runs([client.get_experiment_by_name("evaluation").experiment_id])
    assert run.data.metrics == {"hybrid/nDCG_at_10": 0.5}
    kept = client.download_artifacts(run.info.run_id, "per_query.jsonl", str(tmp_path))
    assert Path(kept).read_text() == '{"query_id": "1"}\n'


async def test_a_run_that_mlflow_refuses_is_marked_failed(
    server: str, client: MlflowClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="observability"):
        assert not await MlflowRunLog(server, "refused").record("ingest", {"no such: name?*": "x"}, {})
    (run,) = client.search_runs([client.get_experiment_by_name("refused").experiment_id])
    assert run.info.status == "FAILED"
    assert any("not recorded" in message for message in caplog.messages)
