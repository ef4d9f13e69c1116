"""Snapshots of the FAISS view: taken up, discarded, damaged, foreign, and shared between processes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contracts import PUBLIC, Selection, Vectors
from retrieval.dense.faiss_index import FaissIndex
from retrieval.dense.index_policy import IndexPolicy
from retrieval.dense.index_snapshots import SnapshotPlace, remove_snapshots
from tests.feeds import MemoryFeed

DIMENSION = 16
GRAPH = IndexPolicy(exact_rows=20, graph_rows=100_000, tail_rows=20)
LISTS = IndexPolicy(exact_rows=20, graph_rows=20, tail_rows=20)
ALL = Selection((PUBLIC,))


def rows(seed: int, count: int = 1) -> Vectors:
    made = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


class Counting(MemoryFeed):
    """A feed that counts the documents whose vectors were fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched = 0

    async def vectors(self, document_ids, embedder):  # type: ignore[no-untyped-def]
        self.fetched += len(document_ids)
        return await super().vectors(document_ids, embedder)


@pytest.fixture
def feed() -> Counting:
    made = Counting()
    for n in range(100):
        made.put(f"d{n}", vectors=rows(n))
    return made


def open_index(
    feed: MemoryFeed,
    folder: Path,
    *,
    embedder: str = "e",
    catalog: str = "",
    policy: IndexPolicy | None = None,
    quiet_s: float = 3600,
) -> FaissIndex:
    return FaissIndex(
        feed,
        "c",
        embedder=embedder,
        dimension=DIMENSION,
        folder=folder,
        catalog=catalog,
        policy=policy,
        quiet_s=quiet_s,
    )


async def settled(index: FaissIndex) -> FaissIndex:
    await index.refresh()
    await index.settle()
    return index


async def best(index: FaissIndex, vector: Vectors) -> float:
    """Return how similar the nearest is."""
    await index.refresh()
    return (await index.search(vector[0], 1, ALL))[0][1]


