"""The ingestion worker: takes jobs from the queue, one after the other, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from dataclasses import replace
from pathlib import Path

from apps.indexing import Indexed, Indexing, Outcome, Source
from contracts import ConfigurationError, FootnoteError, Job, JobQueue, JobState, ParseFailure

_IDLE_S = 0.3
_log = logging.getLogger(__name__)


class Worker:
    """Runs jobs. Several may run side by side: a job belongs to the one that claimed it."""

    def __init__(self, jobs: JobQueue, indexing: Indexing) -> None:
        self._jobs = jobs
        self._indexing = indexing
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

        async def report(stage: JobState) -> None:
            await self._jobs.report(replace(job, state=stage))

        source = Source(Path(job.path), job.source, job.collection)
        try:
            done = await self._indexing.index(source, report)
        except ConfigurationError as exc:  # trying again would not help; the uploader must hear of it
            done = Indexed(job.source, Outcome.FAILED, reason=ParseFailure.INTERNAL, message=str(exc))
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
        await asyncio.to_thread(source.path.unlink, missing_ok=True)
        await self._indexing.record(job.collection, [done], done.seconds)
        return done
