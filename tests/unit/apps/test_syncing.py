"""How a collection follows its folder."""

import os
import shutil
from contextlib import aclosing
from pathlib import Path

import pytest

from apps.syncing import check_not_emptied
from contracts import InvalidInputError
from ingestion.sources.fsspec_tree import FsspecTree
from tests.bench import Bench
from tests.unit.apps.test_indexing import zipped


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        made.write(f"This is {name}.", name)
    await made.sync()
    return made


async def test_what_is_new_changed_gone_and_the_same_is_told_apart(bench: Bench) -> None:
    bench.write("This is another a.", "a.txt")
    bench.write("This is d.", "d.txt")
    (bench.folder / "b.txt").unlink()
    assert await bench.sync() == {"a.txt": "updated", "d.txt": "added"}
    assert await bench.sources() == ["a.txt", "b.txt", "d.txt", "deep/c.txt"]
    assert await bench.sync(delete=True) == {"b.txt": "deleted"}
    assert await bench.sources() == ["a.txt", "d.txt", "deep/c.txt"]
    assert await bench.sync(delete=True) == {}


async def test_a_plan_says_what_would_be_done_and_does_nothing(bench: Bench) -> None:
    bench.write("This is another a.", "a.txt")
    os.utime(bench.folder / "b.txt")  # touched only
    bench.write("This is d.", "d.txt")
    (bench.folder / "deep/c.txt").unlink()
    plan = await bench.plan(exact=True)
    assert {Path(each.name).name: plan.is_new(each) for each in plan.read} == {"a.txt": False, "d.txt": True}
    assert plan.gone == (f"{bench.folder}/deep/c.txt",)
    assert [Path(each.source).name for each in plan.same] == ["b.txt"]
    assert await bench.sources() == ["a.txt", "b.txt", "deep/c.txt"]


async def test_unchanged_files_are_not_even_opened(bench: Bench) -> None:
    plan = await bench.plan()
    assert not plan.read and len(plan.same) == 3


async def test_a_moved_file_is_neither_parsed_nor_embedded_and_keeps_its_versions(bench: Bench) -> None:
    bench.write("This is another a.", "a.txt")
    await bench.sync()
    embedded = len(bench.embedded)
    (bench.folder / "new").mkdir()
    (bench.folder / "a.txt").rename(bench.folder / "new/renamed.txt")
    assert await bench.sync() == {"new/renamed.txt": "moved"}
    assert len(bench.embedded) == embedded
    assert await bench.sources() == ["b.txt", "deep/c.txt", "new/renamed.txt"]
    (moved,) = [each for each in await bench.shelf.catalog.list("default") if each.versions == 2]
    assert moved.document.title == "renamed"
    (chunk,) = await bench.shelf.catalog.chunks("default", moved.document.id)
    assert chunk.text == "This is another a." and chunk.document_id == moved.document.id
    assert await bench.sync(delete=True) == {}


async def test_a_copy_is_no_move(bench: Bench) -> None:
    shutil.copy(bench.folder / "a.txt", bench.folder / "copy.txt")
    assert await bench.sync() == {"copy.txt": "added"}
    assert await bench.sources() == ["a.txt", "b.txt", "copy.txt", "deep/c.txt"]


async def test_a_moved_archive_takes_along_what_is_in_it(bench: Bench) -> None:
    bench.write(zipped(x_txt="This is x.", y_txt="", in_zip=zipped(z_txt="This is z.")), "all.zip")
    await bench.sync()
    embedded = len(bench.embedded)
    (bench.folder / "all.zip").rename(bench.folder / "deep/other.zip")
    assert set((await bench.sync()).values()) == {"moved"}
    assert len(bench.embedded) == embedded
    assert [name for name in await bench.sources() if "zip" in name] == [
        "deep/other.zip!/in.zip!/z.txt",
        "deep/other.zip!/x.txt",
    ]
    (bench.folder / "deep/other.zip").unlink()
    await bench.sync(delete=True)
    assert await bench.sources() == ["a.txt", "b.txt", "deep/c.txt"]
    assert len(await bench.shelf.states.states("default")) == 3


