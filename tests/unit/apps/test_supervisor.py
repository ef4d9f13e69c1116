"""The supervisor with real, small child processes."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from apps.supervisor import ChildDiedError, Supervisor
from contracts import Service

ROOT = Path(__file__).resolve().parents[3]


def service(name: str, code: str, ready: Path, timeout_s: float = 20.0, **env: str) -> Service:
    return Service(name, (sys.executable, "-S", "-c", code), env, ready.exists, "", timeout_s)


def touch_and_sleep(path: Path) -> str:
    return f"import pathlib, time; pathlib.Path({str(path)!r}).touch(); time.sleep(60)"


def gone(pid: int, within_s: float = 10.0) -> bool:
    """Return whether the process ends in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def pid_from(path: Path, within_s: float = 10.0) -> int:
    """Return the number that a process writes to `path`."""
    deadline = time.monotonic() + within_s
    while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return int(path.read_text())


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    made = Supervisor(tmp_path / "logs", grace_s=1.0)
    yield made
    await made.stop()


async def test_waits_until_a_service_is_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    wanted = service("quick", touch_and_sleep(tmp_path / "ready"), tmp_path / "ready")
    child = await supervisor.start(wanted)
    assert await supervisor.until_ready(wanted, child) < 15
    assert child.alive


async def test_passes_the_environment_and_keeps_the_output(supervisor: Supervisor, tmp_path: Path) -> None:
    child = await supervisor.until_done(
        "talker", (sys.executable, "-c", "import os; print(os.environ['WORD'])"), {"WORD": "hello"}
    )
    assert child.process.returncode == 0
    assert (tmp_path / "logs" / "talker.log").read_text() == "hello\n"


async def test_a_child_that_dies_early_is_told_with_the_end_of_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "[print('line', n) for n in range(30)]; print('no such model'); raise SystemExit(7)"
    wanted = service("fragile", code, tmp_path / "never")
    child = await supervisor.start(wanted)
    with pytest.raises(ChildDiedError, match=r"(?s)fragile ended with exit code 7.*line 29.*no such model") as raised:
        await supervisor.until_ready(wanted, child)
    assert "line 3\n" not in str(raised.value)


async def test_a_child_that_never_answers_is_told(supervisor: Supervisor, tmp_path: Path) -> None:
    wanted = service("mute", "import time; time.sleep(60)", tmp_path / "never", timeout_s=0.6)
    child = await supervisor.start(wanted)
    with pytest.raises(ChildDiedError, match="mute did not answer within"):
        await supervisor.until_ready(wanted, child)


async def test_a_port_answered_by_someone_else_is_no_success(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    wanted = service("late", "raise SystemExit(1)", tmp_path / "there")
    child = await supervisor.start(wanted)
    await child.process.wait()
    with pytest.raises(ChildDiedError, match="late ended"):
        await supervisor.until_ready(wanted, child)


async def test_a_missing_command_is_told(supervisor: Supervisor, tmp_path: Path) -> None:
    child = await supervisor.until_done("ghost", ("/no/such/command",), {})
    assert child.process.returncode == 127
    assert "No such file" in child.last_lines()


async def test_names_the_child_that_dies_later(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(service("steady", "import time; time.sleep(60)", tmp_path))
    await supervisor.start(service("brief", "import time; time.sleep(0.3)", tmp_path))
    await supervisor.start(service("ignored", "pass", tmp_path))
    assert (await supervisor.until_any_dies({"steady", "brief"})).name == "brief"


async def test_stops_grandchildren_and_those_that_refuse(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    grandchild = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    code = f"""
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-S", "-c", {grandchild!r}])
time.sleep(0.5)
pathlib.Path({str(note)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    await supervisor.start(service("stubborn", code, note))
    pid = pid_from(note)
    began = time.monotonic()
    await supervisor.stop()
    assert gone(pid)
    assert time.monotonic() - began < 15


async def test_stops_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("first", "second"):
        code = f"""
import pathlib, signal, time
def end(*_):
    with open({str(order)!r}, "a") as file: file.write({name!r} + " ")
    raise SystemExit
signal.signal(signal.SIGTERM, end)
pathlib.Path({str(tmp_path / name)!r}).touch()
time.sleep(60)
"""
        wanted = service(name, code, tmp_path / name)
        await supervisor.until_ready(wanted, await supervisor.start(wanted))
    await supervisor.stop()
    assert order.read_text() == "second first "


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = f"import os, pathlib, time; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(60)"
    program = f"""
import asyncio, pathlib, sys
from apps.supervisor import Supervisor
from contracts import Service
async def main():
    supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}))
    await supervisor.start(Service("child", (sys.executable, "-S", "-c", {child!r}), {{}}, lambda: True, ""))
    await asyncio.sleep(60)
asyncio.run(main())
"""
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        pid = pid_from(note, within_s=30)
    finally:
        owner.kill()
        owner.wait()
    assert gone(pid)
