"""Ingestion jobs in the catalog's database: claimed by one worker, taken over when that worker stops reporting."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, insert, or_, select, update

from contracts import Job, JobState, NotFoundError, ParseFailure
from ingestion.sql_rows import in_thread
from ingestion.sql_schema import jobs

_FINISHED = (JobState.DONE.value, JobState.FAILED.value)
_ATTEMPTS = 2  # a file that ends its worker would else do so for ever


class SqlJobQueue:
    """Port `JobQueue`. A claimed job whose worker was silent for `silence_s` seconds is free again."""

    def __init__(self, engine: Engine, *, silence_s: float = 120.0) -> None:
        self._engine = engine
        self._silence_s = silence_s

    async def enqueue(self, job: Job) -> None:
        """Add a job."""

        def work() -> None:
            now = time.time()
            with self._engine.begin() as connection:
                connection.execute(insert(jobs).values(**_row(job), attempts=0, created_at=now, updated_at=now))

        await in_thread(work)

    async def claim(self, worker: str) -> Job | None:
        """Take the oldest queued job, or one whose worker stopped reporting; None when there is nothing to do."""

        def work() -> Job | None:
            silent = jobs.c.state.not_in(_FINISHED) & (jobs.c.updated_at < time.time() - self._silence_s)
            free = or_(jobs.c.state == JobState.QUEUED.value, silent)
            with self._engine.connect() as connection:
                if connection.execute(select(jobs.c.id).where(free).limit(1)).first() is None:
                    return None
            with self._engine.begin() as connection:
                _give_up(connection, silent)
                return _take(connection, free, worker)

        return await in_thread(work)

    async def report(self, job: Job) -> None:
        """Store the job's state; it also counts as the worker's sign of life. Nothing is stored when the job is
        finished, or another worker's by now."""

        def work() -> None:
            with self._engine.begin() as connection:
                mine = (jobs.c.id == job.id) & (jobs.c.worker == job.worker) & jobs.c.state.not_in(_FINISHED)
                connection.execute(update(jobs).where(mine).values(**_row(job), updated_at=time.time()))

        await in_thread(work)

    async def get(self, job_id: str) -> Job:
        """Return the job. Raises NotFoundError."""

        def work() -> Job | None:
            with self._engine.connect() as connection:
                row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one_or_none()
                return _job(row) if row else None

        job = await in_thread(work)
        if job is None:
            raise NotFoundError(f"No job {job_id!r}.")
        return job


def _give_up(connection: Connection, silent: ColumnElement[bool]) -> None:
    connection.execute(
        update(jobs)
        .where(silent, jobs.c.attempts >= _ATTEMPTS)
        .values(
            state=JobState.FAILED.value,
            reason=ParseFailure.INTERNAL.value,
            message="The worker died twice while reading this file.",
            updated_at=time.time(),
        )
    )


def _take(connection: Connection, free: ColumnElement[bool], worker: str) -> Job | None:
    oldest = select(jobs.c.id).where(free).order_by(jobs.c.created_at).limit(1).with_for_update(skip_locked=True)
    claim = update(jobs).where(jobs.c.id.in_(oldest.scalar_subquery()), free)
    claim = claim.values(
        state=JobState.PARSING.value, worker=worker, attempts=jobs.c.attempts + 1, updated_at=time.time()
    )
    row = connection.execute(claim.returning(jobs)).mappings().one_or_none()
    return _job(row) if row else None


def _row(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "collection": job.collection,
        "source": job.source,
        "path": job.path,
        "state": job.state.value,
        "document_id": job.document_id,
        "chunks": job.chunks,
        "reason": job.reason,
        "message": job.message,
        "worker": job.worker,
    }


def _job(row: RowMapping) -> Job:
    return Job(
        id=row["id"],
        collection=row["collection"],
        source=row["source"],
        path=row["path"],
        state=JobState(row["state"]),
        document_id=row["document_id"],
        chunks=row["chunks"],
        reason=row["reason"],
        message=row["message"],
        worker=row["worker"],
    )
