"""The ingestion worker: runs the jobs that uploads make, and clears away what dead processes left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from apps.indexing import Indexing
from apps.sources import Indexed, Outcome, Source, local_file
from contracts import ConfigurationError, FootnoteError, Job, JobQueue, JobState, NotFoundError, ParseFailure, Report

_CLEAN_S = 600.0
_UPLOAD_S = 3600.0  # a younger file may still be on its way in: its job is made after it
_log = logging.getLogger(__name__)


class Worker:
    """Runs jobs. Several may run side by side; the queue gives each job to one. `sweep` removes what is left over
    elsewhere, from time to time."""

    def __init__(
        self, jobs: JobQueue, indexing: Indexing, uploads: Path, sweep: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._jobs = jobs
        self._indexing = indexing
        self._sweep = sweep
        self._uploads = uploads
        self._records: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a job that does not end soon after goes back to the queue."""
        cleaning = asyncio.create_task(self._clean())
        try:
            await self._jobs.run(self.work, stop)
        finally:
            cleaning.cancel()
            await asyncio.gather(cleaning, *self._records, return_exceptions=True)

    async def work(self, job: Job, report: Report) -> Job:
        """Index the file of a job and return the job as it ended."""

        async def on_progress(stage: JobState, done: int = 0, total: int = 0) -> None:
            await report(replace(job, state=stage, done=done, total=total))

        if await self._jobs.superseded(job):  # it was cut off, or waited: what came later must not be replaced by it
            return replace(job, state=JobState.DONE, message="A later upload of the same name took its place.")
        source = Source(
            name=job.source,
            fetch=local_file(Path(job.path)),
            collection=job.collection,
            readers=job.readers,
            metadata=job.metadata,
        )
        try:
            found = await self._indexing.index(source, on_progress)
        except ConfigurationError as exc:  # trying again would not help; the uploader must hear of it
            found = Indexed(job.source, Outcome.FAILED, reason=ParseFailure.INTERNAL, message=str(exc))
        _log.info("%s: %s, %d chunks in %.1f s", job.source, found.outcome, found.chunks, found.seconds)
        self._record(job.collection, found)
        return _ended(job, found)

    def _record(self, collection: str, found: Indexed) -> None:
        """Log the run beside the next jobs: an MLflow that is slow must not hold them up."""
        task = asyncio.create_task(self._indexing.record(collection, [found], found.seconds))
        self._records.add(task)
        task.add_done_callback(self._records.discard)

    async def _clean(self) -> None:
        while True:
            try:
                await remove_leftovers(self._uploads, self._jobs)
                if self._sweep:
                    await self._sweep()
            except (FootnoteError, OSError):
                _log.exception("what nothing needs any more could not be removed; it is tried again")
            await asyncio.sleep(_CLEAN_S)


def _ended(job: Job, found: Indexed) -> Job:
    chunks = sum(each.chunks for each in found.every())
    return replace(
        job,
        state=JobState.FAILED if found.outcome is Outcome.FAILED else JobState.DONE,
        done=chunks,
        total=chunks,
        document_id=found.document_id,
        chunks=chunks,
        files=dict(Counter(str(each.outcome) for member in found.members for each in member.every())),
        reason=found.reason,
        message=found.message,
    )


async def remove_leftovers(uploads: Path, jobs: JobQueue) -> None:
    """Remove the files that no unfinished job will read: a worker or an API that died left them, or a cancellation."""
    for path in sorted(uploads.iterdir()) if uploads.is_dir() else ():
        try:
            left = (await jobs.get(path.name)).finished
        except NotFoundError:
            left = path.stat().st_mtime < time.time() - _UPLOAD_S
        if left:
            path.unlink(missing_ok=True)
