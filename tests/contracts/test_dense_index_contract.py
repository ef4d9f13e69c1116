"""Dense indexes: FAISS and the plain one find the same, and follow the catalog."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from contracts import DenseIndex
from ingestion.sql_catalog import read_identity
from retrieval.exact_index import ExactIndex
from retrieval.faiss_index import FaissIndex
from tests.library import EMBEDDER, Shelf

Open = Callable[[], DenseIndex]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def faiss_index(shelf: Shelf, snapshot: Path | None = None, embedder: str = EMBEDDER.name) -> FaissIndex:
    return FaissIndex(
        shelf.feed,
        "default",
        embedder=embedder,
        dimension=EMBEDDER.dimension,
        snapshot=snapshot,
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
    await shelf.catalog.delete("default", "a")
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


async def test_a_snapshot_is_taken_up_where_it_ended(shelf: Shelf, tmp_path: Path) -> None:
    snapshot = tmp_path / "index" / "default.npz"
    await shelf.put("a", "red")
    await shelf.put("b", "green")
    first = faiss_index(shelf, snapshot)
    await first.refresh()
    await first.save()
    await shelf.put("c", "blue")
    await shelf.catalog.delete("default", "a")
    assert set(await texts(shelf, faiss_index(shelf, snapshot), "red")) == {"green", "blue"}


@pytest.mark.parametrize("harm", ["garbage", "truncated", "nothing", "other catalog", "later generation"])
async def test_a_snapshot_that_does_not_fit_is_rebuilt(shelf: Shelf, tmp_path: Path, harm: str) -> None:
    snapshot = tmp_path / "default.npz"
    await shelf.put("a", "red")
    await shelf.put("a", "green")
    first = faiss_index(shelf, snapshot)
    await first.refresh()
    await first.save()
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
    assert await texts(shelf, faiss_index(shelf, snapshot), "red") == ["green"]
