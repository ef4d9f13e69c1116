"""Uploads and their jobs over HTTP, with a job queue in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from apps.api.errors import handle_errors
from apps.api.routes import documents, jobs
from apps.settings import CatalogSettings, Settings
from contracts import Job, JobState, Report
from ingestion.jobs.memory_job_queue import MemoryJobQueue
from tests.library import Shelf


class Api:
    """The routes of documents and jobs, and a queue in which two jobs may wait."""

    def __init__(self, folder: Path) -> None:
        self.uploads = folder / "uploads"
        self.queue = MemoryJobQueue(max_queued=2)
        library = SimpleNamespace(
            settings=Settings(data_dir=folder, catalog=CatalogSettings()),
            jobs=self.queue,
            collections=Shelf(folder).collections,
            indexing=None,
        )
        app = FastAPI()
        app.state.running = SimpleNamespace(library=library)
        app.include_router(documents.router)
        app.include_router(jobs.router)
        handle_errors(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def send(self, *names: str, collection: str = "default", **data: Any) -> httpx.Response:
        files = [("files", (name, b"text")) for name in names]
        return await self.client.post(f"/v1/collections/{collection}/documents", files=files, data=data)

    async def upload(self, name: str, collection: str = "default") -> dict[str, Any]:
        response = await self.send(name, collection=collection)
        assert response.status_code == 202, response.text
        (job,) = response.json()["jobs"]
        return job


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    made = Api(tmp_path)
    async with made.client:
        yield made


async def test_an_upload_waits_with_what_was_said_of_it(api: Api) -> None:
    response = await api.send("a.txt", metadata='{"year": "1911"}', readers=["alice", "staff"])
    (told,) = response.json()["jobs"]
    job = await api.queue.get(told["id"])
    assert (told["state"], told["percent"], told["source"]) == ("queued", 0, "upload/a.txt")
    assert (job.metadata, job.readers) == ({"year": "1911"}, ("alice", "staff"))
    assert Path(job.path).read_bytes() == b"text"
    plain = await api.queue.get((await api.upload("b.txt"))["id"])
    assert (plain.metadata, plain.readers) == ({}, None)


@pytest.mark.parametrize("metadata", ["[1]", '{"year": 1911}', "no json"])
async def test_metadata_is_an_object_of_texts(api: Api, metadata: str) -> None:
    assert (await api.send("a.txt", metadata=metadata)).status_code == 422
    assert await api.queue.list() == ()


async def test_an_upload_too_many_is_refused_whole_and_told_when_to_come_back(api: Api) -> None:
    await api.upload("a.txt")
    response = await api.send("b.txt", "c.txt")
    assert (response.status_code, response.json()["type"]) == (429, "queue-full")
    assert int(response.headers["retry-after"]) > 0
    assert [job.source for job in await api.queue.list()] == ["upload/a.txt"]
    assert len(list(api.uploads.iterdir())) == 1
    await api.upload("b.txt")


async def test_jobs_are_listed_by_collection(api: Api) -> None:
    mine, other = await api.upload("a.txt"), await api.upload("b.txt", "other")

    async def ids(**query: Any) -> list[str]:
        return [job["id"] for job in (await api.client.get("/v1/jobs", params=query)).json()["jobs"]]

    assert await ids() == [other["id"], mine["id"]]
    assert await ids(collection="default") == [mine["id"]]
    assert await ids(limit=1) == [other["id"]]
    assert (await api.client.get("/v1/jobs", params={"limit": 0})).status_code == 422


async def test_a_job_is_cancelled_once(api: Api) -> None:
    job = await api.upload("a.txt")
    cancelled = await api.client.delete(f"/v1/jobs/{job['id']}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    again = await api.client.delete(f"/v1/jobs/{job['id']}")
    assert (again.status_code, again.json()["type"]) == (409, "conflict")
    assert (await api.client.delete("/v1/jobs/nothing")).status_code == 404


async def test_a_job_tells_its_progress_to_the_end(api: Api) -> None:
    async def handler(job: Job, report: Report) -> Job:
        for state, done, total in ((JobState.PARSING, 0, 0), (JobState.EMBEDDING, 1, 4), (JobState.EMBEDDING, 4, 4)):
            await report(replace(job, state=state, done=done, total=total))
            await asyncio.sleep(0.4)
        return replace(job, state=JobState.DONE, chunks=4, files={"added": 2})

    job = await api.upload("a.txt")
    stop = asyncio.Event()
    running = asyncio.create_task(api.queue.run(handler, stop))
    body = (await api.client.get(f"/v1/jobs/{job['id']}/events")).text
    stop.set()
    await running
    events = [block.splitlines() for block in body.strip().split("\n\n")]
    assert {event[0] for event in events} == {"event: progress"}
    told = [json.loads(event[1].removeprefix("data: ")) for event in events]
    steps = [(each["state"], each["done"], each["total"], each["percent"]) for each in told]
    assert steps[-4:] == [("parsing", 0, 0, 0), ("embedding", 1, 4, 25), ("embedding", 4, 4, 99), ("done", 0, 0, 100)]
    assert (told[-1]["chunks"], told[-1]["files"]) == (4, {"added": 2})


async def test_the_events_of_an_unknown_job_are_not_found(api: Api) -> None:
    assert (await api.client.get("/v1/jobs/nothing/events")).status_code == 404
