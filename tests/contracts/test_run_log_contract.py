"""What every run log must do: take a run, and fail open."""

import logging
import time
from pathlib import Path

import pytest

from contracts import RunLog
from observability.mlflow_runs import MemoryRunLog, MlflowRunLog

CLOSED = "http://127.0.0.1:9"  # nothing listens on the discard port


@pytest.fixture(params=["memory", pytest.param("mlflow-away", marks=pytest.mark.enable_socket)])
def run_log(request: pytest.FixtureRequest) -> RunLog:
    return MemoryRunLog() if request.param == "memory" else MlflowRunLog(CLOSED, "contract")


async def test_a_run_is_taken_without_raising_or_waiting(run_log: RunLog) -> None:
    began = time.perf_counter()
    await run_log.record("ingest", {"collection": "default"}, {"documents": 3.0})
    assert time.perf_counter() - began < 1.0


async def test_an_empty_run_is_a_run(run_log: RunLog) -> None:
    await run_log.record("ingest", {}, {})


@pytest.mark.enable_socket
@pytest.mark.parametrize("url", [CLOSED, "http://no-such-host.invalid:5000", "not a url", "http://127.0.0.1:99999999"])
async def test_mlflow_away_is_one_log_line_that_names_it(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="observability"):
        assert not await MlflowRunLog(url, "contract").record("ingest", {}, {})
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("observability")]
    assert url in line
    assert "not recorded" in line


async def test_memory_keeps_what_it_was_told() -> None:
    log = MemoryRunLog()
    params = {"collection": "default"}
    assert await log.record("ingest", params, {"documents": 3.0}, [Path("dump.jsonl")])
    params["collection"] = "changed afterwards"
    (run,) = log.runs
    assert (run.name, run.params, run.metrics) == ("ingest", {"collection": "default"}, {"documents": 3.0})
    assert run.files == (Path("dump.jsonl"),)
