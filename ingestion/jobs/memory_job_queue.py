"""Ingestion jobs in the memory of one process, for tests: they end with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from contracts import (
    ConflictError,
    Job,
    JobHandler,
    JobState,
    NotFoundError,
    ParseFailure,
    QueueFullError,
    StoreUnavailableError,
)
from ingestion.jobs.succession import supersedes

_POLL_S = 0.01


class MemoryJobQueue:
    """Port `JobQueue`."""

    def __init__(self, *, max_queued: int = 1000, at_once: int = 2) -> None:
        self._max_queued = max_queued
        self._at_once = at_once
        self._jobs: dict[str, Job] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def enqueue(self, jobs: Sequence[Job]) -> None:
        """Add jobs. Raises QueueFullError, and adds none, when too many would wait."""
        if len(self._waiting()) + len(jobs) > self._max_queued:
            raise QueueFullError(f"{self._max_queued} jobs wait already: send the files again when some are done.")
        for job in jobs:
            self._jobs[job.id] = replace(job, created_at=time.time(), updated_at=time.time())

    async def get(self, job_id: str) -> Job:
        """Return the job. Raises NotFoundError."""
        if job_id not in self._jobs:
            raise NotFoundError(f"No job {job_id!r}.")
        return self._jobs[job_id]

    async def list(self, collection: str | None = None, *, limit: int = 100) -> tuple[Job, ...]:
        """Return the jobs of a collection, or of all, newest first."""
        found = [job for job in reversed(self._jobs.values()) if collection in (None, job.collection)]
        return tuple(found[:limit])

    async def superseded(self, job: Job) -> bool:
        """Return whether a later job brings the same source, and was not cancelled."""
        return any(supersedes(later, job) for later in self._jobs.values())

    async def cancel(self, job_id: str) -> None:
        """Cancel a job that waits or runs. Raises NotFoundError, and ConflictError when it is finished."""
        job = await self.get(job_id)
        if job.finished:
            raise ConflictError(f"The job {job_id!r} is {job.state.value} already.")
        await self._report(replace(job, state=JobState.CANCELLED))
        if job_id in self._running:
            self._running[job_id].cancel()

    async def run(self, handler: JobHandler, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set; those under way then start anew in the next run."""
        while not stop.is_set():
            for job in self._waiting()[: self._at_once - len(self._running)]:
                await self._report(replace(job, state=JobState.PARSING))
                self._running[job.id] = asyncio.create_task(self._work(job, handler))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _POLL_S)
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _waiting(self) -> Sequence[Job]:
        return [job for job in self._jobs.values() if job.state is JobState.QUEUED]

    async def _report(self, job: Job) -> None:
        if not self._jobs[job.id].finished:
            self._jobs[job.id] = replace(job, updated_at=time.time())

    async def _work(self, job: Job, handler: JobHandler) -> None:
        try:
            ended = await handler(job, self._report)
        except asyncio.CancelledError:
            await self._report(job)
            raise
        except StoreUnavailableError:
            ended = job
        except Exception as exc:
            ended = replace(job, state=JobState.FAILED, reason=ParseFailure.INTERNAL.value, message=str(exc))
        finally:
            del self._running[job.id]
        await self._report(ended)
        if ended.finished:
            Path(job.path).unlink(missing_ok=True)
