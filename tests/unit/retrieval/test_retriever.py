"""Hybrid retrieval: each collection by its own embedder, each passage once, also while things change."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from contracts import (
    Caller,
    Cutting,
    DenseIndex,
    Embedder,
    Filter,
    Hit,
    InvalidInputError,
    NotFoundError,
    Query,
    Readable,
    Retrieved,
    Rewording,
    SearchMode,
    Selection,
    Standing,
    Vectors,
    Wording,
)
from observability.recording_tracer import NullTracer
from retrieval.dense.exact_index import ExactIndex
from retrieval.embedding.hashing_embedder import HashingEmbedder
from retrieval.retriever import RetrievalPolicy
from retrieval.sparse.scanning_index import ScanningIndex
from retrieval.steps import Steps
from retrieval.views import Views, Wanted
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


def stood(hit: Hit) -> dict[str, int]:
    return {standing.step: standing.rank for standing in hit.standings}


async def test_a_hit_says_where_it_stood_after_each_step(desk: Desk) -> None:
    await desk.shelf.put("a", "red apples")
    await desk.shelf.put("b", "red cars and more")
    await desk.shelf.put("c", "green")
    found = await desk.search("red apples")
    first = found.hits[0]
    assert (first.document.id, stood(first)) == ("a", {"dense": 1, "sparse": 1, "fusion": 1})
    assert first.similarity == pytest.approx(1, abs=1e-3)
    assert [hit.standings[-1].rank for hit in found.hits] == [1, 2, 3]
    assert "sparse" not in stood(found.hits[2])
    assert set(found.timings) == {"embed", "dense", "sparse", "fusion", "fetch", "retrieve"}


async def test_each_view_can_be_asked_alone(desk: Desk) -> None:
    await desk.shelf.put("a", "red apples")
    await desk.shelf.put("b", "green pears")
    for mode, views in ((SearchMode.DENSE, {"dense"}), (SearchMode.SPARSE, {"sparse"})):
        found = await desk.retriever.retrieve(Query("red", "default", Caller(), 5, mode=mode))
        assert set(stood(found.hits[0])) == {*views, "fusion"}
        assert (found.hits[0].similarity is None) == (mode is SearchMode.SPARSE)
    assert [hit.document.id for hit in found.hits] == ["a"]


async def test_filters_hold_in_both_views(desk: Desk) -> None:
    for year in ("1999", "2005", "2020"):
        await desk.shelf.put(f"d{year}", f"red apples of {year}", year=year)
    for mode in SearchMode:
        wanted = (Filter("year", at_least="2000", below="2020"),)
        found = await desk.retriever.retrieve(Query("red apples", "default", Caller(), 5, wanted, mode))
        assert [hit.document.id for hit in found.hits] == ["d2005"]
    with pytest.raises(InvalidInputError):
        await desk.retriever.retrieve(Query("red", "default", Caller(), 5, (Filter("year"),)))


async def test_a_reranker_has_the_last_word(desk: Desk) -> None:
    class Longest:
        name = "longest"

        async def score(self, query: str, hits: Sequence[Hit]) -> Sequence[float]:
            return [float(len(hit.chunk.text)) for hit in hits]

    retriever = open_retriever(desk.shelf, reranker=Longest())
    await desk.shelf.put("a", "red")
    await desk.shelf.put("b", "red and much longer")
    found = await retriever.retrieve(Query("red", "default", Caller(), 1))
    assert [(hit.document.id, hit.score, hit.standings[-1]) for hit in found.hits] == [
        ("b", 19.0, Standing("rerank", 1, 19.0))
    ]
    assert "longest" in retriever.recipe


async def test_what_was_asked_before_colours_the_search_but_is_no_evidence(desk: Desk) -> None:
    await desk.shelf.put("a", "the price of apples")
    await desk.shelf.put("b", "the price of the ferry")
    plain = await desk.retriever.retrieve(Query("the price", "default", Caller(), 2))
    context = (Wording("the ferry", 0.5),)
    coloured = await desk.retriever.retrieve(Query("the price", "default", Caller(), 2, context=context))
    assert coloured.hits[0].document.id == "b"
    alike = {hit.document.id: hit.similarity for hit in plain.hits}
    assert coloured.hits[0].similarity == pytest.approx(alike["b"], abs=1e-5)


async def test_other_words_of_the_query_are_searched_for_and_told(desk: Desk) -> None:
    class Thesaurus:
        name = "thesaurus"

        async def reword(self, query: str) -> Rewording:
            return Rewording(texts=("automobile",))

    retriever = open_retriever(desk.shelf, rephraser=Thesaurus())
    await desk.shelf.put("a", "an automobile")
    await desk.shelf.put("b", "a boat")
    found = await retriever.retrieve(Query("car", "default", Caller(), 1))
    assert (found.hits[0].document.id, found.rewording.texts) == ("a", ("automobile",))


async def test_passages_grow_by_their_neighbours_and_say_so(desk: Desk) -> None:
    await desk.shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    made, lines = document("a", "red apples\nfrom the garden\nbehind the house")
    await desk.shelf.catalog.put([await embedded(made, [replace(line, page=1) for line in lines])], EMBEDDER.name)
    retriever = open_retriever(desk.shelf, policy=RetrievalPolicy(expand_tokens=5))
    (hit,) = (await retriever.retrieve(Query("red apples", "default", Caller(), 1))).hits
    assert hit.chunk.text.split() == ["red", "apples", "from", "the", "garden"]
    assert hit.expanded_from == (0, 10)


async def test_views_that_are_open_follow_without_a_search(desk: Desk) -> None:
    views = Views(desk.open_index, lambda name: ScanningIndex(desk.shelf.feed, name))
    await desk.shelf.put("a", "red")
    await views.open("default", EMBEDDER)
    generation = await desk.shelf.put("b", "green")
    await views.follow()
    wanted = Wanted("default", Selection(Caller().scope), (Wording("green", 1.0),), None, 5)
    found = await views.find(wanted, Readable(generation, EMBEDDER.name), EMBEDDER, Steps(NullTracer()))
    assert (len(found.rankings[0].found), found.generations) == (1, (generation,))
    await views.close("default")
    assert views.collections == frozenset()


async def test_what_stands_in_quotes_is_in_every_hit_where_it_is_anywhere(desk: Desk) -> None:
    await desk.shelf.put("a", "a packed lunch costs nine euros")
    await desk.shelf.put("b", "lunch is packed into the car")
    assert [hit.document.id for hit in (await desk.search('"packed lunch" car')).hits] == ["a"]
    assert len((await desk.search('"no such thing" lunch')).hits) == 2
    with pytest.raises(InvalidInputError, match="empty"):
        await desk.search("  ")
