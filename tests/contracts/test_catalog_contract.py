"""The catalog: documents in their versions, changes, vectors and access, on real databases."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts import (
    Box,
    Cutting,
    Filter,
    InvalidInputError,
    NotFoundError,
    SourceState,
    StaleEmbedderError,
    StoredText,
    StoredTexts,
    StoreUnavailableError,
)
from ingestion.catalog.sql_catalog import SqlCatalog, read_identity
from tests.library import EMBEDDER, Shelf, document, embedded, text_hash


async def known(shelf: Shelf, *texts: str) -> set[str]:
    """Return those of these texts that have a vector."""
    found = await shelf.catalog.known_vectors([text_hash(text) for text in texts], EMBEDDER.name)
    return {text for text in texts if text_hash(text) in found}


async def keys_of(shelf: Shelf, name: str) -> list[int]:
    found = await shelf.feed.vectors([name], EMBEDDER.name)
    return [int(key) for key in found[name].keys] if name in found else []


async def texts_of(shelf: Shelf, name: str, version: str = "") -> list[str]:
    return [chunk.text for chunk in await shelf.catalog.chunks("default", name, version)]


async def test_a_document_comes_back_as_it_was_put(shelf: Shelf) -> None:
    made, chunks = document("tram.txt", "The tram runs.\nIt stops at noon.", readers=("alice", "staff"), year="1911")
    chunks[0] = replace(chunks[0], boxes=(Box(1, 0.1, 0.2, 0.3, 0.4),), headings=("Trams", "Times"))
    chunks[1] = replace(chunks[1], focus="noon", hidden=True)
    await shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    await shelf.catalog.put([await embedded(made, chunks)], EMBEDDER.name)

    found = await shelf.catalog.find("default", "tram.txt")

    assert found is not None
    assert (found.document, found.chunks, found.generation, found.versions) == (made, 2, 1, 1)
    assert list(await shelf.catalog.chunks("default", "tram.txt")) == chunks
    assert (await shelf.states.states("default"))["tram.txt"] == SourceState("tram.txt", made.version, "recipe")


async def test_documents_of_a_batch_come_in_one_generation_with_their_own_vectors(shelf: Shelf) -> None:
    await shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    new = [await embedded(*document(name, f"text of {name}\nsame")) for name in "abc"]
    assert await shelf.catalog.put(new, EMBEDDER.name) == 1
    assert [(c.generation, c.document_id) for c in await shelf.feed.changes("default", 0)] == [(1, n) for n in "abc"]
    stored = await shelf.feed.vectors(["a", "b", "c", "gone"], EMBEDDER.name)
    assert sorted(stored) == ["a", "b", "c"]
    for each in new:
        np.testing.assert_array_equal(stored[each.document.id].vectors, each.vectors)
        chunk, owner = (await shelf.passages.hydrate([int(stored[each.document.id].keys[0])])).popitem()[1]
        assert (chunk, owner) == (each.chunks[0], each.document)


async def test_a_version_before_is_kept_but_not_found(shelf: Shelf) -> None:
    await shelf.put("a", "one\ntwo\nthree", year="1911")
    before = await keys_of(shelf, "a")
    old, _ = document("a", "one\ntwo\nthree")
    await shelf.put("a", "four", year="1912")

    assert await texts_of(shelf, "a") == ["four"]
    assert await texts_of(shelf, "a", old.version) == ["one", "two", "three"]
    assert [(v.chunks, v.current) for v in await shelf.catalog.versions("default", "a")] == [(1, True), (3, False)]
    assert set(await keys_of(shelf, "a")).isdisjoint(before)
    assert await shelf.passages.hydrate(before) == {}
    assert await shelf.passages.matching("default", [Filter("year", ("1911",))]) == frozenset()
    assert await shelf.catalog.unused([old.version]) == frozenset()
    (found,) = await shelf.catalog.list("default")
    assert (found.chunks, found.versions) == (1, 2)
    with pytest.raises(NotFoundError, match="No version"):
        await shelf.catalog.chunks("default", "a", "f" * 64)


async def test_a_version_that_returns_is_current_again_as_it_is_given(shelf: Shelf) -> None:
    for text in ("A1\nA2", "B"):
        await shelf.put("a", text)
    made, chunks = document("a", "A1\nA2")
    await shelf.catalog.put([await embedded(made, chunks[:1])], EMBEDDER.name)
    assert await texts_of(shelf, "a") == ["A1"]
    kept = await shelf.catalog.versions("default", "a")
    assert [(v.version == made.version, v.current) for v in kept] == [(True, True), (False, False)]
    assert await known(shelf, "A1", "A2", "B") == {"A1", "B"}


async def test_cutting_a_version_anew_leaves_its_age(shelf: Shelf) -> None:
    await shelf.put("a", "one")
    (before,) = await shelf.catalog.versions("default", "a")
    await shelf.put("a", "one")
    assert await shelf.catalog.versions("default", "a") == (before,)


async def test_versions_beyond_the_policy_go_with_their_vectors(shelf: Shelf) -> None:
    catalog = SqlCatalog(shelf.engine, keep_versions=2)
    await shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    for text in ("one", "two", "three", "four"):
        await catalog.put([await embedded(*document("a", text))], EMBEDDER.name)
    await shelf.put("b", "one more")
    assert await known(shelf, "one", "two", "three", "four") == {"two", "three", "four"}
    assert len(await catalog.versions("default", "a")) == 3
    gone, _ = document("a", "one")
    assert await catalog.unused([gone.version]) == {gone.version}


async def test_versions_go_some_time_after_they_were_replaced(shelf: Shelf) -> None:
    for text in ("one", "two"):
        await shelf.put("a", text)
    await shelf.put("b", "one")
    await shelf.put("b", "three")
    await shelf.put("c", "three")
    assert await shelf.catalog.prune() == ()
    await asyncio.sleep(0.02)
    soon = SqlCatalog(shelf.engine, keep_days=0.01 / 86_400)
    one, _ = document("a", "one")
    assert await soon.prune() == (one.version,)
    assert await known(shelf, "one", "two", "three") == {"two", "three"}
    assert [len(await shelf.catalog.versions("default", name)) for name in "abc"] == [1, 1, 1]


async def test_every_change_of_a_collection_counts_its_generation_up(shelf: Shelf) -> None:
    assert await shelf.feed.generation("default") == 0
    assert [await shelf.put("a", "x"), await shelf.put("b", "x"), await shelf.put("a", "y")] == [1, 2, 3]
    assert await shelf.put("c", "x", collection="other") == 1
    assert await shelf.catalog.delete("default", ["b"]) == 4
    assert await shelf.catalog.delete("default", ["b", "never"]) == 4
    assert [(c.generation, c.document_id) for c in await shelf.feed.changes("default", 1)] == [(3, "a"), (4, "b")]


async def test_a_deleted_document_leaves_nothing(shelf: Shelf) -> None:
    await shelf.put("mail.eml", "one\nshared")
    await shelf.put("mail.eml", "two\nshared")
    await shelf.put("b", "shared", collection="other")
    inside = [SourceState("mail.eml!/x.zip", "d", "r", container="mail.eml")]
    inside.append(SourceState("mail.eml!/x.zip!/y", "d", "r", container="mail.eml!/x.zip", reason="corrupt"))
    await shelf.states.record("default", [*inside, SourceState("mail.emlx", "d", "r")])
    keys = await keys_of(shelf, "mail.eml")
    await shelf.catalog.delete("default", ["mail.eml"])

    assert await shelf.catalog.find("default", "mail.eml") is None
    assert await shelf.feed.vectors(["mail.eml"], EMBEDDER.name) == {}
    assert await shelf.passages.hydrate(keys) == {}
    assert await known(shelf, "one", "two", "shared") == {"shared"}
    assert list(await shelf.states.states("default")) == ["mail.emlx"]
    for gone in (shelf.catalog.chunks("default", "mail.eml"), shelf.catalog.versions("default", "mail.eml")):
        with pytest.raises(NotFoundError):
            await gone
    await shelf.catalog.delete("other", ["b"])
    assert await known(shelf, "shared") == set()


async def test_deleted_means_gone_from_every_file(tmp_path: Path) -> None:
    def planted() -> bool:
        return any(b"XYZZY-4711" in file.read_bytes() for file in tmp_path.iterdir())

    shelf = Shelf(tmp_path)
    for n in range(40):
        await shelf.put(f"d{n}", f"some other text {n}")
    await shelf.put("secret", "the marker is XYZZY-4711\n" + "long " * 5000)
    await shelf.put("secret", "another version, XYZZY-4711 as well", note="XYZZY-4711")
    assert planted()
    await shelf.catalog.delete("default", ["secret"])
    assert not planted()
    await shelf.put("gone", "XYZZY-4711", collection="other")
    assert planted()
    await shelf.collections.delete("other")
    await shelf.catalog.compact()
    assert not planted()
    assert len(await shelf.catalog.list("default")) == 40


async def test_a_document_is_deleted_only_through_its_own_collection(shelf: Shelf) -> None:
    await shelf.put("a", "x")
    await shelf.put("b", "x", collection="other")
    assert await shelf.catalog.delete("other", ["a"]) == 1
    assert await shelf.catalog.find("default", "a") is not None
    with pytest.raises(NotFoundError, match="No collection 'nowhere'"):
        await shelf.catalog.delete("nowhere", ["a"])


async def test_a_document_moves_with_its_versions_and_vectors(shelf: Shelf) -> None:
    for text in ("one", "two"):
        await shelf.put("a", text, readers=("alice",))
    keys = await keys_of(shelf, "a")
    old, _ = document("a", "two", readers=("alice",))
    new = replace(old, id="n", source="new.txt", title="New")
    state = SourceState("new.txt", old.version, "recipe", fingerprint="f")
    assert await shelf.catalog.move("default", "a", new, state) == 3

    found = await shelf.catalog.find("default", "n")
    assert found is not None and (found.document, found.versions, found.generation) == (new, 2, 3)
    assert await shelf.catalog.find("default", "a") is None
    assert [chunk.document_id for chunk in await shelf.catalog.chunks("default", "n")] == ["n"]
    assert await keys_of(shelf, "n") == keys
    assert await shelf.feed.vectors(["a"], EMBEDDER.name) == {}
    assert await shelf.states.states("default") == {"new.txt": state}
    assert [(c.generation, c.document_id) for c in await shelf.feed.changes("default", 0)] == [(3, "a"), (3, "n")]
    with pytest.raises(NotFoundError):
        await shelf.catalog.move("default", "a", new, state)
    await shelf.put("b", "x")
    with pytest.raises(InvalidInputError, match=r"'new\.txt'"):
        await shelf.catalog.move("default", "b", new, state)
    assert await shelf.feed.generation("default") == 4


async def test_lists_are_paged_by_source(shelf: Shelf) -> None:
    for name in ("c", "a", "d", "b"):
        await shelf.put(name, "x")
    first = await shelf.catalog.list("default", limit=3)
    rest = await shelf.catalog.list("default", limit=3, after=first[-1].document.id)
    assert [found.document.id for found in (*first, *rest)] == ["a", "b", "c", "d"]
    with pytest.raises(NotFoundError):
        await shelf.catalog.list("default", after="gone")


async def test_unused_tells_which_versions_are_not_needed(shelf: Shelf) -> None:
    made, _ = document("a", "same text")
    await shelf.put("a", "same text")
    await shelf.put("b", "same text", collection="other")
    await shelf.catalog.delete("default", ["a"])
    assert await shelf.catalog.unused([made.version, "never"]) == {"never"}
    await shelf.catalog.delete("other", ["b"])
    assert await shelf.catalog.unused([made.version]) == {made.version}


async def test_what_does_not_fit_is_refused_whole(shelf: Shelf) -> None:
    await shelf.put("a", "x")
    good, bad = await embedded(*document("b", "one")), await embedded(*document("c", "one\ntwo"))
    with pytest.raises(ValueError, match="'c' has 2 chunks but 1 vectors"):
        await shelf.catalog.put([good, replace(bad, vectors=bad.vectors[:1])], EMBEDDER.name)
    elsewhere = await embedded(*document("d", "one", collection="other"))
    with pytest.raises(ValueError, match="one collection"):
        await shelf.catalog.put([good, elsewhere], EMBEDDER.name)
    with pytest.raises(NotFoundError, match="No collection 'other'"):
        await shelf.catalog.put([elsewhere], EMBEDDER.name)
    with pytest.raises(StaleEmbedderError, match="hashing-256"):
        await shelf.catalog.put([good], "another")
    assert await shelf.feed.generation("default") == 1
    assert [found.document.id for found in await shelf.catalog.list("default")] == ["a"]


async def test_a_character_that_no_database_takes_is_replaced(shelf: Shelf) -> None:
    await shelf.put("a", "be\0fore", author="X\0")
    (found,) = await shelf.catalog.list("default")
    assert await texts_of(shelf, "a") == ["be\ufffdfore"]
    author = Filter("author", (found.document.metadata["author"],))
    assert await shelf.passages.matching("default", [author]) == {"a"}


async def test_a_change_of_readers_alone_is_a_change(shelf: Shelf) -> None:
    await shelf.put("a", "x", readers=("alice",))
    await shelf.put("b", "x")
    put = await shelf.put("a", "x", readers=("staff",))
    assert [(c.generation, c.document_id) for c in await shelf.feed.changes("default", 2)] == [(put, "a")]
    made, _ = document("a", "x", readers=("carol",))
    moved = await shelf.catalog.move("default", "a", made, SourceState("a", made.version, "recipe"))
    assert [(c.generation, c.document_id) for c in await shelf.feed.changes("default", put)] == [(moved, "a")]
    for stored in (await shelf.feed.vectors(["a", "b"], EMBEDDER.name), await shelf.feed.texts(["a", "b"])):
        assert {name: each.readers for name, each in stored.items()} == {"a": ("carol",), "b": ("*",)}


async def test_texts_are_what_stands_for_the_current_chunks(shelf: Shelf) -> None:
    await shelf.put("guide", "old")
    made, chunks = document("guide", "In a window.\nHidden.", readers=("alice", "staff"))
    chunks[0] = replace(chunks[0], focus="window", headings=("Guide", "Views", "Dense"))
    chunks[1] = replace(chunks[1], hidden=True)
    await shelf.catalog.put([await embedded(made, chunks)], EMBEDDER.name)
    (stored,) = (await shelf.feed.texts(["guide", "gone"])).values()
    keys = (await shelf.feed.vectors(["guide"], EMBEDDER.name))["guide"].keys.tolist()
    one, other = StoredText(keys[0], ("Views", "Dense"), "window"), StoredText(keys[1], (), "Hidden.")
    assert stored == StoredTexts("Guide", (one, other), ("alice", "staff"))


async def test_kept_versions_are_those_of_documents_that_are_there(shelf: Shelf) -> None:
    for text in ("one", "two"):
        await shelf.put("a", text)
    await shelf.put("b", "three", collection="other")
    versions = {document("a", text)[0].version for text in ("one", "two")}
    assert await shelf.catalog.kept_versions("default", ["a", "b", "gone"]) == versions


async def test_writers_side_by_side_lose_nothing(shelf: Shelf) -> None:
    await shelf.collections.ensure("default", EMBEDDER.name, Cutting())
    generations = await asyncio.gather(*(shelf.put(f"d{n}", f"text {n}\nsame") for n in range(20)))
    assert sorted(generations) == list(range(1, 21))
    assert len(await shelf.catalog.list("default")) == 20
    await asyncio.gather(*(shelf.catalog.delete("default", [f"d{n}"]) for n in range(19)))
    assert await known(shelf, "same", "text 19", "text 3") == {"same", "text 19"}


async def test_each_catalog_has_a_name_of_its_own_that_stays(tmp_path: Path) -> None:
    one, other = Shelf(tmp_path / "one"), Shelf(tmp_path / "other")
    assert read_identity(one.engine) == read_identity(Shelf(tmp_path / "one").engine) != read_identity(other.engine)


async def test_a_database_that_is_away_is_named(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.engine.dispose()
    for file in tmp_path.glob("catalog.sqlite*"):
        file.unlink()
    with pytest.raises(StoreUnavailableError, match="FOOTNOTE_CATALOG__URL"):
        await shelf.feed.generation("default")


async def test_flags_come_back_everywhere_and_are_counted_in_the_current_version(shelf: Shelf) -> None:
    await shelf.put("a", "one\ntwo")
    made, chunks = document("b", "one\ntwo\nthree")
    chunks[0] = replace(chunks[0], flags=("exfiltration_link", "prompt_injection"))
    chunks[2] = replace(chunks[2], flags=("hidden_text",), hidden=True)
    await shelf.catalog.put([await embedded(made, chunks)], EMBEDDER.name)

    assert list(await shelf.catalog.chunks("default", "b")) == chunks
    assert (await shelf.catalog.read("default", "b", made.version, EMBEDDER.name)).chunks == tuple(chunks)
    found = await shelf.passages.hydrate(await keys_of(shelf, "b"))
    assert sorted((chunk for chunk, _ in found.values()), key=lambda chunk: chunk.position) == chunks
    assert list(await shelf.passages.neighbours(chunks[1], 1)) == chunks
    await shelf.builds.begin("default", "other")
    missing = {chunk.id: chunk for _, _, chunk in await shelf.builds.missing("default", "other", 10)}
    assert missing[chunks[2].id].flags == ("hidden_text",)
    assert {each.document.id: each.flagged for each in await shelf.catalog.list("default")} == {"a": 0, "b": 2}
    one = await shelf.catalog.find("default", "b")
    assert one is not None and one.flagged == 2

    await shelf.put("b", "four")
    assert {each.document.id: each.flagged for each in await shelf.catalog.list("default")} == {"a": 0, "b": 0}
    assert [chunk.flags for chunk in await shelf.catalog.chunks("default", "b", made.version)] == [
        ("exfiltration_link", "prompt_injection"),
        (),
        ("hidden_text",),
    ]


async def test_documents_with_flags_are_listed_apart_page_by_page(shelf: Shelf) -> None:
    for name in "edcba":
        made, chunks = document(name, f"text of {name}")
        flags = ("prompt_injection",) if name in "ace" else ()
        await shelf.collections.ensure("default", EMBEDDER.name, Cutting())
        await shelf.catalog.put([await embedded(made, [replace(chunks[0], flags=flags)])], EMBEDDER.name)
    await shelf.put("z", "elsewhere", collection="other")

    async def page(after: str) -> list[tuple[str, int]]:
        found = await shelf.catalog.flagged("default", limit=2, after=after)
        return [(each.document.id, each.flagged) for each in found]

    assert [await page(""), await page("c"), await page("e")] == [[("a", 1), ("c", 1)], [("e", 1)], []]
    assert await page("b") == [("c", 1), ("e", 1)]  # one without flags is a place to go on from, too
    assert await shelf.catalog.flagged("other") == ()
    made, _ = document("moved", "text of a")
    await shelf.catalog.move("default", "a", made, SourceState("moved", made.version, "recipe"))
    assert await page("e") == [("moved", 1)]
    with pytest.raises(NotFoundError):
        await page("gone")


async def test_a_version_cut_anew_has_the_flags_it_was_put_with(shelf: Shelf) -> None:
    made, _ = document("a", "one\ntwo")
    await shelf.put("a", "one\ntwo")
    (before,) = await shelf.catalog.list("default")
    whole = await shelf.catalog.read("default", "a", made.version, EMBEDDER.name)
    flagged = replace(whole.chunks[1], flags=("prompt_injection",))
    generation = await shelf.catalog.put([replace(whole, chunks=(whole.chunks[0], flagged))], EMBEDDER.name)
    assert [chunk.flags for chunk in await shelf.catalog.chunks("default", "a")] == [(), ("prompt_injection",)]
    (after,) = await shelf.catalog.list("default")
    assert (after.flagged, after.versions, after.ingested_at) == (1, 1, before.ingested_at)
    assert after.generation == generation
    assert await known(shelf, "one", "two") == {"one", "two"}
