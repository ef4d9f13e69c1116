"""The worker: what a job tells the indexing, what it tells of it, and what dead processes left behind."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apps.embedding_batches import OnProgress
from apps.sources import Indexed, Outcome, Source
from apps.worker import Worker, remove_leftovers
from contracts import ConfigurationError, Job, JobState, StoreUnavailableError
from ingestion.jobs.memory_job_queue import MemoryJobQueue


class ScriptedIndexing:
    """Tells two stages, then ends as it was told."""

    def __init__(self, end: Indexed | Exception) -> None:
        self.end = end
        self.sources: list[Source] = []
        self.recorded: list[Indexed] = []

    async def index(self, source: Source, on_progress: OnProgress) -> Indexed:
        self.sources.append(source)
        await on_progress(JobState.PARSING)
        await on_progress(JobState.EMBEDDING, 2, 5)
        if isinstance(self.end, Exception):
            raise self.end
        return self.end

    async def record(self, collection: str, done: Sequence[Indexed], seconds: float) -> None:
        self.recorded += done


JOB = Job("j1", "papers", "upload/a.zip", "/uploads/j1", metadata={"year": "1911"}, readers=("alice",))


async def work(indexing: ScriptedIndexing) -> tuple[Job, list[Job]]:
    told: list[Job] = []

    async def report(job: Job) -> None:
        told.append(job)

    ended = await Worker(MemoryJobQueue(), indexing, Path("/uploads")).work(JOB, report)
    await asyncio.sleep(0)
    return ended, told


async def test_a_job_is_indexed_as_it_was_given_and_tells_how_far_it_is() -> None:
    indexing = ScriptedIndexing(Indexed("upload/a.zip", Outcome.ADDED, "d1", chunks=5))
    ended, told = await work(indexing)
    (source,) = indexing.sources
    assert (source.name, source.collection, source.readers) == ("upload/a.zip", "papers", ("alice",))
    assert source.metadata == {"year": "1911"}
    assert await source.fetch(Path("/scratch")) == Path("/uploads/j1")
    assert [(job.state, job.done, job.total) for job in told] == [(JobState.PARSING, 0, 0), (JobState.EMBEDDING, 2, 5)]
    assert (ended.state, ended.document_id, ended.chunks, ended.percent) == (JobState.DONE, "d1", 5, 100)
    assert indexing.recorded == [indexing.end]


async def test_the_files_of_an_archive_are_counted() -> None:
    inner = Indexed(
        "b.zip", Outcome.ADDED, members=(Indexed("c", Outcome.ADDED, chunks=2), Indexed("d", Outcome.FAILED))
    )
    ended, _ = await work(
        ScriptedIndexing(Indexed("a.zip", Outcome.ADDED, members=(Indexed("a", Outcome.ADDED, chunks=3), inner)))
    )
    assert (ended.state, ended.chunks, ended.files) == (JobState.DONE, 5, {"added": 3, "failed": 1})


async def test_a_file_that_cannot_be_read_fails_its_job_with_the_reason() -> None:
    ended, _ = await work(
        ScriptedIndexing(Indexed("a", Outcome.FAILED, reason="encrypted", message="needs a password"))
    )
    assert (ended.state, ended.reason, ended.message) == (JobState.FAILED, "encrypted", "needs a password")


async def test_a_wrong_setting_fails_the_job_and_a_store_that_is_away_does_not() -> None:
    ended, _ = await work(ScriptedIndexing(ConfigurationError("another embedder")))
    assert (ended.state, ended.message) == (JobState.FAILED, "another embedder")
    with pytest.raises(StoreUnavailableError):
        await work(ScriptedIndexing(StoreUnavailableError("the catalog is away")))


async def test_a_worker_runs_jobs_until_it_is_stopped(tmp_path: Path) -> None:
    queue, stop = MemoryJobQueue(), asyncio.Event()
    (tmp_path / "j1").write_text("x")
    await queue.enqueue([replace(JOB, path=str(tmp_path / "j1"))])
    indexing = ScriptedIndexing(Indexed("upload/a.zip", Outcome.ADDED, "d1", chunks=5))
    swept = asyncio.Event()

    async def sweep() -> None:
        swept.set()

    running = asyncio.create_task(Worker(queue, indexing, tmp_path, sweep).run(stop))
    async with asyncio.timeout(5):
        while not (await queue.get("j1")).finished:
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert (await queue.get("j1")).document_id == "d1"
    assert indexing.recorded == [indexing.end]
    assert list(tmp_path.iterdir()) == []
    assert swept.is_set()


async def test_uploads_that_no_unfinished_job_reads_are_removed(tmp_path: Path) -> None:
    queue, uploads = MemoryJobQueue(), tmp_path / "uploads"
    await remove_leftovers(uploads, queue)  # before the first upload there is no folder
    uploads.mkdir()
    for name in ("queued", "cancelled", "arriving", "abandoned"):
        (uploads / name).write_text("x")
    os.utime(uploads / "abandoned", (0, 0))
    await queue.enqueue([Job(name, "default", "a.txt", str(uploads / name)) for name in ("queued", "cancelled")])
    await queue.cancel("cancelled")
    await remove_leftovers(uploads, queue)
    assert sorted(path.name for path in uploads.iterdir()) == ["arriving", "queued"]
