"""Every job queue: jobs wait, run, tell how far they are, end once, and can be cancelled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from contracts import (
    ConflictError,
    Job,
    JobHandler,
    JobQueue,
    JobState,
    NotFoundError,
    QueueFullError,
    Report,
    StoreUnavailableError,
)
from ingestion.jobs.dbos_job_queue import DbosJobQueue, JobLimits
from ingestion.jobs.filelock_presence import FilelockPresence
from ingestion.jobs.memory_job_queue import MemoryJobQueue


@pytest.fixture(params=["memory", "dbos"])
async def queue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[JobQueue]:
    if request.param == "memory":
        yield MemoryJobQueue(max_queued=3)
        return
    limits = JobLimits(queued=3, grace_s=1)
    made = DbosJobQueue(f"sqlite:///{tmp_path / 'jobs.sqlite'}", FilelockPresence(tmp_path / "workers"), limits)
    yield made
    await made.close()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Job]:
    def job(name: str, collection: str = "default") -> Job:
        path = tmp_path / name
        path.write_text("text")
        readers = None if name == "j3" else ("alice", "staff")
        return Job(name, collection, f"upload/{name}.txt", str(path), {"year": "1911"}, readers)

    return job


@contextlib.asynccontextmanager
async def worker(queue: JobQueue, handler: JobHandler) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(queue.run(handler, stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def until(queue: JobQueue, job_id: str, *states: JobState) -> Job:
    async with asyncio.timeout(20):
        while (job := await queue.get(job_id)).state not in states:
            await asyncio.sleep(0.02)
    return job


async def test_a_later_job_for_the_same_source_takes_the_place_of_an_earlier(
    queue: JobQueue, make: Callable[..., Job]
) -> None:
    await queue.enqueue([make("a")])
    await queue.enqueue([replace(make("b"), source="upload/a.txt"), make("c")])
    assert [await queue.superseded(await queue.get(name)) for name in "abc"] == [True, False, False]
    await queue.cancel("b")
    assert not await queue.superseded(await queue.get("a"))


async def succeed(job: Job, report: Report) -> Job:
    return replace(job, state=JobState.DONE, chunks=3, document_id="d", files={"added": 2, "failed": 1})


async def test_a_job_waits_as_it_was_given(queue: JobQueue, make: Callable[..., Job]) -> None:
    for given in (make("j1"), make("j3")):
        await queue.enqueue([given])
        waits = await queue.get(given.id)
        assert waits.created_at > 0
        assert replace(waits, created_at=0.0, updated_at=0.0) == given
    with pytest.raises(NotFoundError, match="'nothing'"):
        await queue.get("nothing")


async def test_a_job_runs_once_and_its_file_goes(queue: JobQueue, make: Callable[..., Job]) -> None:
    seen: list[Job] = []

    async def handler(job: Job, report: Report) -> Job:
        seen.append(job)
        return await succeed(job, report)

    await queue.enqueue([make("j1"), make("j2")])
    async with worker(queue, handler):
        for name in ("j1", "j2"):
            job = await until(queue, name, JobState.DONE)
            assert (job.chunks, job.document_id, job.files) == (3, "d", {"added": 2, "failed": 1})
            assert (job.percent, job.metadata, job.readers) == (100, {"year": "1911"}, ("alice", "staff"))
    assert sorted(job.id for job in seen) == ["j1", "j2"]
    assert not Path(job.path).exists()


async def test_a_job_tells_how_far_it_is(queue: JobQueue, make: Callable[..., Job]) -> None:
    go = asyncio.Event()

    async def handler(job: Job, report: Report) -> Job:
        await report(replace(job, state=JobState.EMBEDDING, done=1, total=4))
        await go.wait()
        return await succeed(job, report)

    await queue.enqueue([make("j1")])
    async with worker(queue, handler):
        job = await until(queue, "j1", JobState.EMBEDDING)
        assert (job.done, job.total, job.percent, job.finished) == (1, 4, 25, False)
        go.set()
        await until(queue, "j1", JobState.DONE)


async def test_an_error_fails_its_job_alone(queue: JobQueue, make: Callable[..., Job]) -> None:
    async def handler(job: Job, report: Report) -> Job:
        if job.id == "bad":
            raise ValueError("page 3 is upside down")
        return await succeed(job, report)

    await queue.enqueue([make("bad"), make("good")])
    async with worker(queue, handler):
        bad = await until(queue, "bad", JobState.FAILED)
        await until(queue, "good", JobState.DONE)
    assert bad.reason == "internal"
    assert bad.message is not None and "page 3 is upside down" in bad.message


async def test_a_waiting_job_is_cancelled_and_never_runs(queue: JobQueue, make: Callable[..., Job]) -> None:
    seen: list[str] = []

    async def handler(job: Job, report: Report) -> Job:
        seen.append(job.id)
        return await succeed(job, report)

    await queue.enqueue([make("j1"), make("j2")])
    await queue.cancel("j1")
    assert (await queue.get("j1")).state is JobState.CANCELLED
    async with worker(queue, handler):
        await until(queue, "j2", JobState.DONE)
    assert seen == ["j2"]
    for finished in ("j1", "j2"):
        with pytest.raises(ConflictError, match=finished):
            await queue.cancel(finished)
    with pytest.raises(NotFoundError):
        await queue.cancel("nothing")


async def test_a_running_job_is_cancelled_with_its_handler(queue: JobQueue, make: Callable[..., Job]) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def handler(job: Job, report: Report) -> Job:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return job

    await queue.enqueue([make("j1")])
    async with worker(queue, handler):
        await asyncio.wait_for(started.wait(), 10)
        await queue.cancel("j1")
        await asyncio.wait_for(cancelled.wait(), 10)
        assert (await queue.get("j1")).state is JobState.CANCELLED


async def test_a_stopped_worker_gives_its_job_back(queue: JobQueue, make: Callable[..., Job]) -> None:
    started = asyncio.Event()

    async def hang(job: Job, report: Report) -> Job:
        started.set()
        await asyncio.sleep(60)
        return job

    await queue.enqueue([make("j1")])
    async with worker(queue, hang):
        await asyncio.wait_for(started.wait(), 10)
    assert (await queue.get("j1")).state is JobState.QUEUED
    assert Path((await queue.get("j1")).path).exists()
    async with worker(queue, succeed):
        await until(queue, "j1", JobState.DONE)


async def test_a_store_that_is_away_fails_no_job(queue: JobQueue, make: Callable[..., Job]) -> None:
    tried = asyncio.Event()

    async def handler(job: Job, report: Report) -> Job:
        tried.set()
        raise StoreUnavailableError("the catalog is away")

    await queue.enqueue([make("j1")])
    async with worker(queue, handler):
        await asyncio.wait_for(tried.wait(), 10)
        await asyncio.sleep(0.2)
        assert not (await queue.get("j1")).finished


async def test_too_many_waiting_jobs_are_refused_together(queue: JobQueue, make: Callable[..., Job]) -> None:
    await queue.enqueue([make("j1"), make("j2")])
    with pytest.raises(QueueFullError, match="3 jobs"):
        await queue.enqueue([make("j3"), make("j4")])
    await queue.enqueue([make("j3")])
    with pytest.raises(QueueFullError):
        await queue.enqueue([make("j4")])
    assert {job.id for job in await queue.list()} == {"j1", "j2", "j3"}


async def test_lists_are_of_one_collection_and_newest_first(queue: JobQueue, make: Callable[..., Job]) -> None:
    for name, collection in (("a", "default"), ("b", "other"), ("c", "default")):
        await queue.enqueue([make(name, collection)])
    assert [job.id for job in await queue.list()] == ["c", "b", "a"]
    assert [job.id for job in await queue.list("default")] == ["c", "a"]
    assert [job.id for job in await queue.list("default", limit=1)] == ["c"]
    assert await queue.list("nothing") == ()


async def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").mkdir()
    queue = DbosJobQueue(f"sqlite:///{tmp_path / 'jobs.sqlite'}", FilelockPresence(tmp_path / "workers"))
    with pytest.raises(StoreUnavailableError, match="FOOTNOTE_CATALOG__URL"):
        await queue.get("j1")


async def test_finished_jobs_are_forgotten_after_a_while(tmp_path: Path, make: Callable[..., Job]) -> None:
    presence = FilelockPresence(tmp_path / "workers")
    limits = JobLimits(grace_s=1, keep_days=0.5 / 86_400)
    queue = DbosJobQueue(f"sqlite:///{tmp_path / 'jobs.sqlite'}", presence, limits)
    await queue.enqueue([make("old")])
    async with worker(queue, succeed):
        await until(queue, "old", JobState.DONE)
    await asyncio.sleep(0.6)
    await queue.enqueue([make("new")])
    async with worker(queue, succeed):
        await until(queue, "new", JobState.DONE)
        async with asyncio.timeout(10):
            while [job.id for job in await queue.list()] != ["new"]:
                await asyncio.sleep(0.1)
    await queue.close()


async def test_a_job_whose_end_could_not_be_written_down_is_not_lost(
    tmp_path: Path, make: Callable[..., Job], caplog: pytest.LogCaptureFixture
) -> None:
    presence, url = FilelockPresence(tmp_path / "workers"), f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    queue = DbosJobQueue(url, presence, JobLimits(grace_s=1))
    await queue.enqueue([make("j1")])
    ends = 0

    async def handler(job: Job, report: Report) -> Job:
        nonlocal ends
        ends += 1
        return await succeed(job, report)

    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE OF status ON workflow_status WHEN NEW.status IN ('SUCCESS', 'ERROR') "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
    async with worker(queue, handler):
        async with asyncio.timeout(10):
            while not ends:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        assert not (await queue.get("j1")).finished
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER full")
        await until(queue, "j1", JobState.DONE)
    assert ends == 1  # its step had been written down
    engine.dispose()
    await queue.close()
