"""The whole product, started once as a person starts it: `footnote up` on free ports with a data folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOOTNOTE = Path(sys.executable).with_name("footnote")
_READY = "Ctrl-C stops everything"
_TIMEOUT_S = 600


@dataclass(frozen=True)
class RunningStack:
    """A stack started by `footnote up`: where it listens, and the environment that commands need to meet it."""

    api: str
    mlflow: str
    model: str
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    def footnote(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `footnote` command beside the stack."""
        return subprocess.run(
            [FOOTNOTE, *arguments], env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("stack")
    api, mlflow, model = free_ports(3)
    env = {name: value for name, value in os.environ.items() if not name.startswith("FOOTNOTE_")} | {
        "FOOTNOTE_DATA_DIR": str(folder / "data"),
        "FOOTNOTE_API__PORT": str(api),
        "FOOTNOTE_OBSERVABILITY__PORT": str(mlflow),
        "FOOTNOTE_SERVING__PORT": str(model),
        "NO_COLOR": "1",
    }
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen([FOOTNOTE, "up"], env=env, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(process, log)
        here = "http://127.0.0.1"
        yield RunningStack(f"{here}:{api}", f"{here}:{mlflow}", f"{here}:{model}/v1", env, log, process)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, log.read_text()
        assert [child for child in children if child.is_running()] == []
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def stack(running: RunningStack) -> str:
    """The address of the running API."""
    return running.api


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while _READY not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"`footnote up` did not come up:\n{log.read_text()}")
        time.sleep(0.5)


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
