"""Ingestion jobs under real worker processes: killed, stopped, side by side."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from contracts import Job, JobState
from ingestion.jobs.dbos_job_queue import DbosJobQueue, JobLimits
from ingestion.jobs.filelock_presence import FilelockPresence
from ingestion.jobs.postgres_presence import PostgresPresence
from tests.postgres_server import find_programs, postgres

pytestmark = pytest.mark.integration

_ROOT = Path(__file__).parents[2]
_WORKER = """
import asyncio, os, signal, sys
from dataclasses import replace
from pathlib import Path

from contracts import JobState
from ingestion.jobs.dbos_job_queue import DbosJobQueue, JobLimits
from ingestion.jobs.filelock_presence import FilelockPresence
from ingestion.jobs.postgres_presence import PostgresPresence


async def main(folder, url, seconds):
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def say(word, job):
        os.write(log, f"{word} {job.id} {os.getpid()}\\n".encode())

    async def handler(job, report):
        say("start", job)
        if job.id.startswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            await report(replace(job, state=JobState.EMBEDDING, done=1, total=2))
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            say("cancel", job)
            raise
        say("end", job)
        return replace(job, state=JobState.DONE, chunks=1)

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    presence = FilelockPresence(folder / "workers") if url.startswith("sqlite") else PostgresPresence(url)
    await DbosJobQueue(url, presence, JobLimits(grace_s=1, attempts=3)).run(handler, stop)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
"""


class Workers:
    """Worker processes on one queue, and what they wrote down."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.queue = DbosJobQueue(url, FilelockPresence(folder), JobLimits(queued=50))
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, seconds: float) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-c", _WORKER, str(self.folder), self.url, str(seconds)]
        with (self.folder / "errors").open("ab") as errors:
            process = subprocess.Popen(argv, cwd=_ROOT, stderr=errors)
        self.processes.append(process)
        return process

    async def add(self, *names: str) -> None:
        for name in names:
            (self.folder / name).write_text("text")
        await self.queue.enqueue([Job(name, "default", name, str(self.folder / name)) for name in names])

    def log(self) -> list[tuple[str, str, int]]:
        path = self.folder / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(word, name, int(pid)) for word, name, pid in map(str.split, lines)]

    def count(self, word: str) -> Counter[str]:
        return Counter(name for said, name, _ in self.log() if said == word)

    def errors(self) -> str:
        return (self.folder / "errors").read_text()


def new_database(server: str) -> str:
    name = f"jobs_{uuid.uuid4().hex}"
    engine = create_engine(f"{server.replace('://', '+psycopg://')}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


async def until(holds: Callable[[], bool], timeout_s: float = 40) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():
            await asyncio.sleep(0.05)


async def ended(queue: DbosJobQueue, *names: str) -> list[JobState]:
    async with asyncio.timeout(60):
        while True:
            jobs = [await queue.get(name) for name in names]
            if all(job.finished for job in jobs):
                return [job.state for job in jobs]
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed")
    folder = Path(tempfile.mkdtemp(prefix="footnote-pg-"))  # its user may not enter pytest's folders
    with postgres(programs, folder) as url:
        yield url
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
async def workers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Workers]:
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    if request.param == "postgres":
        url = new_database(request.getfixturevalue("server"))
    made = Workers(tmp_path, url)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()
    await made.queue.close()


async def test_a_job_whose_worker_is_killed_is_done_by_the_next_one(workers: Workers) -> None:
    await workers.add("j1", "j2", "j3")
    first = workers.start(30)
    await until(lambda: len(workers.count("start")) == 2)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    workers.start(0.1)
    assert await ended(workers.queue, "j1", "j2", "j3") == [JobState.DONE] * 3
    assert workers.count("end") == {"j1": 1, "j2": 1, "j3": 1}
    assert not any((workers.folder / name).exists() for name in ("j1", "j2", "j3"))


async def test_a_living_worker_takes_over_from_a_dead_one(workers: Workers) -> None:
    await workers.add("j1")
    first = workers.start(30)
    await until(lambda: workers.count("start")["j1"] == 1)
    workers.start(0.1)
    await asyncio.sleep(3)
    assert workers.count("start")["j1"] == 1  # the first one lives: nobody takes its job
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert await ended(workers.queue, "j1") == [JobState.DONE]
    assert workers.count("end") == {"j1": 1}


