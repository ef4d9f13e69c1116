"""Ingestion jobs: list, read, follow, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel

from apps.api.deps import LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import CollectionName, JobOut, JobsOut, Problem, job_out
from apps.api.sse import event_stream

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=RESPONSES)

_POLL_S = 0.25


@router.get("")
async def list_jobs(
    library: LibraryDep,
    collection: CollectionName | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> JobsOut:
    """List the jobs of a collection, or of all, newest first. Finished ones are forgotten after some days."""
    return JobsOut(jobs=[job_out(job) for job in await library.jobs.list(collection, limit=limit)])


@router.get("/{job_id}")
async def read_job(job_id: str, library: LibraryDep) -> JobOut:
    """Return a job."""
    return job_out(await library.jobs.get(job_id))


@router.delete("/{job_id}", status_code=202, responses={409: {"model": Problem}})
async def cancel_job(job_id: str, library: LibraryDep) -> JobOut:
    """Cancel a job that waits or runs; what it was doing ends within seconds. One that is finished is a conflict."""
    await library.jobs.cancel(job_id)
    return job_out(await library.jobs.get(job_id))


@router.get("/{job_id}/events", response_model=None)
async def job_events(job_id: str, library: LibraryDep) -> EventSourceResponse:
    """Tell a job's progress as Server-Sent Events named `progress`, until it is done, failed or cancelled."""

    async def progress() -> AsyncGenerator[tuple[str, BaseModel]]:
        last = None
        while True:
            job = await library.jobs.get(job_id)
            if (told := replace(job, updated_at=0.0)) != last:
                last = told
                yield "progress", job_out(job)
            if job.finished:
                return
            await asyncio.sleep(_POLL_S)

    return await event_stream(progress())
