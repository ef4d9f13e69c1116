"""The life of a Tantivy index on disk: shared, damaged, foreign, deleted."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest

from contracts import PUBLIC, Selection
from retrieval.sparse.index_folder import remove_index
from retrieval.sparse.tantivy_index import TantivyIndex
from tests.feeds import MemoryFeed

EVERYONE = Selection((PUBLIC,))


def open_index(feed: MemoryFeed, folder: Path, catalog: str = "one") -> TantivyIndex:
    return TantivyIndex(feed, "default", folder=folder, catalog=catalog)


async def found(index: TantivyIndex, text: str) -> list[int]:
    await index.refresh()
    return sorted(key for key, _ in await index.search(text, 100, EVERYONE))


def files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def current(folder: Path) -> Path:
    """Return the folder of the index in use."""
    return folder / "default" / (folder / "default" / "current").read_text()


async def test_a_restart_takes_up_what_is_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed = MemoryFeed()
    feed.put("a", texts=["red"])
    await open_index(feed, tmp_path).refresh()
    before = current(tmp_path)
    feed.put("b", texts=["red wine"])
    feed.delete("a")
    assert await found(open_index(feed, tmp_path), "red") == [2]
    assert current(tmp_path) == before
    assert not caplog.records


async def test_two_on_one_folder_see_the_same(tmp_path: Path) -> None:
    feed = MemoryFeed()
    one, other = open_index(feed, tmp_path), open_index(feed, tmp_path)
    for n in range(12):
        feed.put(f"d{n}", texts=[f"red {n}"])
        assert await asyncio.gather(one.refresh(), other.refresh()) == [n + 1, n + 1]
        assert await found(one, "red") == await found(other, "red") == list(range(1, n + 2))


async def test_what_another_has_written_is_not_written_again(tmp_path: Path) -> None:
    feed = MemoryFeed()
    feed.put("a", texts=["red"])
    await open_index(feed, tmp_path).refresh()
    before = {file: file.stat().st_mtime_ns for file in files(tmp_path)}
    assert await found(open_index(feed, tmp_path), "red") == [1]
    assert {file: file.stat().st_mtime_ns for file in files(tmp_path)} == before


async def test_many_at_once_in_one_process(tmp_path: Path) -> None:
    feed = MemoryFeed()
    index = open_index(feed, tmp_path)
    for n in range(5):
        feed.put(f"d{n}", texts=["red"])
        assert await asyncio.gather(*(found(index, "red") for _ in range(8))) == [list(range(1, n + 2))] * 8


async def test_the_loop_goes_on_while_an_index_is_made(tmp_path: Path) -> None:
    feed = MemoryFeed()
    for n in range(300):
        feed.put(f"d{n}", texts=["some words of a text " * 20] * 5)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            beats += 1

    heart = asyncio.create_task(beat())
    await open_index(feed, tmp_path).refresh()
    heart.cancel()
    assert beats > 5


@pytest.mark.parametrize("harm", ["meta", "truncated", "missing", "empty", "pointer", "all", "garbage"])
async def test_a_damaged_folder_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str) -> None:
    feed = MemoryFeed()
    feed.put("a", texts=["red"], readers=("alice", PUBLIC))
    await open_index(feed, tmp_path).refresh()
    at = current(tmp_path)
    if harm == "meta":
        (at / "meta.json").write_text("{")
    elif harm == "pointer":
        (tmp_path / "default" / "current").write_bytes(b"\xff nowhere")
    elif harm == "all":
        shutil.rmtree(tmp_path)
    else:
        for file in [*at.glob("*.idx"), *at.glob("*.term"), *at.glob("*.fast"), *at.glob("*.store")]:
            if harm == "missing":
                file.unlink()
            else:
                whole = file.read_bytes()
                file.unlink()
                file.write_bytes({"truncated": whole[:-9], "empty": b"", "garbage": b"x" * 500}[harm])
    assert await found(open_index(feed, tmp_path), "red") == [1]
    assert ("indexed anew" in caplog.text) == (harm != "all")
    assert current(tmp_path) != at
    assert not at.exists()


@pytest.mark.parametrize("kind", ["idx", "term", "pos", "fast", "fieldnorm", "store"])
async def test_no_harm_inside_a_file_is_an_error(tmp_path: Path, kind: str) -> None:
    feed = MemoryFeed()
    for n in range(50):
        feed.put(f"d{n}", texts=[f"red wine number {n}"])
    await open_index(feed, tmp_path).refresh()
    for file in current(tmp_path).glob(f"*.{kind}"):
        whole = bytearray(file.read_bytes())
        whole[: len(whole) // 2] = b"\xff" * (len(whole) // 2)
        file.write_bytes(whole)
    index = open_index(feed, tmp_path)
    await index.refresh()
    for query in ("red", '"red wine"'):
        await index.search(query, 5, EVERYONE)
    feed.put("new", texts=["red"])
    assert await index.refresh() == 51
    await index.search("red", 5, EVERYONE)


async def test_a_disk_that_takes_nothing_does_not_matter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed = MemoryFeed()
    feed.put("a", texts=["red"])
    (tmp_path / "file").write_bytes(b"")
    index = open_index(feed, tmp_path / "file")
    assert await found(index, "red") == [1]
    assert "stay in memory" in caplog.text
    feed.put("b", texts=["red"])
    assert await found(index, "red") == [1, 2]


async def test_an_open_index_outlives_its_folder(tmp_path: Path) -> None:
    feed = MemoryFeed()
    index, other = open_index(feed, tmp_path), open_index(feed, tmp_path)
    feed.put("a", texts=["red"])
    assert await found(index, "red") == await found(other, "red") == [1]
    remove_index(tmp_path, "default")
    assert await found(index, "red") == [1]
    feed.put("b", texts=["red"])
    assert await found(index, "red") == [1, 2]
    assert await found(other, "red") == [1, 2]


async def test_the_index_of_another_catalog_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed, foreign = MemoryFeed(), MemoryFeed()
    foreign.put("a", texts=["red secret"])
    await open_index(foreign, tmp_path, "other").refresh()
    feed.put("b", texts=["blue"])
    assert await found(open_index(feed, tmp_path), "red") == []
    assert await found(open_index(feed, tmp_path), "blue") == [1]
    assert "another catalog" in caplog.text


async def test_an_index_ahead_of_the_catalog_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed, restored = MemoryFeed(), MemoryFeed()
    for text in ("red", "green", "blue"):
        feed.put("a", texts=[text])
    open_before = open_index(feed, tmp_path)
    await open_before.refresh()
    restored.put("a", texts=["red"])
    assert await found(open_index(restored, tmp_path), "red blue") == [1]
    assert "ahead of the catalog" in caplog.text


async def test_no_file_holds_words(tmp_path: Path) -> None:
    feed = MemoryFeed()
    marks = ["xanthippemark", "kessel-4711", "geheimreader"]
    feed.put("a", texts=[f"the {marks[0]} and {marks[1]}"], title=marks[0], headings=(marks[1],), readers=(marks[2],))
    feed.put("b", texts=["something else"])
    index = open_index(feed, tmp_path)
    await index.refresh()
    assert len(await index.search(marks[0], 5, Selection((marks[2],)))) == 1
    for file in files(tmp_path):
        held = file.read_bytes()
        assert not any(mark.encode() in held or mark[:8].encode() in held for mark in marks), file


async def test_segments_of_which_most_is_deleted_go(tmp_path: Path) -> None:
    feed = MemoryFeed()
    index = open_index(feed, tmp_path)
    for n in range(20):
        feed.put(f"d{n}", texts=[f"number {n} {i}" for i in range(100)])
    await index.refresh()
    before = {file.name for file in current(tmp_path).glob("*.term")}
    for n in range(15):
        feed.delete(f"d{n}")
    assert len(await found(index, "number")) == 100
    assert index._cleaning is not None
    await index._cleaning
    assert not before & {file.name for file in current(tmp_path).glob("*.term")}
    assert len(await index.search("number", 1000, EVERYONE)) == 500
    assert index.generation == await feed.generation("default") == 35


WRITER = """
import asyncio, sys
from pathlib import Path
from subprocess import PIPE
from retrieval.sparse.tantivy_index import TantivyIndex
from tests.feeds import MemoryFeed

