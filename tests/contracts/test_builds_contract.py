"""Builds: vectors of another embedder, filled while documents come and go, then used."""

import numpy as np
import pytest

from contracts import InvalidInputError, NotFoundError, Vectors
from tests.library import EMBEDDER, Shelf, document, embedded, text_hash

NEXT = "next-model"


def vectors(count: int) -> Vectors:
    return np.eye(8, dtype=np.float32)[np.arange(count) % 8]


async def fill(shelf: Shelf, embedder: str = NEXT) -> int:
    """Store every vector that is missing, two at a time; return how many."""
    done = 0
    while missing := await shelf.builds.missing("default", embedder, 2):
        await shelf.builds.add(embedder, [name for name, _, _ in missing], vectors(len(missing)))
        done += len(missing)
    return done


async def known(shelf: Shelf, embedder: str, *texts: str) -> list[str]:
    found = await shelf.catalog.known_vectors([text_hash(text) for text in texts], embedder)
    return [text for text in texts if text_hash(text) in found]


async def test_missing_tells_current_texts_once_with_all_that_embedding_needs(shelf: Shelf) -> None:
    await shelf.put("a", "old")
    await shelf.put("a", "one\nsame", readers=("alice",))
    await shelf.put("b", "same\ntwo")
    await shelf.put("c", "three", collection="other")
    await shelf.builds.begin("default", NEXT)
    missing = await shelf.builds.missing("default", NEXT, 10)
    assert sorted(chunk.text for _, _, chunk in missing) == ["one", "same", "two"]
    assert all(name == text_hash(chunk.text) for name, _, chunk in missing)
    made, chunks = document("a", "one\nsame", readers=("alice",))
    assert (text_hash("one"), made, chunks[0]) in missing


async def test_a_switch_waits_for_what_came_meanwhile(shelf: Shelf) -> None:
    await shelf.put("a", "one\ntwo\nthree")
    await shelf.builds.begin("default", NEXT)
    assert await fill(shelf) == 3
    before = await shelf.put("b", "four\none")
    assert await shelf.builds.switch("default", NEXT) is False
    found = await shelf.collections.find("default")
    assert found is not None and (found.embedder, found.next_embedder) == (EMBEDDER.name, NEXT)
    assert (await shelf.feed.vectors(["a"], EMBEDDER.name))["a"].keys.size == 3

    assert await fill(shelf) == 1
    assert await shelf.builds.switch("default", NEXT) is True
    found = await shelf.collections.find("default")
    assert found is not None and (found.embedder, found.next_embedder) == (NEXT, "")
    assert found.generation == before + 1
    assert (await shelf.passages.readable("default", ["*"])).embedder == NEXT
    assert (await shelf.feed.vectors(["a"], NEXT))["a"].vectors.shape == (3, 8)
    assert await known(shelf, EMBEDDER.name, "one", "two", "three", "four") == []
    assert {change.document_id for change in await shelf.feed.changes("default", before)} == {"a", "b"}
    assert await shelf.builds.switch("default", NEXT) is True
    assert await shelf.feed.generation("default") == before + 1


async def test_vectors_that_another_collection_needs_stay(shelf: Shelf) -> None:
    await shelf.put("a", "one\ntwo")
    await shelf.put("b", "two", collection="other")
    await shelf.builds.begin("default", NEXT)
    await fill(shelf)
    await shelf.builds.switch("default", NEXT)
    assert await known(shelf, EMBEDDER.name, "one", "two") == ["two"]


async def test_a_build_can_be_resumed_or_given_up(shelf: Shelf) -> None:
    await shelf.put("a", "one\ntwo")
    await shelf.builds.begin("default", NEXT)
    await fill(shelf)
    await shelf.builds.begin("default", NEXT)
    assert await known(shelf, NEXT, "one", "two") == ["one", "two"]
    await shelf.builds.begin("default", "third")
    assert await known(shelf, NEXT, "one", "two") == []
    with pytest.raises(InvalidInputError, match="next-model"):
        await shelf.builds.switch("default", NEXT)
    await shelf.builds.begin("default", EMBEDDER.name)
    found = await shelf.collections.find("default")
    assert found is not None and (found.embedder, found.next_embedder) == (EMBEDDER.name, "")
    with pytest.raises(NotFoundError):
        await shelf.builds.begin("nowhere", NEXT)


async def test_vectors_of_what_was_deleted_meanwhile_are_not_kept(shelf: Shelf) -> None:
    await shelf.put("a", "one")
    await shelf.put("b", "two")
    await shelf.builds.begin("default", NEXT)
    missing = await shelf.builds.missing("default", NEXT, 10)
    await shelf.catalog.delete("default", ["a"])
    await shelf.builds.add(NEXT, [name for name, _, _ in missing], vectors(2))
    assert await known(shelf, NEXT, "one", "two") == ["two"]
    await shelf.catalog.delete("default", ["b"])
    assert await known(shelf, NEXT, "two") == []


async def test_documents_can_be_stored_with_either_embedder_only_as_the_collection_says(shelf: Shelf) -> None:
    await shelf.put("a", "one")
    await shelf.builds.begin("default", NEXT)
    new = await embedded(*document("b", "two"))
    assert await shelf.catalog.put([new], EMBEDDER.name) == 2
