"""A collection as one file, there and back."""

import json
import tarfile
from pathlib import Path

import pytest
import zstandard

from apps.reembedding import Reembedding
from apps.transfer import Transfer
from contracts import ConflictError, InvalidInputError, NotFoundError, Selection
from ingestion.sources.originals import Originals
from ingestion.sources.zstandard_package import pack, unpack
from retrieval.dense.exact_index import ExactIndex
from tests.bench import Bench
from tests.unit.apps.test_indexing import zipped
from validation.permissive_guards import FlaggingPassageGuard


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    (tmp_path / "one").mkdir()
    made = Bench(tmp_path / "one")
    for number in range(5):
        made.write(f"This is the text number {number}.", f"{number}.txt")
    made.write(zipped(inner_txt="This one was packed."), "all.zip")
    made.write("", "empty.txt")
    await made.sync()
    made.write("This is another text.", "0.txt")
    await made.sync()
    return made


def transfer(bench: Bench) -> Transfer:
    shelf = bench.shelf
    originals = Originals(bench.data / "originals", max_bytes=1 << 20)
    return Transfer(shelf.catalog, shelf.collections, shelf.states, originals, pack, unpack, bench.data / "scratch")


def write(target: Path, files: dict[str, Path]) -> None:
    compressor = zstandard.ZstdCompressor()
    with (
        target.open("wb") as raw,
        compressor.stream_writer(raw) as stream,
        tarfile.open(fileobj=stream, mode="w|") as tar,
    ):
        for name, path in files.items():
            tar.add(path, name)


async def exported(bench: Bench) -> Path:
    target = bench.data / "default.tar.zst"
    assert [step async for step in transfer(bench).export("default", target)] == [(6, 6)]
    return target


async def found(bench: Bench, collection: str) -> list[tuple[str, str, float]]:
    index = ExactIndex(bench.shelf.feed, collection, embedder="counting")
    await index.refresh()
    (vector,) = await bench.embedders["counting"].embed(["which text is number three"])
    hits = await index.search(vector, 10, Selection(("*",)))
    passages = await bench.shelf.passages.hydrate([key for key, _ in hits])
    return sorted((passages[key][1].source, passages[key][0].text, round(score, 6)) for key, score in hits)


async def test_elsewhere_the_same_is_found_and_nothing_is_embedded(bench: Bench, tmp_path: Path) -> None:
    target = await exported(bench)
    (tmp_path / "two").mkdir()
    other = Bench(tmp_path / "two")
    steps = [step async for step in transfer(other).load(target, "copy")]
    assert steps[-1] == (6, 6) and other.embedded == []
    assert await found(other, "copy") == await found(bench, "default")
    assert other.kept() == bench.kept() == 7
    there, here = await other.shelf.collections.find("copy"), await bench.shelf.collections.find("default")
    assert there and here and (there.documents, there.chunks, there.failures) == (6, 6, 1)
    assert there.cutting == here.cutting
    assert set(await other.shelf.states.states("copy")) == set(await bench.shelf.states.states("default"))


async def test_readers_come_along(bench: Bench, tmp_path: Path) -> None:
    await bench.shelf.collections.share("default", ["alice", "staff"])
    target = await exported(bench)
    (tmp_path / "two").mkdir()
    other = Bench(tmp_path / "two")
    steps = transfer(other).load(target, "copy")
    await anext(steps)
    with pytest.raises(NotFoundError):  # not for others while it is being filled either
        await other.shelf.passages.readable("copy", ["*", "bob"])
    assert [step async for step in steps]
    copy = await other.shelf.collections.settings("copy")
    assert copy and copy.readers == ("alice", "staff")


async def test_versions_come_along(bench: Bench, tmp_path: Path) -> None:
    target = await exported(bench)
    steps = [step async for step in transfer(bench).load(target, "copy")]
    assert steps
    listed = {each.document.source: each for each in await bench.shelf.catalog.list("copy")}
    twice = listed[f"{bench.folder}/0.txt"]
    assert twice.versions == 2
    new, old = await bench.shelf.catalog.versions("copy", twice.document.id)
    (chunk,) = await bench.shelf.catalog.chunks("copy", twice.document.id)
    (before,) = await bench.shelf.catalog.chunks("copy", twice.document.id, old.version)
    assert new.current and chunk.text == "This is another text." and before.text == "This is the text number 0."


