"""Collections: their settings, counts, deletion and return."""

import asyncio

import pytest

from contracts import ChunkStrategy, Collection, Cutting, NotFoundError, SourceState
from tests.library import EMBEDDER, Shelf, text_hash

WINDOWS = Cutting(ChunkStrategy.SENTENCE_WINDOW, 100, 0)


async def test_a_collection_keeps_the_settings_it_was_made_with(shelf: Shelf) -> None:
    made = await shelf.collections.ensure("c", "model", WINDOWS)
    assert made == Collection("c", "model", WINDOWS, 0)
    assert await shelf.collections.ensure("c", "another", Cutting()) == made == await shelf.collections.find("c")
    assert await shelf.collections.settings("c") == made
    assert await shelf.collections.find("d") is None
    assert await shelf.collections.settings("d") is None


async def test_made_at_once_by_many_it_is_the_same_one(shelf: Shelf) -> None:
    made = await asyncio.gather(*(shelf.collections.ensure("c", f"model {n}", Cutting()) for n in range(10)))
    assert len({each.embedder for each in made}) == 1
    assert len(await shelf.collections.list()) == 1


async def test_collections_count_current_documents_chunks_and_failures(shelf: Shelf) -> None:
    await shelf.put("a", "old\nolder\noldest")
    await shelf.put("a", "x\ny")
    await shelf.put("b", "z")
    await shelf.put("c", "w", collection="other")
    failed = SourceState("broken.pdf", "d", "r", reason="corrupt", message="It ends too early.")
    await shelf.states.record("default", [failed, SourceState("archive.zip", "d", "r")])
    rows = [(c.name, c.documents, c.chunks, c.failures, c.generation) for c in await shelf.collections.list()]
    assert rows == [("default", 2, 3, 1, 3), ("other", 1, 1, 0, 1)]
    settled = await shelf.collections.settings("default")
    assert settled is not None and (settled.generation, settled.documents, settled.chunks) == (3, 0, 0)


async def test_cutting_can_be_changed(shelf: Shelf) -> None:
    await shelf.collections.ensure("c", "model", Cutting())
    await shelf.collections.recut("c", WINDOWS)
    found = await shelf.collections.find("c")
    assert found is not None and found.cutting == WINDOWS
    with pytest.raises(NotFoundError):
        await shelf.collections.recut("nowhere", WINDOWS)


async def test_a_deleted_collection_is_gone_with_all_it_held_but_other_vectors(shelf: Shelf) -> None:
    await shelf.put("a", "mine\nshared")
    await shelf.put("b", "shared", collection="other")
    await shelf.states.record("default", [SourceState("x", "d", "r", reason="corrupt")])
    await shelf.collections.delete("default")

    assert [found.name for found in await shelf.collections.list()] == ["other"]
    assert await shelf.collections.find("default") is None
    assert await shelf.catalog.list("default") == ()
    assert await shelf.states.states("default") == {}
    hashes = [text_hash(text) for text in ("mine", "shared")]
    assert list(await shelf.catalog.known_vectors(hashes, EMBEDDER.name)) == hashes[1:]
    with pytest.raises(NotFoundError, match="'default' holds no documents"):
        await shelf.passages.readable("default", ["*"])
    for gone in (
        shelf.collections.delete("default"),
        shelf.collections.recut("default", WINDOWS),
        shelf.collections.share("default", ["*"]),
    ):
        with pytest.raises(NotFoundError, match="No collection 'default'"):
            await gone


async def test_a_name_that_returns_goes_on_counting_and_tells_what_went(shelf: Shelf) -> None:
    before = await shelf.put("a", "x")
    await shelf.collections.delete("default")
    made = await shelf.collections.ensure("default", "another", WINDOWS)
    assert (made.embedder, made.cutting, made.documents) == ("another", WINDOWS, 0)
    assert made.generation > before
    assert [change.document_id for change in await shelf.feed.changes("default", before)] == ["a"]


async def test_readers_of_a_collection_can_be_changed_and_stay(shelf: Shelf) -> None:
    await shelf.put("a", "x")
    before = await shelf.feed.generation("default")
    await shelf.collections.share("default", ["staff", "alice"])
    assert await shelf.feed.generation("default") == before + 1
    assert await shelf.feed.changes("default", before) == ()
    await shelf.put("b", "x")
    (listed,) = await shelf.collections.list()
    assert listed.readers == ("alice", "staff")
    assert (await shelf.collections.ensure("default", EMBEDDER.name, Cutting())).readers == ("alice", "staff")
    await shelf.collections.delete("default")
    assert (await shelf.collections.ensure("default", EMBEDDER.name, Cutting())).readers == ("*",)


async def test_a_caller_sees_and_counts_only_what_is_for_it(shelf: Shelf) -> None:
    await shelf.put("a", "x\ny")
    await shelf.put("b", "x\ny\nz", readers=("alice", "staff"))
    await shelf.put("c", "x", collection="closed")
    await shelf.collections.share("closed", ["alice"])

    async def seen(*scope: str) -> list[tuple[str, int, int]]:
        return [(each.name, each.documents, each.chunks) for each in await shelf.collections.list(scope)]

    assert await seen("*", "bob") == [("default", 1, 2)]
    assert await seen("*", "alice", "staff") == [("closed", 1, 1), ("default", 2, 5)]
    assert await seen("staff") == []
    assert await shelf.collections.find("closed", ["*", "bob"]) is None
    found = await shelf.collections.find("default", ["*", "bob"])
    assert found is not None and (found.documents, found.chunks) == (1, 2)
