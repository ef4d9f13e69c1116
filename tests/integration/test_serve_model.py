"""`footnote serve-model` as a person runs it: started, asked, killed and started again, and ended without a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.running_stack import FOOTNOTE, ROOT, free_ports
from tests.unit.serving.model_files import hf_folder

pytestmark = pytest.mark.integration

_START_S = 420.0


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The converted default model stays for all tests here."""
    return tmp_path_factory.mktemp("data")


@contextmanager
def serving(data_dir: Path, log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")}
    env |= {"FOOTNOTE_DATA_DIR": str(data_dir), "NO_COLOR": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [FOOTNOTE, "serve-model", *arguments], env=env, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"it did not come to that:\n{log.read_text()}")
        time.sleep(0.5)


def ask(port: int, **changes: object) -> httpx.Response:
    body = {"model": "smollm2-135m-instruct", "max_tokens": 4, "messages": [{"role": "user", "content": "Say yes."}]}
    return httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body | changes, timeout=120, trust_env=False)


def test_a_killed_engine_is_started_again_and_ctrl_c_leaves_no_process(data_dir: Path, tmp_path: Path) -> None:
    port, log = free_ports(1)[0], tmp_path / "log"
    with serving(data_dir, log, "--port", str(port), "--context", "1024", "--kv-cache-gb", "0.5") as process:
        until(lambda: "Ctrl-C stops it" in log.read_text(), process, log)
        assert ask(port, priority=3).json()["usage"]["completion_tokens"] > 0
        limit = httpx.get(f"http://127.0.0.1:{port}/v1/models", trust_env=False).json()["data"][0]["max_model_len"]
        assert limit == 1024

        children = psutil.Process(process.pid).children(recursive=True)
        engine = next(child for child in children if "EngineCore" in " ".join(child.cmdline()))
        engine.kill()
        until(lambda: "Ready again" in log.read_text(), process, log)
        assert "It is started again" in log.read_text()
        assert ask(port).is_success

        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert [child for child in children if child.is_running()] == []
        assert log.read_text().rstrip().endswith("Stopped.")


def test_a_model_that_vllm_does_not_know_is_told_on_top_of_the_log(data_dir: Path, tmp_path: Path) -> None:
    config = {
        "architectures": ["NoSuchForCausalLM"],
        "model_type": "llama",
        "num_attention_heads": 1,
        "hidden_size": 64,
    }
    folder = hf_folder(tmp_path / "model", config=config)
    log = tmp_path / "log"
    with serving(data_dir, log, str(folder), "--port", str(free_ports(1)[0])) as process:
        assert process.wait(timeout=_START_S) == 1
    said = log.read_text()
    assert "does not support this model's architecture" in said
    assert said.index("does not support") < said.index("The end of")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_command_leaves_no_process(data_dir: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(data_dir, log, "--port", str(free_ports(1)[0])) as process:
        until(lambda: "starting" in log.read_text(), process, log)
        until(lambda: len(psutil.Process(process.pid).children(recursive=True)) > 1, process, log)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        _, alive = psutil.wait_procs(children, timeout=40)
        assert alive == []


def test_a_dry_run_starts_nothing(data_dir: Path) -> None:
    env = {**os.environ, "FOOTNOTE_DATA_DIR": str(data_dir), "FOOTNOTE_SERVING__API_KEY": "secret"}
    command = [str(FOOTNOTE), "serve-model", "--dry-run", "--json", "--host", "0.0.0.0", "--", "--max-num-seqs", "7"]
    shown = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(shown.stdout)
    assert told["command"][-2:] == ["--max-num-seqs", "7"]
    assert told["memory"]["total"] < told["memory"]["budget"]
    assert "secret" not in shown.stdout