def holds(folder: Path, vector: Vectors) -> bool:
    return any(vector.tobytes() in file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("policy", [None, GRAPH, LISTS], ids=["exact", "graph", "lists"])
async def test_a_snapshot_is_taken_up_where_it_ended(
    feed: Counting, tmp_path: Path, policy: IndexPolicy | None
) -> None:
    await settled(open_index(feed, tmp_path, policy=policy))
    assert SnapshotPlace(tmp_path, "c", "e").newest() is not None
    feed.put("new", vectors=rows(500))
    feed.delete("d3")
    feed.fetched = 0
    index = open_index(feed, tmp_path, policy=policy)
    assert await best(index, rows(500)) == pytest.approx(1)
    assert await best(index, rows(3)) < 0.95
    assert await best(index, rows(4)) == pytest.approx(1)
    assert feed.fetched == 2


async def test_the_structure_comes_with_the_snapshot(feed: Counting, tmp_path: Path) -> None:
    await settled(open_index(feed, tmp_path, policy=LISTS))
    index = open_index(feed, tmp_path, policy=LISTS)
    await index.refresh()
    structure = index._state.structure
    assert structure is not None and structure.covers == 100
    assert await best(index, rows(4)) == pytest.approx(1)


@pytest.mark.parametrize("policy", [None, GRAPH, LISTS], ids=["exact", "graph", "lists"])
async def test_a_snapshot_never_holds_vectors_that_are_gone(
    feed: Counting, tmp_path: Path, policy: IndexPolicy | None
) -> None:
    index = await settled(open_index(feed, tmp_path, policy=policy))
    assert holds(tmp_path, rows(7))
    feed.put("d7", vectors=rows(700))
    await index.refresh()
    assert not holds(tmp_path, rows(7))
    await index.settle()
    assert holds(tmp_path, rows(700)) and not holds(tmp_path, rows(7))
    for n in range(100):
        feed.delete(f"d{n}")
    await settled(index)
    assert not holds(tmp_path, rows(8))
    assert await index.search(rows(8)[0], 5, ALL) == ()


async def test_other_readers_leave_the_snapshot(feed: Counting, tmp_path: Path) -> None:
    index = await settled(open_index(feed, tmp_path))
    before = SnapshotPlace(tmp_path, "c", "e").newest()
    feed.share("d7", "alice")
    await settled(index)
    assert SnapshotPlace(tmp_path, "c", "e").newest() == before
    again = open_index(feed, tmp_path)
    assert await best(again, rows(7)) < 0.95


async def test_a_snapshot_that_was_removed_is_written_again(feed: Counting, tmp_path: Path) -> None:
    index = await settled(open_index(feed, tmp_path))
    remove_snapshots(tmp_path, "c")
    assert not (tmp_path / "c").exists()
    assert await best(index, rows(9)) == pytest.approx(1)  # the files are gone, but still mapped
    feed.put("new", vectors=rows(500))
    await settled(index)
    assert holds(tmp_path, rows(500))
    assert await best(index, rows(9)) == pytest.approx(1)


async def test_a_snapshot_is_not_finished_when_all_were_removed_meanwhile(feed: Counting, tmp_path: Path) -> None:
    index = open_index(feed, tmp_path)
    await index.refresh()
    upkeep = index._upkeep
    epoch = upkeep._epoch
    await index.settle()
    remove_snapshots(tmp_path, "c")
    upkeep._place.epoch()  # type: ignore[union-attr]
    upkeep._epoch = epoch  # as if it had read the catalog before the removal
    upkeep._save(index._state.freeze())
    assert not holds(tmp_path, rows(7))


async def test_only_the_snapshot_of_the_present_embedder_is_kept(feed: Counting, tmp_path: Path) -> None:
    await settled(open_index(feed, tmp_path))
    (tmp_path / "c" / "abc.new").mkdir()
    (tmp_path / "c" / "abc.new" / "vectors.npy").write_bytes(rows(7).tobytes())
    (tmp_path / "c" / "0123.npz").write_bytes(rows(7).tobytes())
    (tmp_path / "c.npz").write_bytes(rows(7).tobytes())
    await open_index(MemoryFeed(), tmp_path, embedder="next").refresh()
    assert not holds(tmp_path, rows(7))


async def test_closing_writes_what_is_due(feed: Counting, tmp_path: Path) -> None:
    index = open_index(feed, tmp_path)
    await index.refresh()
    assert not holds(tmp_path, rows(7))
    await index.aclose()
    assert holds(tmp_path, rows(7))


async def test_a_disk_that_takes_no_snapshot_does_not_matter(
    feed: Counting, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    index = open_index(feed, tmp_path / "file", policy=GRAPH)
    await settled(index)
    assert await best(index, rows(7)) == pytest.approx(1)
    assert "cannot be written" in caplog.text
    await index.aclose()


def _truncate(snapshot: Path) -> None:
    for file in snapshot.glob("vectors.npy"):
        file.write_bytes(file.read_bytes()[:-200])


def _garble(snapshot: Path) -> None:
    for file in snapshot.iterdir():
        file.write_bytes(b"no snapshot at all")


def _garble_structure(snapshot: Path) -> None:
    file = snapshot / "structure.faiss"
    file.write_bytes(b"x" * file.stat().st_size)


def _lose(snapshot: Path) -> None:
    (snapshot / "state.json").unlink()


@pytest.mark.parametrize("harm", [_truncate, _garble, _garble_structure, _lose])
async def test_a_damaged_snapshot_is_rebuilt(
    feed: Counting, tmp_path: Path, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    await settled(open_index(feed, tmp_path, policy=GRAPH))
    snapshot = SnapshotPlace(tmp_path, "c", "e").newest()
    assert snapshot is not None
    harm(snapshot)
    index = await settled(open_index(feed, tmp_path, policy=GRAPH))
    assert await best(index, rows(7)) == pytest.approx(1)
    assert "is unreadable" in caplog.text
    assert not snapshot.exists() and holds(tmp_path, rows(7))


async def test_a_snapshot_of_another_catalog_is_not_read(feed: Counting, tmp_path: Path) -> None:
    await settled(open_index(feed, tmp_path, catalog="one"))
    other = Counting()
    for n in range(100):
        other.put("a", vectors=rows(1000 + n))
    assert await best(open_index(other, tmp_path, catalog="two"), rows(7)) < 0.95


async def test_a_snapshot_from_later_than_the_catalog_is_not_read(feed: Counting, tmp_path: Path) -> None:
    await settled(open_index(feed, tmp_path))
    restored = Counting()
    restored.put("a", vectors=rows(1000))
    assert await best(open_index(restored, tmp_path), rows(7)) < 0.95


async def test_one_process_builds_and_the_other_takes_it_over(feed: Counting, tmp_path: Path) -> None:
    one, other = (open_index(feed, tmp_path, policy=LISTS) for _ in range(2))
    await other.refresh()
    with SnapshotPlace(tmp_path, "c", "e").writing() as alone:
        assert alone
        other._upkeep._tend()
        assert other._state.structure is None
    await settled(one)
    other._upkeep._tend()
    assert other._upkeep.wants_reading
    feed.put("new", vectors=rows(500))
    feed.fetched = 0
    await other.refresh()
    assert other._state.structure is not None and feed.fetched == 1
    assert await best(other, rows(7)) == pytest.approx(1)
    assert await best(other, rows(500)) == pytest.approx(1)


async def test_many_dead_slots_are_dropped(feed: Counting, tmp_path: Path) -> None:
    index = await settled(open_index(feed, tmp_path, policy=LISTS))
    for n in range(70):
        feed.put(f"d{n}", vectors=rows(1000 + n, 2))
    await index.refresh()
    assert index._state.count == 240
    await index.settle()
    assert (index._state.count, index._state.dead) == (170, 0)
    assert await best(index, rows(1069, 2)[1:]) == pytest.approx(1)
    assert await best(index, rows(71)) == pytest.approx(1)
    feed.delete("d71")
    feed.put("d72", vectors=rows(72), readers=("alice",))
    assert await best(index, rows(71)) < 0.95
    assert await best(index, rows(72)) < 0.95


async def test_a_mapped_snapshot_may_be_removed_while_it_is_searched(feed: Counting, tmp_path: Path) -> None:
    index = await settled(open_index(feed, tmp_path, policy=GRAPH))
    shutil.rmtree(tmp_path / "c")
    assert await best(index, rows(7)) == pytest.approx(1)
    await index.aclose()


async def test_a_removal_that_follows_its_change_does_not_keep_the_snapshot_from_being_written(
    feed: Counting, tmp_path: Path
) -> None:
    index = await settled(open_index(feed, tmp_path))
    feed.delete("d0")
    await index.refresh()
    remove_snapshots(tmp_path, "c")  # as whoever deletes does once the catalog has it
    await index.settle()
    assert SnapshotPlace(tmp_path, "c", "e").newest() is None
    await settled(index)
    assert SnapshotPlace(tmp_path, "c", "e").newest() is not None
    await index.aclose()


async def test_a_foreign_snapshot_that_cannot_be_removed_is_passed_over(
    feed: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await settled(open_index(feed, tmp_path, catalog="one"))).aclose()

    def refuse(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(shutil, "rmtree", refuse)
    index = open_index(feed, tmp_path, catalog="other")
    assert await index.refresh() == 100
    await index.aclose()