async def test_workers_side_by_side_do_each_job_once(workers: Workers) -> None:
    names = [f"j{n}" for n in range(40)]
    await workers.add(*names)
    for _ in range(3):
        workers.start(0.05)
    assert set(await ended(workers.queue, *names)) == {JobState.DONE}
    assert workers.count("start") == workers.count("end") == dict.fromkeys(names, 1)
    assert len({pid for _, _, pid in workers.log()}) > 1
    assert workers.errors() == ""


async def test_a_job_that_kills_its_workers_fails_and_the_others_go_on(workers: Workers) -> None:
    names = [f"j{n}" for n in range(6)]
    await workers.add("poison", *names)
    for attempt in (1, 2, 3):
        process = workers.start(0.5)
        await until(lambda: workers.count("start")["poison"] == attempt)  # noqa: B023
        process.wait()
    workers.start(0.1)
    assert await ended(workers.queue, "poison", *names) == [JobState.FAILED] + [JobState.DONE] * 6
    job = await workers.queue.get("poison")
    assert (job.reason, workers.count("start")["poison"]) == ("worker_died", 3)
    assert not (workers.folder / "j0").exists()


async def test_a_stopped_worker_gives_its_jobs_back_in_time(workers: Workers) -> None:
    await workers.add("j1", "j2")
    first = workers.start(60)
    await until(lambda: len(workers.count("start")) == 2)
    began = time.monotonic()
    first.terminate()
    assert await asyncio.to_thread(first.wait, 15) == 0
    assert time.monotonic() - began < 10
    assert [job.state for job in await workers.queue.list()] == [JobState.QUEUED] * 2
    workers.start(0.1)
    assert await ended(workers.queue, "j1", "j2") == [JobState.DONE] * 2
    assert workers.count("end") == {"j1": 1, "j2": 1}


async def test_a_stopped_worker_finishes_what_is_nearly_done(workers: Workers) -> None:
    await workers.add("j1")
    first = workers.start(0.7)
    await until(lambda: workers.count("start")["j1"] == 1)
    first.terminate()
    assert await asyncio.to_thread(first.wait, 15) == 0
    assert (await workers.queue.get("j1")).state is JobState.DONE
    assert workers.count("cancel") == {}


async def test_a_job_is_cancelled_in_another_process(workers: Workers) -> None:
    await workers.add("j1", "j2", "j3")
    workers.start(30)
    await until(lambda: len(workers.count("start")) == 2)
    waiting = next(name for name in ("j1", "j2", "j3") if not workers.count("start")[name])
    running = next(iter(workers.count("start")))
    await workers.queue.cancel(waiting)
    await workers.queue.cancel(running)
    await until(lambda: workers.count("cancel")[running] == 1, 5)
    await asyncio.sleep(1)
    assert workers.count("start")[waiting] == 0
    assert {(await workers.queue.get(name)).state for name in (waiting, running)} == {JobState.CANCELLED}


async def test_a_job_starts_within_a_second(workers: Workers) -> None:
    workers.start(0.0)
    await workers.add("first")
    await ended(workers.queue, "first")
    waits = []
    for n in range(5):
        began = time.monotonic()
        await workers.add(f"j{n}")
        await until(lambda: workers.count("start")[f"j{n}"] == 1)  # noqa: B023
        waits.append(time.monotonic() - began)
    assert max(waits) < 1.0, waits


async def test_a_worker_that_lost_its_connection_is_known_again(server: str) -> None:
    url = new_database(server)
    mine, others = PostgresPresence(url), PostgresPresence(url)
    mine.enter("w1")
    engine = create_engine(f"{server.replace('://', '+psycopg://')}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
    engine.dispose()
    for _ in range(100):  # the server ends a connection when it comes to it
        with others.inherit("w1") as gone:
            if gone:
                break
        await asyncio.sleep(0.05)
    assert gone
    mine.enter("w1")
    with others.inherit("w1") as gone:
        assert not gone
    mine.leave("w1")
    with others.inherit("w1") as gone:
        assert gone
