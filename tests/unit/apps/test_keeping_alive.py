"""What dies is started again, with real, small child processes."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from apps import keeping_alive
from apps.keeping_alive import keep_alive
from apps.supervisor import ChildDiedError, Supervisor
from contracts import Service


@pytest.fixture
async def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(keeping_alive, "_PAUSE_S", 0.0)
    made = Supervisor(tmp_path / "logs", grace_s=1.0)
    yield made
    await made.stop()


def service(code: str) -> Service:
    return Service(
        "part", (sys.executable, "-S", "-c", code), {}, lambda: True, "", 20.0, lambda log: f"It told {log.strip()}"
    )


async def test_the_fourth_death_is_the_last_and_each_is_told_with_its_cause(supervisor: Supervisor) -> None:
    dying, said = service("print('farewell'); raise SystemExit(3)"), list[str]()

    async def start_again(again: Service) -> None:
        await supervisor.start(again)

    await supervisor.start(dying)
    with pytest.raises(
        ChildDiedError, match=r"does not stay up: part ended with exit code 3\. It told farewell\. The end"
    ):
        await keep_alive(supervisor, {"part": dying}, say=said.append, start_again=start_again)
    assert len(said) == 3


async def test_what_is_started_again_stays(supervisor: Supervisor) -> None:
    started: list[Service] = []
    steady = service("import time; time.sleep(60)")

    async def start_again(again: Service) -> None:
        started.append(again)
        await supervisor.start(steady)

    await supervisor.start(service("pass"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(
            keep_alive(supervisor, {"part": steady}, say=lambda line: None, start_again=start_again), 1.5
        )
    assert started == [steady]