async def main():
    feed = MemoryFeed()
    index = TantivyIndex(feed, "default", folder=Path(sys.argv[1]), catalog="one")
    print(0, flush=True)
    for n, line in enumerate(sys.stdin):
        feed.put(f"d{n}", texts=[f"red {n}"] * 3)
        await index.refresh()
        print(n, flush=True)

asyncio.run(main())
"""


@contextmanager
def writer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that puts a document and writes it with each line that it is sent, and says so."""
    command = [sys.executable, "-c", WRITER, str(folder)]
    root = Path(__file__).parents[4]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, bufsize=1, cwd=root) as process:
        try:
            assert process.stdout is not None and process.stdout.readline()
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("milliseconds", [0, 1, 3, 10, 20, 40, 80])
async def test_a_writer_that_is_killed_leaves_an_index_that_goes_on(
    tmp_path: Path, milliseconds: int, caplog: pytest.LogCaptureFixture
) -> None:
    feed = MemoryFeed()
    with writer(tmp_path) as process:
        assert process.stdin is not None and process.stdout is not None
        for n in range(4):
            feed.put(f"d{n}", texts=[f"red {n}"] * 3)
            process.stdin.write("go\n")
            if n < 3:
                process.stdout.readline()
        await asyncio.sleep(milliseconds / 1000)
    index = open_index(feed, tmp_path)
    assert await index.refresh() == 4
    assert len(await index.search("red", 100, EVERYONE)) == 12
    assert not caplog.records


async def test_a_reader_in_another_process_follows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    feed = MemoryFeed()
    index = open_index(feed, tmp_path)
    with writer(tmp_path) as process:
        assert process.stdin is not None and process.stdout is not None
        for n in range(10):
            feed.put(f"d{n}", texts=[f"red {n}"] * 3)
            process.stdin.write("go\n")
            if n % 2:
                process.stdout.readline()  # else both want to write
            assert await index.refresh() == n + 1
            assert len(await index.search(f"red {n}", 100, EVERYONE)) == 3 * (n + 1)
            if not n % 2:
                process.stdout.readline()
    assert not caplog.records
