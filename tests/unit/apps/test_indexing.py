"""How a file becomes chunks: added, unchanged, updated, failed, removed."""

from pathlib import Path

import pytest

from apps.indexing import Indexing, Outcome, Source, embedded_text
from contracts import ChangeFeed, JobState, NotFoundError
from ingestion.csv_parser import CsvParser
from ingestion.llamaindex_splitter import LlamaIndexSplitter
from ingestion.media_types import CSV
from ingestion.originals import Originals
from ingestion.parser_router import ParserRouter
from ingestion.plain_text_parser import PlainTextParser
from observability.mlflow_runs import MemoryRunLog
from tests.library import EMBEDDER, Shelf, document


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf = Shelf(folder)
        self.runs = MemoryRunLog()
        self.originals = folder / "originals"
        self.indexing = Indexing(
            parser=ParserRouter({CSV: CsvParser()}, PlainTextParser(), max_bytes=10_000),
            splitter=LlamaIndexSplitter(lambda text: len(text.split()), chunk_tokens=40, chunk_overlap_tokens=4),
            embedder=EMBEDDER,
            catalog=self.shelf.catalog,
            originals=Originals(self.originals),
            run_log=self.runs,
        )
        self.feed: ChangeFeed = self.shelf.feed

    def write(self, text: str, name: str = "tram.txt") -> Source:
        path = self.folder / name
        path.write_text(text)
        return Source(path, str(path))

    def kept(self) -> int:
        return sum(path.is_file() for path in self.originals.rglob("*"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_file_is_added_then_unchanged_then_updated(bench: Bench) -> None:
    stages: list[JobState] = []

    async def note(stage: JobState) -> None:
        stages.append(stage)

    first = await bench.indexing.index(bench.write("The tram runs daily."), note)
    again = await bench.indexing.index(bench.write("The tram runs daily."))
    changed = await bench.indexing.index(bench.write("The tram rests on Sunday."))
    assert [first.outcome, again.outcome, changed.outcome] == [Outcome.ADDED, Outcome.UNCHANGED, Outcome.UPDATED]
    assert first.document_id == again.document_id == changed.document_id is not None
    assert stages == [JobState.PARSING, JobState.EMBEDDING, JobState.INDEXING]
    assert await bench.feed.generation("default") == 2
    assert bench.kept() == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.txt", "", "empty"),
        ("blank.txt", " \n\n ", "empty"),
        ("tool.exe", "MZ\x00\x01", "unsupported"),
        ("large.txt", "word " * 5000, "too_large"),
    ],
)
async def test_a_file_that_cannot_be_read_is_named_with_its_reason(
    bench: Bench, name: str, content: str, reason: str
) -> None:
    done = await bench.indexing.index(bench.write(content, name))
    assert (done.outcome, done.reason) == (Outcome.FAILED, reason)
    assert name in (done.message or "")
    assert bench.kept() == 0


async def test_a_vanished_file_fails_alone(bench: Bench) -> None:
    done = await bench.indexing.index(Source(bench.folder / "gone.txt", "gone.txt"))
    assert (done.outcome, done.reason) == (Outcome.FAILED, "unreadable")


async def test_a_file_whose_name_is_not_utf8_fails_alone(bench: Bench) -> None:
    done = await bench.indexing.index(bench.write("The tram runs daily.", "caf\udce9.txt"))
    assert (done.outcome, done.reason) == (Outcome.FAILED, "unreadable")
    assert "rename" in (done.message or "")
    assert f"{done.source}{done.message}".encode().isascii()  # it can be printed


async def test_a_failure_leaves_the_old_version_in_place(bench: Bench) -> None:
    first = await bench.indexing.index(bench.write("The tram runs daily."))
    failed = await bench.indexing.index(bench.write(""))
    assert failed.outcome is Outcome.FAILED
    assert first.document_id is not None
    chunks = await bench.shelf.catalog.chunks("default", first.document_id)
    assert "The tram runs daily." in chunks[0].text
    assert bench.kept() == 1


async def test_removing_a_document_removes_its_original_unless_another_has_the_same_bytes(bench: Bench) -> None:
    one = await bench.indexing.index(bench.write("The same text.", "a.txt"))
    other = await bench.indexing.index(bench.write("The same text.", "b.txt"))
    assert one.document_id and other.document_id
    assert bench.kept() == 1
    await bench.indexing.remove("default", one.document_id)
    assert bench.kept() == 1
    await bench.indexing.remove("default", other.document_id)
    assert bench.kept() == 0
    with pytest.raises(NotFoundError):
        await bench.indexing.remove("default", other.document_id)


async def test_an_ingestion_is_recorded_as_a_run(bench: Bench) -> None:
    done = [await bench.indexing.index(bench.write(text, name)) for name, text in (("a.txt", "One."), ("b.txt", ""))]
    await bench.indexing.record("default", done, 2.0)
    (run,) = bench.runs.runs
    assert run.params["embedder"] == EMBEDDER.name
    assert (run.metrics["files_added"], run.metrics["files_failed"], run.metrics["chunks_per_second"]) == (1, 1, 0.5)


def test_a_chunk_is_embedded_with_its_headings() -> None:
    made, (chunk,) = document("tram", "It runs daily.")
    assert embedded_text(made, chunk) == "Tram\nIt runs daily."
