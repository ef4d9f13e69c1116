"""Runs the jobs of a queue in this process, takes over those of dead workers, and gives its own back when stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSClient, WorkflowStatus

from contracts import Job, JobHandler, Report, StoreUnavailableError
from ingestion.jobs.dbos_job_queue import APPLICATION, CAREFUL, QUEUE, SCHEMA, VERSION, WORKFLOW, JobLimits, Presence
from ingestion.jobs.dbos_job_rows import deaths, died, given_up, progress, read

_POLL_S = 0.25
_SWEEP_S = 5.0
_REPORT_S = 0.5
_WAIT_S = 5.0  # between two tries while a store is away
_TRIES = 720
_log = logging.getLogger(__name__)

Call = Callable[[Callable[[DBOSClient], Any]], Coroutine[Any, Any, Any]]


class DbosWorker:
    """One worker. DBOS is one to a process, so there is one of these at a time."""

    def __init__(self, url: str, call: Call, presence: Presence, limits: JobLimits) -> None:
        self._url = url
        self._call = call
        self._presence = presence
        self._limits = limits
        self._name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._idle: set[str] = set()

    async def run(self, handler: JobHandler, stop: asyncio.Event) -> None:
        """Work until `stop` is set."""
        await self._call(lambda client: None)  # makes the tables
        self._presence.enter(self._name)
        sweeping = asyncio.create_task(self._sweep())
        try:
            self._launch(handler)
            for queue, at_once in ((QUEUE, self._limits.at_once), (CAREFUL, 1)):
                await DBOS.register_queue_async(
                    queue, worker_concurrency=at_once, polling_interval_sec=_POLL_S, on_conflict="always_update"
                )
            await stop.wait()
        finally:
            sweeping.cancel()
            await self._end()
            self._presence.leave(self._name)

    def _launch(self, handler: JobHandler) -> None:
        """Start DBOS with the loop of the caller, where the jobs will run."""
        _quieten()
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._url,
                "dbos_system_schema": SCHEMA,
                "executor_id": self._name,
                "application_version": VERSION,
                "log_level": "WARNING",
                "use_listen_notify": True,
                "run_migrations": False,
            }
        )
        _quieten()
        self._define(handler)
        DBOS.launch()

    def _define(self, handler: JobHandler) -> None:
        @DBOS.step(
            name="index",
            preemptible=True,
            retries_allowed=True,
            max_attempts=_TRIES,
            interval_seconds=_WAIT_S,
            backoff_rate=1.0,
            should_retry=lambda error: isinstance(error, StoreUnavailableError),
        )
        async def index(text: str) -> None:
            report = self._reporter()
            await report(await handler(read(text), report))

        @DBOS.workflow(name=WORKFLOW)
        async def ingest(text: str) -> None:
            task = asyncio.current_task()
            assert task is not None
            job = read(text)
            self._tasks[job.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(job.id, None))
            await index(text)
            await asyncio.to_thread(Path(job.path).unlink, missing_ok=True)

    def _reporter(self) -> Report:
        """Return what stores a job's progress: each stage, but its counts only so often."""
        last: tuple[object, float] = (None, 0.0)

        async def report(job: Job) -> None:
            nonlocal last
            now = time.monotonic()
            if job.state == last[0] and now - last[1] < _REPORT_S:
                return
            last = job.state, now
            await self._call(lambda client: client.update_workflow_attributes(job.id, progress(job), merge=True))

        return report

    async def _sweep(self) -> None:
        while True:
            try:
                await self._call(lambda client: self._presence.enter(self._name))
                await self._call(self._take_over)
                await self._call(self._take_up)
                await self._call(self._forget)
            except Exception:
                _log.exception("the jobs of dead workers could not be looked for; it is tried again")
            await asyncio.sleep(_SWEEP_S)

    def _take_over(self, client: DBOSClient) -> None:
        """Let the jobs of dead workers start anew."""
        for name in {status.executor_id or "" for status in _running(client)} - {self._name}:
            with self._presence.inherit(name) as gone:
                for status in _running(client, name) if gone else ():
                    _log.warning("the worker %s died while it ran the job %s", name, status.workflow_id)
                    self._start_anew(client, status.workflow_id, deaths(status) + 1)

    def _take_up(self, client: DBOSClient) -> None:
        """Let own jobs start anew whose end could not be written down, as when the disk was full."""
        idle = {status.workflow_id for status in _running(client, self._name)} - self._tasks.keys()
        if lost := idle & self._idle:  # at two sweeps, as a job that was just taken has no task yet
            client.resume_workflows(sorted(lost), queue_name=QUEUE)
        self._idle = idle - lost

    def _start_anew(self, client: DBOSClient, job_id: str, count: int) -> None:
        if count < self._limits.attempts:
            client.resume_workflow(job_id, queue_name=CAREFUL)
            client.update_workflow_attributes(job_id, died(count), merge=True)
        else:
            client.update_workflow_attributes(job_id, given_up(count), merge=True)
            client.cancel_workflow(job_id)

    def _forget(self, client: DBOSClient) -> None:
        before = (datetime.now(UTC) - timedelta(days=self._limits.keep_days)).isoformat()
        old = client.list_workflows(
            name=WORKFLOW, completed_before=before, limit=500, load_input=False, load_output=False
        )
        if old:
            client.delete_workflows([status.workflow_id for status in old])

    async def _end(self) -> None:
        """Take no more jobs, wait a little for those under way, and give back the rest."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:
            await loop.run_in_executor(thread, self._destroy)
        loop.set_default_executor(ThreadPoolExecutor())  # DBOS had put its own in place
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._call(self._give_back)

    def _destroy(self) -> None:
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=self._limits.grace_s)

    def _give_back(self, client: DBOSClient) -> None:
        if mine := _running(client, self._name):
            client.resume_workflows([status.workflow_id for status in mine], queue_name=QUEUE)


def _running(client: DBOSClient, worker: str | None = None) -> list[WorkflowStatus]:
    return client.list_workflows(
        name=WORKFLOW, status="PENDING", executor_id=worker, load_input=False, load_output=False
    )


def _quieten() -> None:
    """Let DBOS's records go where those of the program go, from warnings on."""
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.WARNING)
