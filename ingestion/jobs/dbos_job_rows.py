"""How jobs are written to and read from workflows of DBOS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contracts import Job, JobState, ParseFailure

if TYPE_CHECKING:
    from dbos import WorkflowStatus

WORKER_DIED = "worker_died"  # the reason of a job that ended every worker that took it
_GIVEN = ("id", "collection", "source", "path", "metadata", "readers", "created_at")
_FOUND = ("state", "done", "total", "document_id", "chunks", "files", "reason", "message")
_DEATHS = "deaths"


def written(job: Job) -> str:
    """Return what a job was given, as the argument of its workflow."""
    return json.dumps({name: _plain(getattr(job, name)) for name in _GIVEN})


def read(text: str) -> Job:
    """Return the job of `written`."""
    given = json.loads(text)
    readers = given["readers"]
    return Job(**{**given, "readers": readers if readers is None else tuple(readers)})


def progress(job: Job) -> dict[str, Any]:
    """Return how far a job is, as the attributes of its workflow."""
    return {name: _plain(getattr(job, name)) for name in _FOUND}


def deaths(status: WorkflowStatus) -> int:
    """Return how many workers died while they ran this job."""
    return int((status.attributes or {}).get(_DEATHS, 0))


def died(count: int) -> dict[str, Any]:
    """Return the attributes of a job when `count` workers have died while they ran it."""
    return {_DEATHS: count}


def given_up(count: int) -> dict[str, Any]:
    """Return the attributes of a job that is not tried again."""
    message = f"{count} workers died while they read this file. Convert it to another format, or give them more memory."
    return {"state": JobState.FAILED.value, "reason": WORKER_DIED, "message": message}


def job_of(status: WorkflowStatus) -> Job:
    """Return the job that a workflow stands for."""
    assert status.input is not None
    job = replace(
        read(status.input["args"][0]),
        updated_at=(status.updated_at or 0) / 1e3,
    )
    told = {name: value for name, value in (status.attributes or {}).items() if name in _FOUND}
    reached = replace(job, **{**told, "state": JobState(told.get("state", JobState.PARSING))})
    if status.status in ("ENQUEUED", "DELAYED"):
        return job
    if status.status == "PENDING":  # its end is told before the workflow's, which decides
        return replace(reached, state=JobState.INDEXING) if reached.finished else reached
    if status.status == "SUCCESS" or reached.finished:  # a cancellation may come too late
        return reached
    if status.status == "CANCELLED":
        return replace(reached, state=JobState.CANCELLED)
    return replace(job, state=JobState.FAILED, reason=ParseFailure.INTERNAL.value, message=str(status.error))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
