"""How a file becomes chunks: added, unchanged, updated, failed, removed."""

import asyncio
import gzip
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apps.embedding_batches import embedded_text
from apps.sources import Outcome, Source, identify, local_file
from contracts import (
    Cutting,
    Element,
    InvalidInputError,
    JobState,
    Member,
    NotFoundError,
    ParsedFile,
    StoreUnavailableError,
    Vectors,
)
from tests.bench import Bench
from tests.library import document


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def zipped(**files: str | bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            called = name.replace("__", "/").replace("_txt", ".txt").replace("_zip", ".zip")
            archive.writestr(zipfile.ZipInfo(called), content)  # of one date, so that the same files are the same bytes
    return packed.getvalue()


async def test_a_file_is_added_then_unchanged_then_updated(bench: Bench) -> None:
    stages: list[tuple[JobState, int, int]] = []

    async def note(stage: JobState, done: int = 0, total: int = 0) -> None:
        stages.append((stage, done, total))

    first = await bench.indexing.index(bench.write("The tram runs daily."), note)
    again = await bench.indexing.index(bench.write("The tram runs daily."))
    changed = await bench.indexing.index(bench.write("The tram rests on Sunday."))
    assert [first.outcome, again.outcome, changed.outcome] == [Outcome.ADDED, Outcome.UNCHANGED, Outcome.UPDATED]
    assert first.document_id == again.document_id == changed.document_id is not None
    assert stages == [
        (JobState.PARSING, 0, 0),
        (JobState.EMBEDDING, 0, 1),
        (JobState.EMBEDDING, 1, 1),
        (JobState.INDEXING, 1, 1),
    ]
    assert bench.kept() == 2  # the version before is kept, and nothing is left in staging


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.txt", "", "empty"),
        ("blank.txt", " \n\n ", "empty"),
        ("tool.exe", "MZ\x00\x01", "unsupported"),
        ("large.txt", "word " * 5000, "too_large"),
        ("poison.txt", "This is poison.", "internal"),
    ],
)
async def test_a_file_that_cannot_be_read_is_named_with_its_reason_and_remembered(
    bench: Bench, name: str, content: str, reason: str
) -> None:
    source = bench.write(content, name)
    done = await bench.indexing.index(source)
    assert (done.outcome, done.reason) == (Outcome.FAILED, reason)
    assert done.message
    assert bench.kept() == 0
    assert (await bench.shelf.states.states("default"))[source.name].reason == reason
    assert (await bench.shelf.collections.find("default")).failures == 1  # type: ignore[union-attr]


async def test_a_failure_in_one_file_fails_no_other(bench: Bench) -> None:
    texts = {f"{number}.txt": f"This is number {number}." for number in range(20)} | {"poison.txt": "A poison."}
    sources = [bench.write(text, name) for name, text in texts.items()]
    done = await asyncio.gather(*map(bench.indexing.index, sources))
    assert [each.source for each in done if each.reason] == [f"{bench.folder}/poison.txt"]
    assert len(await bench.sources()) == 20


async def test_a_vanished_file_fails_alone(bench: Bench) -> None:
    done = await bench.indexing.index(Source("gone.txt", local_file(bench.folder / "gone.txt")))
    assert (done.outcome, done.reason) == (Outcome.FAILED, "unreadable")
    assert done.message == "'gone.txt' cannot be read: No such file or directory."


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
    await bench.indexing.remove("default", [one.document_id])
    assert bench.kept() == 1
    await bench.indexing.remove("default", [other.document_id, one.document_id])
    assert bench.kept() == 0
    assert await bench.sources() == []


async def test_known_text_is_not_embedded_again(bench: Bench) -> None:
    await bench.indexing.index(bench.write("# Tram\n\nIt runs daily.", "tram.md"))
    before = len(bench.embedded)
    assert before
    await bench.indexing.index(bench.write("# Tram\n\nIt runs daily.\n", "copy/tram.md"))
    assert len(bench.embedded) == before
    await bench.shelf.collections.recut("default", Cutting(chunk_tokens=41))
    again = await bench.indexing.index(bench.write("# Tram\n\nIt runs daily.", "tram.md"))
    assert again.outcome is Outcome.UPDATED  # cut anew, into the same chunks
    assert len(bench.embedded) == before


