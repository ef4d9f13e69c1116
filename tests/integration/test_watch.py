"""`footnote sync --watch` as a process: it follows a folder, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.small_encoder import make_small_encoder

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 60.0


class Watching:
    """The command, and the lines that it has printed."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        (self.files / "tram.txt").write_text("The tram runs daily.")
        self._told = folder / "told"
        self._errors = folder / "errors"
        encoder = make_small_encoder(folder / "encoder")
        env = {**os.environ, "FOOTNOTE_DATA_DIR": str(self.files / "data"), "FOOTNOTE_EMBEDDING__MODEL": str(encoder)}
        with self._told.open("w") as out, self._errors.open("w") as errors:
            command = [sys.executable, "-m", "apps.cli.main", "sync", str(self.files), "--watch", *options]
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=errors)

    @property
    def told(self) -> list[str]:
        """What was told so far: outcome and file."""
        return [f"{line.split()[1]} {Path(line.split()[2]).name}" for line in self._told.read_text().splitlines()]

    @property
    def errors(self) -> str:
        """What stands on standard error."""
        return self._errors.read_text()

    def until(self, told: list[str]) -> None:
        """Wait until exactly this is told."""
        deadline = time.monotonic() + LONGEST_S
        while self.told != told:
            assert self.process.poll() is None, self.errors
            assert time.monotonic() < deadline, f"{self.told} instead of {told}; {self.errors}"
            time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Watching]]:
    started: list[Watching] = []

    def make(*options: str) -> Watching:
        started.append(Watching(tmp_path, *options))
        return started[-1]

    yield make
    for each in started:
        each.process.kill()
        each.process.wait()


def test_it_follows_the_folder_and_ends_at_ctrl_c(start: Callable[..., Watching]) -> None:
    watching = start("--delete")
    files = watching.files
    told = ["added tram.txt"]
    watching.until(told)
    (files / "ferry.txt").write_text("The ferry leaves at nine.")
    watching.until(told := [*told, "added ferry.txt"])
    (files / "ferry.txt").write_text("The ferry leaves at ten.")
    watching.until(told := [*told, "updated ferry.txt"])
    (files / "ferry.txt").rename(files / "boat.txt")
    watching.until(told := [*told, "moved boat.txt"])
    (files / "boat.txt").unlink()
    watching.until(told := [*told, "deleted boat.txt"])
    time.sleep(3)  # its own data, in the folder that it watches, is not what it follows
    assert watching.told == told
    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(timeout=30) == 0
    assert "Traceback" not in watching.errors


def test_it_ends_while_it_starts_too(start: Callable[..., Watching]) -> None:
    watching = start()
    deadline = time.monotonic() + LONGEST_S
    while "Watching" not in watching.errors:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    watching.process.send_signal(signal.SIGTERM)
    assert watching.process.wait(timeout=30) == 0
    assert "Traceback" not in watching.errors
