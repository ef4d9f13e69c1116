"""Ingestion jobs: list, read, follow, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel

from apps.api.access import readable_job, readable_jobs
from apps.api.deps import CallerDep, LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import CollectionName, JobOut, JobsOut, Problem, job_out
from apps.api.sse import event_stream

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=RESPONSES)

_POLL_S = 0.25


@router.get("")
async def list_jobs(
    library: LibraryDep,
    caller: CallerDep,
    collection: CollectionName | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> JobsOut:
    """List the jobs of a collection, or of all, newest first, those for the caller out of the newest `limit`. Finished
    ones are forgotten after some days."""
    found = await readable_jobs(library, caller, await library.jobs.list(collection, limit=limit))
    return JobsOut(jobs=[job_out(job) for job in found])


@router.get("/{job_id}")
async def read_job(job_id: str, library: LibraryDep, caller: CallerDep) -> JobOut:
    """Return a job."""
    return job_out(await readable_job(library, caller, job_id))


@router.delete("/{job_id}", status_code=202, responses={409: {"model": Problem}})
async def cancel_job(job_id: str, library: LibraryDep, caller: CallerDep) -> JobOut:
    """Cancel a job that waits or runs; what it was doing ends within seconds. One that is finished is a conflict."""
    await readable_job(library, caller, job_id)
    await library.jobs.cancel(job_id)
    return job_out(await library.jobs.get(job_id))


@router.get("/{job_id}/events", response_model=None)
async def job_events(job_id: str, library: LibraryDep, caller: CallerDep) -> EventSourceResponse:
    """Tell a job's progress as Server-Sent Events named `progress`, until it is done, failed or cancelled."""

    async def progress() -> AsyncGenerator[tuple[str, BaseModel]]:
        last = None
        while True:
            job = await readable_job(library, caller, job_id)
            if (told := replace(job, updated_at=0.0)) != last:
                last = told
                yield "progress", job_out(job)
            if job.finished:
                return
            await asyncio.sleep(_POLL_S)

    return await event_stream(progress())