async def test_readers_and_metadata_of_the_source_win_and_are_part_of_what_it_is(bench: Bench) -> None:
    source = bench.write("The tram runs daily.")
    await bench.indexing.index(source)
    told = replace(source, readers=("staff",), metadata={"line": "5", "title": "Line five"})
    done = await bench.indexing.index(told)
    assert done.outcome is Outcome.UPDATED and done.document_id
    found = await bench.shelf.catalog.find("default", done.document_id)
    assert found is not None
    assert (found.document.readers, found.document.title) == (("staff",), "Line five")
    assert found.document.metadata["line"] == "5"
    assert (await bench.indexing.index(told)).outcome is Outcome.UNCHANGED


async def test_a_file_whose_description_is_broken_does_not_become_public(bench: Bench) -> None:
    done = await bench.indexing.index(bench.write("The tram runs daily.", problem="'tram.meta.yaml' is broken"))
    assert (done.reason, done.message) == ("unreadable", "'tram.meta.yaml' is broken")
    assert await bench.sources() == []


async def test_each_file_in_an_archive_is_a_document_of_its_own(bench: Bench) -> None:
    inner = zipped(deep_txt="Deep inside.")
    done = await bench.indexing.index(bench.write(zipped(a_txt="The first.", b__c_txt="", in_zip=inner), "all.zip"))
    outcomes = {each.source.removeprefix(f"{bench.folder}/"): each.outcome.value for each in done.every()}
    assert outcomes == {
        "all.zip": "added",
        "all.zip!/a.txt": "added",
        "all.zip!/b/c.txt": "failed",
        "all.zip!/in.zip": "added",
        "all.zip!/in.zip!/deep.txt": "added",
    }
    assert await bench.sources() == ["all.zip!/a.txt", "all.zip!/in.zip!/deep.txt"]
    again = await bench.indexing.index(bench.write(zipped(a_txt="The first.", b__c_txt="", in_zip=inner), "all.zip"))
    assert again.outcome is Outcome.UNCHANGED
    assert [each.reason for each in again.members if each.reason] == ["empty"]


async def test_a_file_that_left_an_archive_is_deleted(bench: Bench) -> None:
    await bench.indexing.index(bench.write(zipped(a_txt="The first.", in_zip=zipped(x_txt="One more.")), "all.zip"))
    await bench.indexing.index(bench.write(zipped(a_txt="The first.", b_txt="The second."), "all.zip"))
    assert await bench.sources() == ["all.zip!/a.txt", "all.zip!/b.txt"]
    assert set(await bench.shelf.states.states("default")) == {
        f"{bench.folder}/all.zip{inside}" for inside in ("", "!/a.txt", "!/b.txt")
    }


async def test_archives_in_archives_end_somewhere(bench: Bench) -> None:
    packed = zipped(a_txt="The bottom.")
    for _ in range(7):
        packed = zipped(in_zip=packed)
    done = await bench.indexing.index(bench.write(packed, "deep.zip"))
    assert [(each.reason, each.source.count("!/")) for each in done.every() if each.reason] == [("too_large", 6)]


async def test_what_is_taken_out_of_one_file_is_limited_at_all_depths_together(bench: Bench) -> None:
    inner = {f"in{number}_zip": zipped(a_txt="One.", b_txt="Two.") for number in range(4)}
    source = bench.write(zipped(**inner), "many.zip")
    done = await replace(bench.indexing, max_members=9).index(source)
    assert sum(each.reason == "too_large" for each in done.every()) == 3
    small = await replace(bench.indexing, max_unpacked_bytes=700).index(bench.write(zipped(**inner), "large.zip"))
    assert {each.reason for each in small.every()} == {None, "too_large"}


async def test_the_version_before_is_kept_and_can_be_restored(bench: Bench) -> None:
    first = await bench.indexing.index(bench.write("The tram runs daily."))
    assert first.document_id
    old = await bench.shelf.catalog.find("default", first.document_id)
    await bench.indexing.index(bench.write("The tram rests on Sunday."))
    new = await bench.shelf.catalog.find("default", first.document_id)
    assert old and new and new.versions == 2
    embedded = len(bench.embedded)
    await bench.indexing.restore(new, old.document.version[:8])
    (chunk,) = await bench.shelf.catalog.chunks("default", first.document_id)
    assert chunk.text == "The tram runs daily."
    assert len(bench.embedded) == embedded
    with pytest.raises(NotFoundError, match="names 0 of the 2 kept versions"):
        await bench.indexing.restore(new, "nothing")
    with pytest.raises(InvalidInputError, match="names 2 of the 2"):
        await bench.indexing.restore(new, "")