async def test_a_failure_is_remembered_until_the_file_changes(bench: Bench) -> None:
    bench.write("", "empty.txt")
    assert await bench.sync() == {"empty.txt": "empty"}
    plan = await bench.plan()
    assert not plan.read and [each.reason for each in plan.same if each.reason] == ["empty"]
    bench.write("Not empty any more.", "empty.txt")
    assert await bench.sync() == {"empty.txt": "updated"}


async def test_what_took_too_long_is_tried_again(bench: Bench) -> None:
    bench.write("Slow.", "slow.txt")
    assert await bench.sync() == {"slow.txt": "timeout"}
    assert await bench.sync() == {"slow.txt": "timeout"}


async def test_what_is_said_beside_a_file_reaches_its_document(bench: Bench) -> None:
    before = await bench.shelf.feed.generation("default")
    (bench.folder / "deep/.footnote.yaml").write_text("readers: [staff]\n")
    assert await bench.sync() == {"deep/c.txt": "updated"}
    (change,) = await bench.shelf.feed.changes("default", before)
    assert (await bench.shelf.feed.texts([change.document_id]))[change.document_id].readers == ("staff",)
    readers = {each.document.source: each.document.readers for each in await bench.shelf.catalog.list("default")}
    assert readers[f"{bench.folder}/deep/c.txt"] == ("staff",)
    assert readers[f"{bench.folder}/a.txt"] == ("*",)


async def test_a_folder_that_is_empty_now_deletes_nothing_by_itself(bench: Bench) -> None:
    shutil.rmtree(bench.folder)
    bench.folder.mkdir()
    tree = FsspecTree(str(bench.folder))
    with pytest.raises(InvalidInputError, match="is empty, and 3 files came from there: is the disk mounted"):
        check_not_emptied(await bench.syncing.plan([tree], "default"), [tree])


async def test_files_below_a_folder_that_cannot_be_read_are_not_taken_for_gone(bench: Bench) -> None:
    class Unreadable(FsspecTree):
        async def list(self):  # type: ignore[no-untyped-def]
            listing = await super().list()
            kept = tuple(file for file in listing.files if "deep" not in file.name)
            return type(listing)(kept, {f"{bench.folder}/deep/": "Permission denied"})

    plan = await bench.syncing.plan([Unreadable(str(bench.folder))], "default")
    assert plan.gone == () and plan.unreadable == ((f"{bench.folder}/deep/", "Permission denied"),)


async def test_another_folder_is_another_matter(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "files-2"  # begins with the same letters
    other.mkdir()
    (other / "x.txt").write_text("This is x.")
    plan = await bench.syncing.plan([FsspecTree(str(other))], "default")
    assert [each.name for each in plan.read] == [str(other / "x.txt")] and plan.gone == ()


async def test_a_file_whose_name_only_begins_the_same_is_not_gone(bench: Bench) -> None:
    bench.write("This is the old one.", "report.doc.txt")
    await bench.sync()
    bench.write("This is the old one.", "report.doc")  # nor has it moved
    plan = await bench.syncing.plan([FsspecTree(str(bench.folder / "report.doc"))], "default")
    assert [Path(each.name).name for each in plan.read] == ["report.doc"]
    assert (plan.gone, plan.moved) == ((), ())


async def test_a_plan_makes_no_collection(bench: Bench) -> None:
    plan = await bench.syncing.plan([FsspecTree(str(bench.folder))], "fresh")
    assert len(plan.read) == 3
    assert await bench.shelf.collections.find("fresh") is None


async def test_a_move_that_is_broken_off_goes_on_the_next_time(bench: Bench) -> None:
    bench.write(zipped(x_txt="This is x.", y_txt="This is y."), "all.zip")
    await bench.sync()
    (bench.folder / "all.zip").rename(bench.folder / "new.zip")
    async with aclosing(bench.syncing.run(await bench.plan())) as steps:
        await anext(steps)
    await bench.sync(delete=True)
    assert [name for name in await bench.sources() if "zip" in name] == ["new.zip!/x.txt", "new.zip!/y.txt"]
    assert not any("all.zip" in source for source in await bench.shelf.states.states("default"))
