"""Dense indexes: FAISS and the plain one find the same, follow the catalog, and show nobody what is not theirs."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from contracts import PUBLIC, DenseIndex, Selection
from retrieval.dense.exact_index import ExactIndex
from retrieval.dense.faiss_index import FaissIndex
from retrieval.dense.index_policy import IndexPolicy
from tests.feeds import MemoryFeed
from tests.library import EMBEDDER, Shelf, text_hash

GRAPH = IndexPolicy(exact_rows=10, graph_rows=100_000, tail_rows=20)
LISTS = IndexPolicy(exact_rows=10, graph_rows=10, tail_rows=20)
SMALL_LISTS = IndexPolicy(exact_rows=10, graph_rows=10, tail_rows=20, memory_bytes=0)
POLICIES = {"faiss": IndexPolicy(), "graph": GRAPH, "lists": LISTS, "small lists": SMALL_LISTS}
ALL = Selection((PUBLIC,))


class Library:
    """Documents whose texts are told apart by their vectors, a chunk per line."""

    def __init__(self) -> None:
        self.feed = MemoryFeed()
        self.texts: dict[int, str] = {}

    async def put(self, name: str, text: str, *readers: str) -> tuple[int, ...]:
        lines = text.splitlines()
        keys = self.feed.put(name, vectors=await EMBEDDER.embed(lines), readers=readers or (PUBLIC,))
        self.texts.update(zip(keys, lines, strict=True))
        return keys

    def index(self, kind: str) -> DenseIndex:
        if kind == "exact":
            return ExactIndex(self.feed, "default", embedder="")
        return FaissIndex(
            self.feed, "default", embedder="", dimension=EMBEDDER.dimension, policy=POLICIES[kind], quiet_s=0.001
        )

    async def find(self, index: DenseIndex, query: str, k: int = 3, selection: Selection = ALL) -> list[str]:
        await index.refresh()
        found = await index.search((await EMBEDDER.embed([query]))[0], k, selection)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        return [self.texts[key] for key, _ in found]


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture(params=["exact", *POLICIES])
async def index(request: pytest.FixtureRequest, library: Library) -> AsyncIterator[DenseIndex]:
    made = library.index(request.param)
    yield made
    if isinstance(made, FaissIndex):
        await made.aclose()


async def settle(index: DenseIndex) -> None:
    """Wait until a structure is built, if one is to be."""
    await index.refresh()
    if isinstance(index, FaissIndex):
        await index.settle()


async def test_the_nearest_come_first(library: Library, index: DenseIndex) -> None:
    await library.put("a", "the tram stops at noon\nthe museum opens in May")
    await library.put("b", "a ticket costs two euros")
    assert (await library.find(index, "when does the museum open in May"))[0] == "the museum opens in May"
    assert await library.find(index, "what costs a ticket", k=1) == ["a ticket costs two euros"]


async def test_an_empty_collection_has_no_hits(library: Library, index: DenseIndex) -> None:
    assert await library.find(index, "anything") == []
    assert await index.vectors([1, 2]) == {}
    assert index.generation == 0


async def test_a_document_without_chunks_has_no_hits(library: Library, index: DenseIndex) -> None:
    await library.put("a", "")
    assert await library.find(index, "anything") == []
    await library.put("a", "red")
    assert await library.find(index, "anything") == ["red"]


async def test_no_more_than_there_is(library: Library, index: DenseIndex) -> None:
    await library.put("a", "red\ngreen")
    assert set(await library.find(index, "red", k=100_000)) == {"red", "green"}
    assert await library.find(index, "red", k=0) == []


async def test_changes_and_deletions_are_followed(library: Library, index: DenseIndex) -> None:
    await library.put("a", "red\ngreen")
    assert set(await library.find(index, "red")) == {"red", "green"}
    await library.put("a", "blue")
    assert await library.find(index, "red") == ["blue"]
    library.feed.delete("a")
    assert await library.find(index, "red") == []
    assert index.generation == 3


async def test_only_selected_documents_are_searched(library: Library, index: DenseIndex) -> None:
    await library.put("a", "red apple")
    await library.put("b", "red apple pie")
    await library.put("c", "red apple cake", "alice")
    assert await library.find(index, "red apple", selection=Selection((PUBLIC,), frozenset({"b", "c"}))) == [
        "red apple pie"
    ]
    assert await library.find(index, "red apple", selection=Selection((PUBLIC,), frozenset())) == []
    assert await library.find(index, "red apple", selection=Selection((PUBLIC,), frozenset({"gone"}))) == []


async def test_a_scope_finds_what_one_of_its_readers_may_read(library: Library, index: DenseIndex) -> None:
    await library.put("a", "red for all")
    await library.put("b", "red for alice", "alice")
    await library.put("c", "red for staff", "staff", "bob")
    assert set(await library.find(index, "red", selection=Selection(("*", "alice")))) == {
        "red for all",
        "red for alice",
    }
    assert set(await library.find(index, "red", selection=Selection(("*", "staff")))) == {
        "red for all",
        "red for staff",
    }
    assert await library.find(index, "red", selection=Selection(("carol",))) == []
    assert await library.find(index, "red", selection=Selection(())) == []


async def test_other_readers_need_no_new_vectors(library: Library, index: DenseIndex) -> None:
    (key,) = await library.put("a", "red")
    await library.put("b", "green")
    alice, bob = Selection(("*", "alice")), Selection(("*", "bob"))
    assert set(await library.find(index, "red", selection=bob)) == {"red", "green"}
    library.feed.share("a", "alice")
    assert await library.find(index, "red", selection=bob) == ["green"]
    assert set(await library.find(index, "red", selection=alice)) == {"red", "green"}
    library.feed.share("a", "alice", "bob")
    assert set(await library.find(index, "red", selection=bob)) == {"red", "green"}
    assert list(await index.vectors([key])) == [key]


async def test_vectors_by_key(library: Library, index: DenseIndex) -> None:
    red, green = await library.put("a", "red\ngreen")
    (blue,) = await library.put("b", "blue")
    await index.refresh()
    found = await index.vectors([blue, red, 999, red])
    assert set(found) == {blue, red}
    np.testing.assert_array_equal(found[red], (await EMBEDDER.embed(["red"]))[0])
    np.testing.assert_array_equal(found[blue], (await EMBEDDER.embed(["blue"]))[0])
    library.feed.delete("a")
    await index.refresh()
    assert set(await index.vectors([red, green, blue])) == {blue}


async def test_many_documents_are_followed_in_batches(library: Library, index: DenseIndex) -> None:
    for n in range(600):
        await library.put(f"d{n}", f"number {n}\nsecond {n}")
    await settle(index)
    assert len(await library.find(index, "number 5", k=1200)) == 1200
    for n in range(599):
        library.feed.delete(f"d{n}")
    assert set(await library.find(index, "number 5")) == {"number 599", "second 599"}
    await settle(index)
    assert set(await library.find(index, "number 5")) == {"number 599", "second 599"}
    assert index.generation == 600 + 599


async def test_what_is_gone_or_not_shared_is_not_found_while_a_structure_still_holds_it(
    library: Library, index: DenseIndex
) -> None:
    for n in range(100):
        await library.put(f"d{n}", f"topic {n % 10}\nnumber {n} of many", *(["alice"] if n % 2 else []))
    await settle(index)
    library.feed.delete("d4")
    library.feed.share("d6", "alice")
    await library.put("d8", "number 8 anew")
    found = await library.find(index, "number of many", k=300)
    kept = {f"number {n} of many" for n in range(0, 100, 2)} - {f"number {n} of many" for n in (4, 6, 8)}
    assert {text for text in found if text.startswith("number")} == {*kept, "number 8 anew"}
    assert "number 8 anew" in await library.find(index, "number 8 anew", k=2)


async def test_searches_go_on_while_the_collection_changes(library: Library, index: DenseIndex) -> None:
    for n in range(60):
        await library.put(f"d{n}", f"old {n}\nother {n}")
    await index.refresh()
    vector = (await EMBEDDER.embed(["old other new"]))[0]

    async def search() -> None:
        for _ in range(30):
            found = [library.texts[key].split() for key, _ in await index.search(vector, 1000, ALL)]
            assert len(found) == 120  # each document is there once: before its change, or after it
            assert sorted(n for _, n in found) == sorted([*map(str, range(60))] * 2)

    async def change() -> None:
        for n in range(60):
            await library.put(f"d{n}", f"new {n}\nother {n}")
            await index.refresh()

    await asyncio.gather(search(), search(), search(), change())
    await settle(index)
    assert all("old" not in text for text in await library.find(index, "old", k=1000))


@pytest.mark.parametrize("kind", POLICIES)
async def test_both_find_the_same_with_the_same_scores(library: Library, kind: str) -> None:
    random = np.random.default_rng(7)
    rows = np.repeat(random.standard_normal((40, EMBEDDER.dimension)), 10, axis=0).astype(np.float32)
    rows += random.standard_normal(rows.shape, dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for n in range(0, 400, 4):
        library.feed.put(f"d{n}", vectors=rows[n : n + 4], readers=(("*", "alice", "bob")[n % 3],))
    one, other = library.index(kind), library.index("exact")
    for index in (one, other):
        await settle(index)
    shared = 0
    for n, scope in enumerate([("*",), ("*", "alice"), ("bob",), ("*", "alice", "bob")] * 10):
        mine = dict(await one.search(rows[n], 10, Selection(scope)))
        theirs = dict(await other.search(rows[n], 10, Selection(scope)))
        assert len(mine) == 10
        both = mine.keys() & theirs.keys()
        shared += len(both)
        np.testing.assert_allclose([mine[key] for key in both], [theirs[key] for key in both], rtol=1e-5)
    assert shared >= (400 if kind == "faiss" else 380)


async def test_a_catalog_that_was_restored_is_read_anew(library: Library, index: DenseIndex) -> None:
    for text in ("red", "green", "blue"):
        await library.put("a", text)
    assert await library.find(index, "red") == ["blue"]
    library.feed.restore()
    await library.put("b", "violet")
    assert await library.find(index, "red") == ["violet"]
    assert index.generation == 1


@pytest.fixture(params=["exact", "faiss"])
def on_catalog(request: pytest.FixtureRequest, shelf: Shelf) -> Callable[[str], DenseIndex]:
    """Return what opens a view of the real catalog for an embedder."""

    def open_view(embedder: str) -> DenseIndex:
        if request.param == "exact":
            return ExactIndex(shelf.feed, "default", embedder=embedder)
        return FaissIndex(shelf.feed, "default", embedder=embedder, dimension=EMBEDDER.dimension, quiet_s=3600)

    return open_view


async def scores(index: DenseIndex, text: str, scope: tuple[str, ...] = (PUBLIC,)) -> list[float]:
    await index.refresh()
    found = await index.search((await EMBEDDER.embed([text]))[0], 10, Selection(scope))
    return [round(score, 3) for _, score in found]


async def test_the_catalogs_changes_are_followed(shelf: Shelf, on_catalog: Callable[[str], DenseIndex]) -> None:
    index = on_catalog(EMBEDDER.name)
    await shelf.put("a", "red")
    await shelf.put("b", "green", readers=("alice",))
    assert await scores(index, "red") == [1]
    assert await scores(index, "green", ("*", "alice")) == [1, 0]
    await shelf.put("b", "green", readers=("bob",))
    assert await scores(index, "green", ("*", "alice")) == [0]
    assert await scores(index, "green", ("*", "bob")) == [1, 0]
    await shelf.catalog.delete("default", ["a", "b"])
    assert await scores(index, "red", ("*", "bob")) == []


async def test_a_switch_of_the_embedder_empties_the_former_view(
    shelf: Shelf, on_catalog: Callable[[str], DenseIndex]
) -> None:
    index = on_catalog(EMBEDDER.name)
    await shelf.put("a", "red")
    assert await scores(index, "red") == [1]
    await shelf.builds.begin("default", "next")
    await shelf.builds.add("next", [text_hash("red")], await EMBEDDER.embed(["red"]))
    assert await shelf.builds.switch("default", "next")
    assert await scores(index, "red") == []
    assert await scores(on_catalog("next"), "red") == [1]
