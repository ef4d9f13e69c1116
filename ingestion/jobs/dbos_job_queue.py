"""Ingestion jobs as durable workflows of DBOS Transact, in a SQLite file or in a schema of PostgreSQL.

A job is a workflow of one step, so it is written down before it starts and when it has ended, and nothing else is: a
job that is cut off starts anew, which costs time and changes nothing, as indexing the same file twice ends in
`unchanged`. How far it is stands in the workflow's attributes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from contracts import ConflictError, Job, JobHandler, NotFoundError, QueueFullError, StoreUnavailableError
from ingestion.jobs.dbos_job_rows import job_of, written
from ingestion.jobs.succession import supersedes

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

T = TypeVar("T")

APPLICATION = "footnote"
VERSION = "1"  # of the workflow: jobs of another one are not taken, so it changes only with the workflow's steps
SCHEMA = "footnote_jobs"
QUEUE = "ingestion"
CAREFUL = "ingestion-after-death"  # one at a time: a file that ends its worker must not take the same others with it
WORKFLOW = "ingest"
_PAGE = 500


class Presence(Protocol):
    """Which workers are alive."""

    def enter(self, name: str) -> None:
        """Be known as alive under `name`, until `leave` or the end of the process. No other process has this name; to
        enter again makes sure of it."""
        ...

    def leave(self, name: str) -> None:
        """Be gone."""
        ...

    def inherit(self, name: str) -> AbstractContextManager[bool]:
        """Yield whether `name` is gone; if so, nobody else inherits it meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class JobLimits:
    """At most `queued` jobs wait. A worker runs `at_once`, and one more that a worker died of; a job that ends so
    `attempts` times has failed. A worker that is stopped waits `grace_s` for its jobs, then gives them back. Finished
    jobs are forgotten after `keep_days`."""

    queued: int = 1000
    at_once: int = 2
    attempts: int = 3
    grace_s: int = 5
    keep_days: float = 7.0


class DbosJobQueue:
    """Port `JobQueue`. Nothing is opened before the first call."""

    def __init__(self, url: str, presence: Presence, limits: JobLimits = JobLimits()) -> None:
        self._url = url
        self._presence = presence
        self._limits = limits
        self._opening = threading.Lock()
        self._client: DBOSClient | None = None

    async def enqueue(self, jobs: Sequence[Job]) -> None:
        """Add jobs. Raises QueueFullError, and adds none, when too many would wait."""

        def work(client: DBOSClient) -> None:
            free = self._limits.queued - len(jobs)
            if free < 0 or client.list_workflows(
                name=WORKFLOW, status="ENQUEUED", limit=1, offset=free, load_input=False, load_output=False
            ):
                raise QueueFullError(
                    f"{self._limits.queued} jobs wait already: send the files again when some are done. "
                    "FOOTNOTE_INGESTION__MAX_QUEUED_JOBS sets this."
                )
            for job in jobs:
                client.enqueue(_options(job), written(replace(job, created_at=time.time())))

        await self._call(work)

    async def get(self, job_id: str) -> Job:
        """Return the job. Raises NotFoundError."""
        found = await self._call(lambda client: client.list_workflows(workflow_ids=[job_id], name=WORKFLOW))
        if not found:
            raise NotFoundError(f"No job {job_id!r}.")
        return job_of(found[0])

    async def list(self, collection: str | None = None, *, limit: int = 100) -> tuple[Job, ...]:
        """Return the jobs of a collection, or of all, newest first."""

        def work(client: DBOSClient) -> tuple[Job, ...]:
            kept: list[Job] = []
            for start in range(0, 1_000_000, _PAGE):
                page = client.list_workflows(name=WORKFLOW, sort_desc=True, limit=_PAGE, offset=start)
                kept += [job for status in page if collection in (None, (job := job_of(status)).collection)]
                if len(page) < _PAGE or len(kept) >= limit:
                    break
            kept.sort(key=lambda job: job.created_at, reverse=True)  # a page may be in order by the second only
            return tuple(kept[:limit])

        return await self._call(work)

    async def superseded(self, job: Job) -> bool:
        """Return whether a later job brings the same source, and was not cancelled."""
        since = datetime.fromtimestamp(job.created_at - 1, UTC).isoformat()  # rows are dated by the second

        def work(client: DBOSClient) -> bool:
            later = client.list_workflows(name=WORKFLOW, start_time=since, load_output=False)
            return any(supersedes(job_of(status), job) for status in later)

        return await self._call(work)

    async def cancel(self, job_id: str) -> None:
        """Cancel a job that waits or runs. Raises NotFoundError, and ConflictError when it is finished."""
        job = await self.get(job_id)
        if job.finished:
            raise ConflictError(f"The job {job_id!r} is {job.state.value} already.")
        await self._call(lambda client: client.cancel_workflow(job_id))

    async def run(self, handler: JobHandler, stop: asyncio.Event) -> None:
        """Run jobs until `stop` is set; those of workers that died are taken over. One process runs one at a time."""
        from ingestion.jobs.dbos_worker import DbosWorker

        await DbosWorker(self._url, self._call, self._presence, self._limits).run(handler, stop)

    async def close(self) -> None:
        """Close the connections; the next call opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.destroy)

    async def _call(self, work: Callable[[DBOSClient], T]) -> T:
        from dbos import error
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return await asyncio.to_thread(lambda: work(self._open()))
        except (SQLAlchemyError, error.DBOSException, OSError) as exc:
            raise StoreUnavailableError(
                f"The jobs' database failed: {getattr(exc, 'orig', None) or exc}. Check FOOTNOTE_CATALOG__URL, the "
                "data folder, the disk and its permissions."
            ) from exc

    def _open(self) -> DBOSClient:
        with self._opening:
            if self._client is None:
                _prepare(self._url)
                self._client = _connect(self._url)
            return self._client


def _prepare(url: str) -> None:
    """Bring the tables of the jobs up to date."""
    from dbos import DBOS
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    database = url.removeprefix("sqlite:///")
    if database != url:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
        with create_engine(url, poolclass=NullPool, connect_args={"timeout": 30}).connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # the file remembers it
    DBOS.migrate(url, schema=SCHEMA)


def _connect(url: str) -> DBOSClient:
    from dbos import DBOSClient

    return DBOSClient(
        system_database_url=url, dbos_system_schema=SCHEMA, application_name=APPLICATION, retry_connection_errors=False
    )


def _options(job: Job) -> EnqueueOptions:
    from dbos import WorkflowSerializationFormat

    return {
        "workflow_name": WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": job.id,
        "app_version": VERSION,
        "serialization_type": WorkflowSerializationFormat.PORTABLE,
    }
