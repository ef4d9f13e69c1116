"""How sources are followed: what is told, what is tried again, and what is not."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from apps.following import Following, Trouble
from apps.syncing import Syncing
from contracts import InvalidInputError, ParsedFile
from ingestion.sources.fsspec_tree import FsspecTree
from tests.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.write("This is a.", "a.txt")
    return made


async def follow(bench: Bench, *changes: Callable[[], object], delete: bool = False) -> list[str]:
    """Follow the folder for a first round and one after each change; return what was told, a line each."""

    async def rounds() -> AsyncGenerator[None]:
        yield
        for change in changes:
            change()
            told.append("-")
            yield

    told: list[str] = []
    tree = FsspecTree(str(bench.folder))
    async for each in Following(bench.syncing, delete).run([tree], "default", rounds()):
        if isinstance(each, Trouble):
            told.append(each.message)
        else:
            told.append(f"{Path(each.source).name} {each.reason or each.outcome}")
    return told


def nothing() -> None:
    pass


async def test_each_change_is_told_once(bench: Bench) -> None:
    told = await follow(
        bench,
        lambda: bench.write("This is b.", "b.txt"),
        nothing,
        lambda: (bench.folder / "a.txt").unlink(),
        lambda: (bench.folder / "b.txt").rename(bench.folder / "c.txt"),
        delete=True,
    )
    assert told == ["a.txt added", "-", "b.txt added", "-", "-", "a.txt deleted", "-", "c.txt moved"]


async def test_a_file_that_takes_too_long_is_not_tried_again_until_it_changes(bench: Bench) -> None:
    asked: list[str] = []
    parser = bench.indexing.parser

    class Counted:
        async def parse(self, path: Path, name: str | None = None, *, scratch: Path | None = None) -> ParsedFile:
            asked.append(Path(name or "").name)
            return await parser.parse(path, name, scratch=scratch)

    bench.syncing = Syncing(replace(bench.indexing, parser=Counted()))
    bench.write("Slow.", "slow.txt")
    told = await follow(bench, nothing, nothing, lambda: bench.write("Still slow.", "slow.txt"))
    assert sorted(told[:2]) == ["a.txt added", "slow.txt timeout"]
    assert told[2:] == ["-", "-", "-"]  # the same failure is no news
    assert sorted(asked) == ["a.txt", "slow.txt", "slow.txt"]


async def test_a_folder_that_is_away_is_trouble_told_once_and_may_come_back(bench: Bench) -> None:
    away = bench.folder.with_name("away")

    def back() -> None:
        away.rename(bench.folder)
        bench.write("This is b.", "b.txt")

    told = await follow(bench, lambda: bench.folder.rename(away), nothing, back, delete=True)
    assert told == ["a.txt added", "-", f"'{bench.folder}' does not exist.", "-", "-", "b.txt added"]


async def test_an_emptied_folder_deletes_nothing(bench: Bench) -> None:
    told = await follow(bench, lambda: (bench.folder / "a.txt").unlink(), delete=True)
    assert told[:2] == ["a.txt added", "-"] and "is the disk mounted" in told[2]
    assert await bench.sources() == ["a.txt"]


async def test_a_wrong_path_is_an_error_at_once(bench: Bench) -> None:
    shutil.rmtree(bench.folder)
    with pytest.raises(InvalidInputError, match="does not exist"):
        await follow(bench)
