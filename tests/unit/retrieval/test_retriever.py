"""Hybrid retrieval: each collection by its own embedder, each passage once, also while things change."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from contracts import Caller, Cutting, DenseIndex, Embedder, NotFoundError, Query, Retrieved, Vectors
from retrieval.dense.exact_index import ExactIndex
from retrieval.embedding.hashing_embedder import HashingEmbedder
from tests.library import EMBEDDER, Shelf, document, embedded, text_hash
from tests.searching import open_retriever

LONGER = HashingEmbedder(512)


class Desk:
    """A retriever over a catalog; `opened` lists the indexes that it opened."""

    def __init__(self, folder: Path) -> None:
        self.shelf = Shelf(folder)
        self.embedders: dict[str, Embedder] = {made.name: made for made in (EMBEDDER, LONGER)}
        self.opened: list[tuple[str, str]] = []
        self.retriever = open_retriever(
            self.shelf, open_embedder=self.embedders.__getitem__, open_dense=self.open_index
        )

    def open_index(self, collection: str, embedder: Embedder) -> DenseIndex:
        self.opened.append((collection, embedder.name))
        return ExactIndex(self.shelf.feed, collection, embedder=embedder.name)

    async def search(self, text: str, *, collection: str = "default", top_k: int = 3) -> Retrieved:
        return await self.retriever.retrieve(Query(text, collection, Caller(), top_k))

    async def switch(self) -> None:
        await self.shelf.builds.begin("default", LONGER.name)
        while missing := await self.shelf.builds.missing("default", LONGER.name, 100):
            vectors = await LONGER.embed([chunk.text for _, _, chunk in missing])
            await self.shelf.builds.add(LONGER.name, [name for name, _, _ in missing], vectors)
        assert await self.shelf.builds.switch("default", LONGER.name)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_each_collection_is_searched_with_its_own_embedder(desk: Desk) -> None:
    await desk.shelf.put("a", "red apples")
    await desk.shelf.collections.ensure("other", LONGER.name, Cutting())
    made, chunks = document("b", "red berries", collection="other")
    await desk.shelf.catalog.put([await embedded(made, chunks, LONGER)], LONGER.name)
    for _ in range(2):
        assert [hit.document.id for hit in (await desk.search("red")).hits] == ["a"]
        assert [hit.document.id for hit in (await desk.search("red", collection="other")).hits] == ["b"]
    assert desk.opened == [("default", EMBEDDER.name), ("other", LONGER.name)]


async def test_after_a_switch_the_new_vectors_are_searched(desk: Desk) -> None:
    await desk.shelf.put("a", "red apples")
    before = await desk.search("red")
    await desk.switch()
    after = await desk.search("red")
    assert [hit.document.id for hit in after.hits] == ["a"]
    assert after.generation == before.generation + 1
    assert desk.opened == [("default", EMBEDDER.name), ("default", LONGER.name)]


async def test_a_switch_in_the_middle_of_a_search_loses_nothing(desk: Desk) -> None:
    class Switching(HashingEmbedder):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            if (await desk.shelf.passages.readable("default", Caller().scope)).embedder == EMBEDDER.name:
                await desk.switch()
            return await super().embed(texts)

    await desk.shelf.put("a", "red apples")
    desk.embedders[EMBEDDER.name] = Switching()
    assert [hit.document.id for hit in (await desk.search("red")).hits] == ["a"]


async def test_the_same_passage_comes_once_and_others_fill_up(desk: Desk) -> None:
    await desk.shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    made, lines = document("a", "\n".join(f"red {n}" for n in range(8)))
    windows = [replace(chunk, text="the whole window", span=(0, 99), focus=chunk.text) for chunk in lines]
    new = await embedded(made, windows)
    texts = [chunk.focus for chunk in windows]
    new = replace(new, hashes=tuple(map(text_hash, texts)), vectors=await EMBEDDER.embed(texts))
    await desk.shelf.catalog.put([new], EMBEDDER.name)
    await desk.shelf.put("b", "a red one among many others")
    await desk.shelf.put("c", "something else")
    found = await desk.search("red 3")
    assert [hit.document.id for hit in found.hits] == ["a", "b", "c"]
    assert found.hits[0].chunk.focus == "red 3"
    assert [hit.document.id for hit in (await desk.search("red 3", top_k=1)).hits] == ["a"]


async def test_a_collection_that_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="'default' holds no documents"):
        await desk.search("red")
    await desk.shelf.put("a", "red")
    await desk.search("red")
    await desk.shelf.collections.delete("default")
    with pytest.raises(NotFoundError, match="'default' holds no documents"):
        await desk.search("red")
    await desk.shelf.put("b", "red")
    assert [hit.document.id for hit in (await desk.search("red")).hits] == ["b"]
