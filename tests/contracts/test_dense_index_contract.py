"""Dense indexes: FAISS and the plain one find the same, and follow the catalog."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contracts import Cutting, DenseIndex, Vectors
from ingestion.catalog.sql_catalog import read_identity
from retrieval.exact_index import ExactIndex
from retrieval.faiss_index import FaissIndex
from retrieval.index_snapshots import remove_snapshots, snapshot_path
from tests.library import EMBEDDER, Shelf, document, embedded, text_hash

Open = Callable[[], DenseIndex]


def faiss_index(shelf: Shelf, folder: Path | None = None, embedder: str = EMBEDDER.name) -> FaissIndex:
    return FaissIndex(
        shelf.feed,
        "default",
        embedder=embedder,
        dimension=EMBEDDER.dimension,
        folder=folder,
        catalog=read_identity(shelf.engine),
    )


@pytest.fixture(params=["faiss", "exact"])
def index(request: pytest.FixtureRequest, shelf: Shelf) -> DenseIndex:
    if request.param == "faiss":
        return faiss_index(shelf)
    return ExactIndex(shelf.feed, "default", embedder=EMBEDDER.name)


async def texts(
    shelf: Shelf, index: DenseIndex, query: str, k: int = 3, allowed: frozenset[str] | None = None
) -> list[str]:
    await index.refresh()
    found = await index.search((await EMBEDDER.embed([query]))[0], k, allowed)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    passages = await shelf.passages.hydrate([key for key, _ in found])
    return [passages[key][0].text for key, _ in found]


async def test_the_nearest_come_first(shelf: Shelf, index: DenseIndex) -> None:
    await shelf.put("a", "the tram stops at noon\nthe museum opens in May")
    await shelf.put("b", "a ticket costs two euros")
    assert (await texts(shelf, index, "when does the museum open in May"))[0] == "the museum opens in May"
    assert (await texts(shelf, index, "what costs a ticket", k=1)) == ["a ticket costs two euros"]


async def test_an_empty_collection_has_no_hits(shelf: Shelf, index: DenseIndex) -> None:
    assert await texts(shelf, index, "anything") == []


async def test_changes_and_deletions_are_followed(shelf: Shelf, index: DenseIndex) -> None:
    await shelf.put("a", "red\ngreen")
    assert set(await texts(shelf, index, "red")) == {"red", "green"}
    await shelf.put("a", "blue")
    assert await texts(shelf, index, "red") == ["blue"]
    await shelf.catalog.delete("default", ["a"])
    assert await texts(shelf, index, "red") == []
    assert index.generation == 3


async def test_only_allowed_documents_are_searched(shelf: Shelf, index: DenseIndex) -> None:
    await shelf.put("a", "red apple")
    await shelf.put("b", "red apple pie")
    assert await texts(shelf, index, "red apple", allowed=frozenset({"b"})) == ["red apple pie"]
    assert await texts(shelf, index, "red apple", allowed=frozenset()) == []


async def test_both_find_the_same_with_the_same_scores(shelf: Shelf) -> None:
    for n in range(30):
        await shelf.put(f"d{n}", f"document {n} about topic {n % 7}\nand a second line {n * n}")
    one, other = faiss_index(shelf), ExactIndex(shelf.feed, "default", embedder=EMBEDDER.name)
    await one.refresh()
    await other.refresh()
    for query in ("topic 3", "second line 49", "document 12"):
        vector = (await EMBEDDER.embed([query]))[0]
        mine, theirs = await one.search(vector, 10, None), await other.search(vector, 10, None)
        np.testing.assert_allclose([s for _, s in mine], [s for _, s in theirs], rtol=1e-5)


async def test_many_documents_are_followed_in_batches(shelf: Shelf, index: DenseIndex) -> None:
    await shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    new = [await embedded(*document(f"d{n}", f"number {n}\nsecond {n}")) for n in range(600)]
    await shelf.catalog.put(new, EMBEDDER.name)
    assert "number 599" in await texts(shelf, index, "number 599", k=10)  # other numbers may have the same vector
    await shelf.catalog.delete("default", [f"d{n}" for n in range(599)])
    assert set(await texts(shelf, index, "number 5")) == {"number 599", "second 599"}
    assert index.generation == 2


async def test_a_switch_of_the_embedder_empties_the_former_view(shelf: Shelf, index: DenseIndex) -> None:
    await shelf.put("a", "red")
    assert await texts(shelf, index, "red") == ["red"]
    await shelf.builds.begin("default", "next")
    await shelf.builds.add("next", [text_hash("red")], await EMBEDDER.embed(["red"]))
    assert await shelf.builds.switch("default", "next")
    assert await texts(shelf, index, "red") == []
    assert await texts(shelf, faiss_index(shelf, embedder="next"), "red") == ["red"]


async def test_a_snapshot_is_taken_up_where_it_ended(shelf: Shelf, tmp_path: Path) -> None:
    await shelf.put("a", "red")
    await shelf.put("b", "green")
    await faiss_index(shelf, tmp_path / "index").refresh()
    assert snapshot_path(tmp_path / "index", "default", EMBEDDER.name).exists()
    await shelf.put("c", "blue")
    await shelf.catalog.delete("default", ["a"])
    assert set(await texts(shelf, faiss_index(shelf, tmp_path / "index"), "red")) == {"green", "blue"}


async def test_a_snapshot_never_holds_vectors_that_are_gone(shelf: Shelf, tmp_path: Path) -> None:
    def holds(vector: Vectors) -> bool:
        files = [file for file in (tmp_path / "index").rglob("*") if file.is_file()]
        return any(vector.tobytes() in file.read_bytes() for file in files)

    red, green = await EMBEDDER.embed(["red", "green"])
    index = faiss_index(shelf, tmp_path / "index")
    await shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    many = [await embedded(*document(f"d{n}", f"number {n}")) for n in range(100)]
    await shelf.catalog.put([*many, await embedded(*document("a", "red"))], EMBEDDER.name)
    await index.refresh()
    assert holds(red)
    await shelf.put("a", "green")
    await index.refresh()
    assert not holds(red)
    for n in range(6):
        await shelf.put(f"d{n}", "anew")
    await index.refresh()
    assert holds(green)
    await shelf.catalog.delete(
        "default", [found.document.id for found in await shelf.catalog.list("default", limit=200)]
    )
    await index.refresh()
    assert not holds(green)


async def test_a_snapshot_that_was_removed_is_written_again(shelf: Shelf, tmp_path: Path) -> None:
    index = faiss_index(shelf, tmp_path)
    path = snapshot_path(tmp_path, "default", EMBEDDER.name)
    await shelf.put("a", "red")
    await index.refresh()
    remove_snapshots(tmp_path, "default")
    assert not path.parent.exists()
    await shelf.put("b", "green")
    await index.refresh()
    assert path.exists()


async def test_only_the_snapshot_of_the_present_embedder_is_kept(shelf: Shelf, tmp_path: Path) -> None:
    await shelf.put("a", "red")
    await faiss_index(shelf, tmp_path).refresh()
    (tmp_path / "default" / "abc.123.new").write_bytes(b"half-written")
    await faiss_index(shelf, tmp_path, embedder="next").refresh()
    assert list((tmp_path / "default").iterdir()) == []


async def test_a_disk_that_takes_no_snapshot_does_not_matter(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    await shelf.put("a", "red")
    assert await texts(shelf, faiss_index(shelf, tmp_path / "file"), "red") == ["red"]
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("harm", ["garbage", "truncated", "nothing", "other catalog", "later generation"])
async def test_a_snapshot_that_does_not_fit_is_rebuilt(tmp_path: Path, harm: str) -> None:
    shelf, folder = Shelf(tmp_path), tmp_path / "index"
    snapshot = snapshot_path(folder, "default", EMBEDDER.name)
    await shelf.put("a", "red")
    await shelf.put("a", "green")
    await faiss_index(shelf, folder).refresh()
    if harm == "garbage":
        snapshot.write_bytes(b"no snapshot at all")
    elif harm == "truncated":
        snapshot.write_bytes(snapshot.read_bytes()[:-200])
    elif harm == "nothing":
        snapshot.write_bytes(b"")
    elif harm == "other catalog":
        shelf = Shelf(tmp_path / "other")
        for text in ("violet", "white", "green"):
            await shelf.put("a", text)
    elif harm == "later generation":
        shelf = Shelf(tmp_path / "restored")
        await shelf.put("a", "green")
    assert await texts(shelf, faiss_index(shelf, folder), "red") == ["green"]