async def test_an_existing_collection_is_not_touched(bench: Bench) -> None:
    target = await exported(bench)
    with pytest.raises(ConflictError, match="exists already"):
        [step async for step in transfer(bench).load(target)]
    with pytest.raises(NotFoundError):
        [step async for step in transfer(bench).export("nothing", target)]


@pytest.mark.parametrize("damage", ["cut", "flipped", "other", "missing"])
async def test_a_damaged_file_is_refused_before_anything_is_stored(bench: Bench, damage: str) -> None:
    target = await exported(bench)
    raw = bytearray(target.read_bytes())
    if damage == "cut":
        target.write_bytes(raw[: len(raw) // 2])
    elif damage == "flipped":
        raw[len(raw) // 2] ^= 0xFF
        target.write_bytes(raw)
    elif damage == "other":
        target.write_text("no package at all")
    else:
        target.unlink()
    with pytest.raises(InvalidInputError, match=r"default\.tar\.zst"):
        [step async for step in transfer(bench).load(target, "copy")]
    assert await bench.shelf.collections.find("copy") is None


async def test_a_package_that_was_changed_is_refused(bench: Bench, tmp_path: Path) -> None:
    target = await exported(bench)
    folder = tmp_path / "unpacked"
    unpack(target, folder)
    (folder / "versions.jsonl").write_text((folder / "versions.jsonl").read_text().replace("number", "figure"))
    write(target, {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()})
    with pytest.raises(InvalidInputError, match=r"'versions\.jsonl' does not match its checksum"):
        [step async for step in transfer(bench).load(target, "copy")]


async def test_a_package_cannot_write_elsewhere(bench: Bench, tmp_path: Path) -> None:
    target = bench.data / "evil.tar.zst"
    (tmp_path / "x").write_text("x")
    write(target, {"../../escaped": tmp_path / "x"})
    with pytest.raises(InvalidInputError, match="no exported collection"):
        [step async for step in transfer(bench).load(target, "copy")]
    assert not list(tmp_path.rglob("escaped"))


async def test_an_import_that_is_broken_off_leaves_no_half_collection(bench: Bench) -> None:
    target = await exported(bench)
    steps = transfer(bench).load(target, "copy")
    await anext(steps)
    await steps.aclose()
    assert await bench.shelf.collections.find("copy") is None
    assert [step async for step in transfer(bench).load(target, "copy")]


@pytest.mark.parametrize("place", ["no-such-folder/x.tar.zst", "."])
async def test_an_export_needs_a_file_to_write(bench: Bench, place: str) -> None:
    with pytest.raises(InvalidInputError, match="name a file in a folder that exists"):
        [step async for step in transfer(bench).export("default", bench.data / place)]


async def test_after_another_embedder_came_the_current_versions_are_exported(bench: Bench, tmp_path: Path) -> None:
    reembedding = Reembedding(bench.shelf.collections, bench.shelf.builds, bench.embedders.__getitem__)
    assert [step async for step in reembedding.run("default", "other")]
    target = await exported(bench)
    assert [step async for step in transfer(bench).load(target, "copy")][-1] == (6, 6)
    listed = await bench.shelf.catalog.list("copy")
    assert len(listed) == 6 and {each.versions for each in listed} == {1}


async def test_flags_come_along(bench: Bench, tmp_path: Path) -> None:
    bench.guard = FlaggingPassageGuard({"number 3": "prompt_injection"})
    await bench.sync()
    target = await exported(bench)
    (tmp_path / "two").mkdir()
    other = Bench(tmp_path / "two")
    assert [step async for step in transfer(other).load(target, "copy")]
    flagged = {each.document.source: each.flagged for each in await other.shelf.catalog.list("copy")}
    assert {source for source, count in flagged.items() if count} == {f"{bench.folder}/3.txt"}


async def test_a_package_from_before_there_were_flags_can_be_imported(bench: Bench, tmp_path: Path) -> None:
    target = await exported(bench)
    folder = tmp_path / "unpacked"
    unpack(target, folder)
    lines = (folder / "versions.jsonl").read_text().splitlines()
    former = [json.loads(line) for line in lines]
    for version in former:
        assert [chunk.pop("flags") for chunk in version["chunks"]] == [[]]
    (folder / "versions.jsonl").write_text("\n".join(map(json.dumps, former)) + "\n")
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    pack(target, [(str(path.relative_to(folder)), path) for path in files])
    assert [step async for step in transfer(bench).load(target, "copy")][-1] == (6, 6)
    assert {each.flagged for each in await bench.shelf.catalog.list("copy")} == {0}
