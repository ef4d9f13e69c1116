"""Ingestion jobs and their progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel

from apps.api.deps import LibraryDep
from apps.api.errors import RESPONSES
from apps.api.schemas import JobOut, job_out
from apps.api.sse import event_stream
from contracts import JobState

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=RESPONSES)

_POLL_S = 0.25


@router.get("/{job_id}")
async def read_job(job_id: str, library: LibraryDep) -> JobOut:
    """Return a job."""
    return job_out(await library.jobs.get(job_id))


@router.get("/{job_id}/events", response_model=None)
async def job_events(job_id: str, library: LibraryDep) -> EventSourceResponse:
    """Tell a job's progress as Server-Sent Events named `progress`, until it is done or failed."""

    async def progress() -> AsyncGenerator[tuple[str, BaseModel]]:
        last = None
        while True:
            job = await library.jobs.get(job_id)
            if job != last:
                last = job
                yield "progress", job_out(job)
            if job.state in (JobState.DONE, JobState.FAILED):
                return
            await asyncio.sleep(_POLL_S)

    return await event_stream(progress())