async def test_a_switched_embedder_is_noticed_in_the_middle(bench: Bench) -> None:
    await bench.indexing.index(bench.write("The tram runs daily."))
    collection = await bench.indexing.open_collection("default")
    await bench.shelf.builds.begin("default", "other")
    for name, _, chunk in await bench.shelf.builds.missing("default", "other", 10):
        await bench.shelf.builds.add("other", [name], await bench.embedders["other"].embed([chunk.text]))
    assert await bench.shelf.builds.switch("default", "other")
    assert collection.embedder == "counting"
    done = await bench.indexing.index(bench.write("The tram rests on Sunday."))
    assert done.outcome is Outcome.UPDATED
    assert bench.embedders["other"].texts[-1].endswith("The tram rests on Sunday.")


async def test_of_two_versions_sent_at_once_the_later_one_stays(bench: Bench) -> None:
    source = bench.write("The first.")
    texts = ["The first.", "The second.", "The third."]

    async def send(number: int) -> None:
        path = bench.folder / f"upload-{number}"
        path.write_text(texts[number])
        await bench.indexing.index(replace(source, fetch=local_file(path)))

    await asyncio.gather(*(send(number) for number in range(3)))
    (chunk,) = await bench.shelf.catalog.chunks("default", identify("default", source.name))
    assert chunk.text == "The third."


async def test_a_collection_goes_with_all_it_holds(bench: Bench) -> None:
    await bench.indexing.index(bench.write("The tram runs daily."))
    await bench.indexing.index(bench.write("", "empty.txt"))
    await bench.indexing.remove_collection("default")
    assert bench.kept() == 0
    assert await bench.shelf.collections.list() == ()
    with pytest.raises(NotFoundError):
        await bench.indexing.remove_collection("default")


async def test_an_ingestion_is_recorded_as_a_run(bench: Bench) -> None:
    done = [await bench.indexing.index(bench.write(text, name)) for name, text in (("a.txt", "One."), ("b.txt", ""))]
    await bench.indexing.record("default", done, 2.0)
    (run,) = bench.runs.runs
    assert run.params["embedder"] == "counting"
    assert (run.metrics["files_added"], run.metrics["files_failed"], run.metrics["chunks_per_second"]) == (1, 1, 0.5)


def test_a_chunk_is_embedded_with_its_headings_and_by_its_focus() -> None:
    made, (chunk,) = document("tram", "It runs daily. It is blue.")
    assert embedded_text(made, chunk) == "Tram\nIt runs daily. It is blue."
    assert embedded_text(made, replace(chunk, focus="It is blue.")) == "Tram\nIt is blue."


class _Letters:
    """Reads a letter with an enclosure; until `ready`, the enclosure cannot be read because a store is away."""

    ready = True

    async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
        assert name and scratch
        if "!/" not in name:
            scratch.mkdir(parents=True, exist_ok=True)
            (scratch / "0").write_text("This is enclosed.")
            return ParsedFile(
                "Letter", "text/plain", (Element("A letter."),), members=(Member("x.txt", scratch / "0"),)
            )
        if not self.ready:
            raise StoreUnavailableError("away")
        return ParsedFile("x", "text/plain", (Element(path.read_text()),))


async def test_what_is_enclosed_is_not_lost_when_reading_it_is_cut_off(bench: Bench) -> None:
    letters = _Letters()
    indexing = replace(bench.indexing, parser=letters)
    source = bench.write("letter", "letter.txt")
    letters.ready = False
    with pytest.raises(StoreUnavailableError):
        await indexing.index(source)
    letters.ready = True
    assert (await indexing.index(source)).outcome is Outcome.ADDED
    assert await bench.sources() == ["letter.txt", "letter.txt!/x.txt"]


