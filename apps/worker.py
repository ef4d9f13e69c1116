"""The ingestion worker: takes jobs from the queue, one after the other, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from apps.indexing import Indexed, Indexing, OnStage, Outcome, Source
from contracts import ConfigurationError, FootnoteError, Job, JobQueue, JobState, NotFoundError, ParseFailure

_IDLE_S = 0.3
_UPLOAD_S = 3600.0  # a younger file may still be on its way in: its job is made after it
_log = logging.getLogger(__name__)


class Worker:
    """Runs jobs. Several may run side by side: a job belongs to the one that claimed it, and that reports every
    `heartbeat_s` seconds."""

    def __init__(self, jobs: JobQueue, indexing: Indexing, *, heartbeat_s: float = 30.0) -> None:
        self._jobs = jobs
        self._indexing = indexing
        self._heartbeat_s = heartbeat_s
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a job under way is finished first. A store that is away is waited for."""
        while not stop.is_set():
            try:
                job = await self._jobs.claim(self._name)
                if job is not None:
                    await self.work(job)
                    continue
            except FootnoteError:
                _log.exception("the worker could not go on and tries again")
            try:
                await asyncio.wait_for(stop.wait(), _IDLE_S)
            except TimeoutError:
                continue

    async def work(self, job: Job) -> Indexed:
        """Run one job to its end and return what became of it."""
        current = job

        async def report(stage: JobState) -> None:
            nonlocal current
            current = replace(job, state=stage)
            await self._jobs.report(current)

        heart = asyncio.create_task(self._beat(lambda: current))
        try:
            done = await self._index(job, report)
        finally:
            heart.cancel()
        await self._finish(job, done)
        return done

    async def _beat(self, current: Callable[[], Job]) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            try:
                await self._jobs.report(current())
            except FootnoteError:
                _log.exception("a sign of life could not be given")

    async def _index(self, job: Job, report: OnStage) -> Indexed:
        try:
            return await self._indexing.index(Source(Path(job.path), job.source, job.collection), report)
        except ConfigurationError as exc:  # trying again would not help; the uploader must hear of it
            return Indexed(job.source, Outcome.FAILED, reason=ParseFailure.INTERNAL, message=str(exc))

    async def _finish(self, job: Job, done: Indexed) -> None:
        state = JobState.FAILED if done.outcome is Outcome.FAILED else JobState.DONE
        await self._jobs.report(
            replace(
                job,
                state=state,
                document_id=done.document_id,
                chunks=done.chunks,
                reason=done.reason,
                message=done.message,
            )
        )
        _log.info("%s: %s, %d chunks in %.1f s", job.source, done.outcome, done.chunks, done.seconds)
        await asyncio.to_thread(Path(job.path).unlink, missing_ok=True)
        await self._indexing.record(job.collection, [done], done.seconds)


async def remove_leftovers(uploads: Path, jobs: JobQueue) -> None:
    """Remove the files that no unfinished job will read: a worker or an API that died left them."""
    for path in sorted(uploads.iterdir()) if uploads.is_dir() else ():
        try:
            left = (await jobs.get(path.name)).state in (JobState.DONE, JobState.FAILED)
        except NotFoundError:
            left = path.stat().st_mtime < time.time() - _UPLOAD_S
        if left:
            path.unlink(missing_ok=True)
