"""vLLM as a child process."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts import ConfigurationError, Service
from serving.machine import Machine
from serving.model_memory import GB, MemoryPlan
from serving.model_store import StoredModel
from serving.vllm_flags import ServerFlags
from serving.vllm_server import vllm_service

FLAGS = ServerFlags("small", "127.0.0.1", 8001, context_tokens=2048, eager=True)


def started(flags: ServerFlags = FLAGS, *, api_key: str = "") -> Service:
    machine, plan = Machine(16 * GB, cores=2, bfloat16=True), MemoryPlan(GB, GB, GB, 16 * GB)
    return vllm_service(StoredModel("/m"), flags, plan, machine, python=Path("/env/bin/python"), api_key=api_key)


def test_the_key_stays_out_of_the_process_list() -> None:
    service = started(api_key="secret")
    assert service.env["VLLM_API_KEY"] == "secret"
    assert not any("secret" in part for part in service.argv)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "model.example"])
def test_others_need_a_key(host: str) -> None:
    exposed = replace(FLAGS, host=host)
    with pytest.raises(ConfigurationError, match="FOOTNOTE_SERVING__API_KEY"):
        started(exposed)
    assert host in started(exposed, api_key="secret").argv


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8001/v1"),
        ("localhost", "http://localhost:8001/v1"),
        ("::1", "http://[::1]:8001/v1"),
        ("0.0.0.0", "http://127.0.0.1:8001/v1"),
    ],
)
def test_it_is_reached_from_this_machine(host: str, url: str) -> None:
    assert started(replace(FLAGS, host=host), api_key="secret").url == url


def test_arguments_of_ones_own_may_need_the_hub() -> None:
    assert started().env["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in started(replace(FLAGS, extra=("--tokenizer", "someone/model"))).env


@pytest.mark.enable_socket
def test_a_server_that_is_away_is_not_ready() -> None:
    assert not started().ready()


def test_the_log_tells_why_it_ended() -> None:
    assert "port" in started().cause("OSError: [Errno 98] Address already in use")
