"""The worker: signs of life while a job is under way, and what dead ones left behind."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apps.indexing import Indexing
from apps.worker import Worker, remove_leftovers
from contracts import Job, JobState, Vectors
from ingestion.llamaindex_splitter import LlamaIndexSplitter
from ingestion.originals import Originals
from ingestion.plain_text_parser import PlainTextParser
from ingestion.sql_job_queue import SqlJobQueue
from observability.mlflow_runs import MemoryRunLog
from retrieval.hashing_embedder import HashingEmbedder
from tests.library import EMBEDDER, Shelf


class SlowEmbedder:
    """Takes a second, as a long document would."""

    name = EMBEDDER.name
    dimension = EMBEDDER.dimension

    async def embed(self, texts: Sequence[str]) -> Vectors:
        await asyncio.sleep(1.0)
        return await HashingEmbedder().embed(texts)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def indexing(shelf: Shelf, folder: Path) -> Indexing:
    return Indexing(
        parser=PlainTextParser(),
        splitter=LlamaIndexSplitter(lambda text: len(text.split()), chunk_tokens=40, chunk_overlap_tokens=4),
        embedder=SlowEmbedder(),
        catalog=shelf.catalog,
        originals=Originals(folder / "originals"),
        run_log=MemoryRunLog(),
    )


async def test_a_long_embedding_is_not_taken_over(shelf: Shelf, tmp_path: Path) -> None:
    queue = SqlJobQueue(shelf.engine, silence_s=0.4)
    (tmp_path / "j1").write_text("The tram runs daily.")
    await queue.enqueue(Job("j1", "default", "tram.txt", str(tmp_path / "j1")))
    job = await queue.claim("first")
    assert job is not None
    working = asyncio.create_task(Worker(queue, indexing(shelf, tmp_path), heartbeat_s=0.05).work(job))
    await asyncio.sleep(0.8)
    assert (await queue.get("j1")).state is JobState.EMBEDDING
    assert await queue.claim("other") is None
    await working
    assert (await queue.get("j1")).state is JobState.DONE


async def test_uploads_that_no_unfinished_job_reads_are_removed(shelf: Shelf, tmp_path: Path) -> None:
    queue, uploads = SqlJobQueue(shelf.engine), tmp_path / "uploads"
    await remove_leftovers(uploads, queue)  # before the first upload there is no folder
    uploads.mkdir()
    for name in ("queued", "done", "arriving", "abandoned"):
        (uploads / name).write_text("x")
    os.utime(uploads / "abandoned", (0, 0))
    await queue.enqueue(Job("done", "default", "a.txt", str(uploads / "done")))
    claimed = await queue.claim("first")
    assert claimed is not None
    await queue.report(replace(claimed, state=JobState.DONE))
    await queue.enqueue(Job("queued", "default", "b.txt", str(uploads / "queued")))
    await remove_leftovers(uploads, queue)
    assert sorted(path.name for path in uploads.iterdir()) == ["arriving", "queued"]
