"""`footnote serve-model` with a stand-in for the model server's Python: a small program that answers as healthy."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from typer.testing import CliRunner

from apps import keeping_alive
from apps.cli.main import app
from apps.cli.serve_model import serve_until_ended
from apps.settings import ServingSettings, Settings
from apps.supervisor import ChildDiedError
from contracts import ConfigurationError
from tests.running_stack import free_ports
from tests.unit.serving.model_files import hf_folder

HEALTHY = """
import http.server, os, pathlib, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
pathlib.Path(sys.argv[0]).with_name("pid").write_text(str(os.getpid()))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""
DYING = "import sys; sys.exit('ValueError: No available memory for the cache blocks.')"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(keeping_alive, "_PAUSE_S", 0.0)
    monkeypatch.setattr("apps.services.model_python", lambda: tmp_path / "python")
    pretend(tmp_path, HEALTHY)
    return hf_folder(tmp_path / "model")


def pretend(folder: Path, program: str) -> None:
    """Let the model server be `program`."""
    (folder / "server.py").write_text(program)
    (folder / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -S {folder}/server.py "$@"\n')
    (folder / "python").chmod(0o755)


def settings(folder: Path, **changes: object) -> Settings:
    serving = ServingSettings.model_validate({"model": str(folder / "model"), "port": free_ports(1)[0], **changes})
    return Settings(data_dir=folder / "data", serving=serving)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.mark.enable_socket
@pytest.mark.usefixtures("model")
async def test_it_is_started_again_when_it_dies_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    said = StringIO()
    task = asyncio.create_task(serve_until_ended(settings(tmp_path), Console(file=said)))
    await until(lambda: "Ctrl-C stops it" in said.getvalue() or task.done())
    first = psutil.Process(int((tmp_path / "pid").read_text()))
    first.kill()
    await until(lambda: "Ready again" in said.getvalue() or task.done())
    second = psutil.Process(int((tmp_path / "pid").read_text()))
    assert second.pid != first.pid
    os.kill(os.getpid(), signal.SIGINT)
    await task
    assert "It is started again" in said.getvalue()
    assert said.getvalue().endswith("Stopped.\n")
    assert not second.is_running()


@pytest.mark.enable_socket
@pytest.mark.usefixtures("model")
async def test_what_cannot_start_is_told_with_its_cause_above_its_log(tmp_path: Path) -> None:
    pretend(tmp_path, DYING)
    with pytest.raises(ChildDiedError, match=r"exit code 1\. The memory does not suffice.*\n    ValueError: No avail"):
        await serve_until_ended(settings(tmp_path), Console(file=StringIO()))


@pytest.mark.enable_socket
@pytest.mark.usefixtures("model")
async def test_what_keeps_dying_is_given_up(tmp_path: Path) -> None:
    pretend(tmp_path, "import threading, os\nthreading.Timer(0.6, lambda: os._exit(3)).start()\n" + HEALTHY)
    with pytest.raises(ChildDiedError, match="does not stay up"):
        await serve_until_ended(settings(tmp_path), Console(file=StringIO()))


@pytest.mark.enable_socket
@pytest.mark.usefixtures("model")
async def test_a_taken_port_and_an_open_door_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="FOOTNOTE_SERVING__API_KEY"):
        await serve_until_ended(settings(tmp_path, host="0.0.0.0"), Console(file=StringIO()))
    taken = settings(tmp_path)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", taken.serving.port)
    async with server:
        with pytest.raises(ConfigurationError, match="--port"):
            await serve_until_ended(taken, Console(file=StringIO()))


def dry_run(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["serve-model", "--dry-run", "--json", *arguments])
    assert result.exit_code == 0, result.output
    told: dict[str, object] = json.loads(result.stdout)
    return told


def test_a_dry_run_tells_what_would_be_started(model: Path) -> None:
    told = dry_run(str(model), "--port", "9", "--context", "512", "--kv-cache-gb", "0.5", "--", "--seed", "1")
    command = told["command"]
    assert isinstance(command, list)
    assert command[-2:] == ["--seed", "1"]
    assert command[command.index("--max-model-len") + 1] == "512"
    assert (told["source"], told["url"], told["ready"]) == (str(model), "http://127.0.0.1:9/v1", True)


def test_arguments_for_vllm_need_no_model_before_them(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_SERVING__MODEL", str(model))
    monkeypatch.setenv("FOOTNOTE_SERVING__API_KEY", "secret")
    told = dry_run("--host", "0.0.0.0", "--", "--seed", "1")
    assert told["model"] == str(model)
    assert "--seed" in str(told["command"])
    assert "secret" not in json.dumps(told)


def test_what_does_not_fit_is_told_before_anything_starts(model: Path) -> None:
    result = CliRunner().invoke(app, ["serve-model", str(model), "--dry-run", "--kv-cache-gb", "100000"])
    assert result.exit_code == 1
    assert "100000.0 GB of KV cache" in result.output


def test_a_model_that_is_still_to_be_quantised_is_not_ready(model: Path) -> None:
    told = dry_run(str(model), "--quantization", "int8")
    assert told["ready"] is False
    assert "--quantization" not in str(told["command"])
    assert "fp8" in str(dry_run(str(model), "--quantization", "fp8")["command"])