async def test_what_is_enclosed_goes_with_its_letter_and_has_a_title_of_its_own(bench: Bench) -> None:
    indexing = replace(bench.indexing, parser=_Letters())
    source = bench.write("letter", "letter.txt", metadata={"title": "From Ada", "year": "1843"}, readers=("ada",))
    await indexing.index(source)
    outer, inner = [each.document for each in await bench.shelf.catalog.list("default")]
    assert (outer.title, inner.title) == ("From Ada", "x")
    assert (inner.metadata, inner.readers) == ({"year": "1843"}, ("ada",))
    await indexing.remove_source("default", source.name)
    assert await bench.sources() == [] and bench.kept() == 0
    assert await bench.shelf.states.states("default") == {}


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        (None, ("finance",), ("finance",)),
        (("audit", "finance"), ("finance", "staff"), ("finance",)),
        (("finance",), ("*",), ("finance",)),
        (("finance",), None, ("finance",)),
    ],
)
async def test_a_version_that_stays_after_a_failure_has_no_more_readers_than_the_file(
    bench: Bench, before: tuple[str, ...] | None, said: tuple[str, ...] | None, after: tuple[str, ...]
) -> None:
    await bench.indexing.index(bench.write("The tram runs daily.", readers=before))
    failed = await bench.indexing.index(bench.write("This is poison.", readers=said))
    assert failed.reason == "internal"
    (kept,) = await bench.shelf.catalog.list("default")
    assert kept.document.readers == after and kept.versions == 1
    (state,) = (await bench.shelf.states.states("default")).values()
    assert state.reason == "internal"


async def test_a_restored_version_has_its_metadata_again(bench: Bench) -> None:
    await bench.indexing.index(bench.write("The tram runs daily.", metadata={"year": "2024"}))
    await bench.indexing.index(bench.write("The tram rests on Sunday.", metadata={"year": "2025"}, readers=("ada",)))
    (new,) = await bench.shelf.catalog.list("default")
    old = (await bench.shelf.catalog.versions("default", new.document.id))[1]
    await bench.indexing.restore(new, old.version)
    (restored,) = await bench.shelf.catalog.list("default")
    assert restored.document.version == old.version
    assert (restored.document.metadata, restored.document.readers) == ({"year": "2024"}, ("ada",))


async def test_a_file_that_is_called_off_while_others_are_embedded_is_not_stored_half(bench: Bench) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    embed = bench.embedders["counting"].embed

    async def slowly(texts: Sequence[str]) -> Vectors:
        begun.set()
        await go_on.wait()
        return await embed(texts)

    bench.embedders["counting"].embed = slowly  # type: ignore[method-assign]
    called_off = asyncio.create_task(bench.indexing.index(bench.write("The tram runs daily.", "a.txt")))
    await begun.wait()
    called_off.cancel()
    await asyncio.wait([called_off])
    other = asyncio.create_task(bench.indexing.index(bench.write("The ferry rests.", "b.txt")))
    go_on.set()
    assert (await other).outcome is Outcome.ADDED
    assert await bench.sources() == ["b.txt"] and bench.kept() == 1


async def test_what_was_too_large_is_tried_again_under_other_limits(bench: Bench) -> None:
    plain, packed = bench.write("word " * 5000, "large.txt"), bench.write(gzip.compress(b"word " * 5000), "all.txt.gz")
    for source in (plain, packed):
        failed = await bench.indexing.index(source)
        assert {each.reason for each in failed.every()} == ({"too_large"} if source is plain else {None, "too_large"})
        (before,) = [s for s in (await bench.shelf.states.states("default", source.name)).values() if s.reason]
        await bench.indexing.index(source)  # nothing changed: it is not looked at again
        raised = replace(bench.open(100_000), limits="raised")
        done = await raised.index(source)
        assert before.recipe.endswith(" ") and not [each for each in done.every() if each.reason]
        assert (await raised.index(source)).outcome is Outcome.UNCHANGED


async def test_a_restored_version_may_be_stricter_than_the_one_after_it(bench: Bench) -> None:
    class Headed:
        async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
            text = path.read_text()
            readers = ("ada",) if "secret" in text else None
            return ParsedFile("x", "text/plain", (Element(text),), readers=readers)

    indexing = replace(bench.indexing, parser=Headed())
    await indexing.index(bench.write("This is secret."))
    await indexing.index(bench.write("This is not."))
    (new,) = await bench.shelf.catalog.list("default")
    assert new.document.readers == ("*",)
    await indexing.restore(new, (await bench.shelf.catalog.versions("default", new.document.id))[1].version)
    (old,) = await bench.shelf.catalog.list("default")
    assert old.document.readers == ("ada",)
