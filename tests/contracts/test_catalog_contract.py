"""The catalog: documents, changes, vectors, access, jobs and conversations, on a real database."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from contracts import Box, Caller, Job, JobState, Message, NotFoundError, StoreUnavailableError
from ingestion.sql_catalog import read_identity
from ingestion.sql_job_queue import SqlJobQueue
from retrieval.sql_memory import SqlMemory
from tests.library import EMBEDDER, Shelf, document


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_a_document_comes_back_as_it_was_put(shelf: Shelf) -> None:
    made, chunks = document("tram.txt", "The tram runs.\nIt stops at noon.", readers=("alice", "staff"), year="1911")
    chunks[0] = replace(chunks[0], boxes=(Box(1, 0.1, 0.2, 0.3, 0.4),), headings=("Trams", "Times"))
    await shelf.catalog.put(made, chunks, await EMBEDDER.embed([c.text for c in chunks]), EMBEDDER.name)

    found = await shelf.catalog.find("default", "tram.txt")

    assert found is not None
    assert (found.document, found.chunks, found.generation, found.embedder) == (made, 2, 1, EMBEDDER.name)
    assert list(await shelf.catalog.chunks("default", "tram.txt")) == chunks


async def test_a_new_version_replaces_the_old_one_and_its_keys(shelf: Shelf) -> None:
    await shelf.put("a", "one\ntwo\nthree")
    before = await shelf.feed.vectors("a", EMBEDDER.name)
    await shelf.put("a", "four")
    after = await shelf.feed.vectors("a", EMBEDDER.name)

    assert [chunk.text for chunk in await shelf.catalog.chunks("default", "a")] == ["four"]
    assert set(after.keys).isdisjoint(before.keys)
    assert await shelf.passages.hydrate(before.keys.tolist()) == {}


async def test_every_change_of_a_collection_counts_its_generation_up(shelf: Shelf) -> None:
    assert await shelf.feed.generation("default") == 0
    assert [await shelf.put("a", "x"), await shelf.put("b", "x"), await shelf.put("a", "y")] == [1, 2, 3]
    assert await shelf.put("c", "x", collection="other") == 1
    assert await shelf.catalog.delete("default", "b") == 4
    assert [(c.generation, c.document_id) for c in await shelf.feed.changes("default", 1)] == [(3, "a"), (4, "b")]


async def test_deleted_means_gone(shelf: Shelf, tmp_path: Path) -> None:
    await shelf.put("secret", "the marker is XYZZY-4711")
    assert any(b"XYZZY-4711" in file.read_bytes() for file in tmp_path.iterdir())
    keys = (await shelf.feed.vectors("secret", EMBEDDER.name)).keys.tolist()
    await shelf.catalog.delete("default", "secret")

    shelf.engine.dispose()  # the last connection folds the write-ahead log into the database
    assert not any(b"XYZZY-4711" in file.read_bytes() for file in tmp_path.iterdir())
    assert await shelf.catalog.find("default", "secret") is None
    assert len((await shelf.feed.vectors("secret", EMBEDDER.name)).keys) == 0
    assert await shelf.passages.hydrate(keys) == {}
    with pytest.raises(NotFoundError):
        await shelf.catalog.chunks("default", "secret")
    with pytest.raises(NotFoundError):
        await shelf.catalog.delete("default", "secret")


async def test_a_document_is_deleted_only_through_its_own_collection(shelf: Shelf) -> None:
    await shelf.put("a", "x")
    with pytest.raises(NotFoundError):
        await shelf.catalog.delete("other", "a")
    assert await shelf.catalog.find("default", "a") is not None


async def test_lists_are_paged_by_source(shelf: Shelf) -> None:
    for name in ("c", "a", "d", "b"):
        await shelf.put(name, "x")
    first = await shelf.catalog.list("default", limit=3)
    rest = await shelf.catalog.list("default", limit=3, after=first[-1].document.id)
    assert [found.document.id for found in (*first, *rest)] == ["a", "b", "c", "d"]


async def test_collections_count_their_documents_and_chunks(shelf: Shelf) -> None:
    await shelf.put("a", "x\ny")
    await shelf.put("b", "z")
    await shelf.put("c", "w", collection="other")
    rows = [(c.name, c.documents, c.chunks, c.generation) for c in await shelf.catalog.collections()]
    assert rows == [("default", 2, 3, 2), ("other", 1, 1, 1)]


async def test_uses_tells_whether_a_version_is_still_needed(shelf: Shelf) -> None:
    made, _ = document("a", "same text")
    await shelf.put("a", "same text")
    await shelf.put("b", "same text", collection="other")
    await shelf.catalog.delete("default", "a")
    assert await shelf.catalog.uses(made.version)
    await shelf.catalog.delete("other", "b")
    assert not await shelf.catalog.uses(made.version)


async def test_chunks_and_vectors_must_match(shelf: Shelf) -> None:
    made, chunks = document("a", "one\ntwo")
    with pytest.raises(ValueError, match="2 chunks but 1 vectors"):
        await shelf.catalog.put(made, chunks, await EMBEDDER.embed(["one"]), EMBEDDER.name)
    assert await shelf.feed.generation("default") == 0


async def test_visibility_follows_readers_filters_and_changes(shelf: Shelf) -> None:
    async def visible(caller: Caller, **filters: str) -> frozenset[str] | None:
        return await shelf.passages.visible("default", caller.scope, filters)

    alice, staff = Caller("alice"), Caller("bob", groups=("staff",))
    await shelf.put("open", "x", year="1911")
    assert await visible(alice) is None
    await shelf.put("hers", "x", readers=("alice",))
    await shelf.put("theirs", "x", readers=("staff",))
    assert await visible(alice) == {"open", "hers"}
    assert await visible(staff) == {"open", "theirs"}
    assert await visible(alice, year="1911") == {"open"}
    assert await visible(alice, title="Hers") == {"hers"}
    assert await visible(alice, title="Theirs") == frozenset()
    await shelf.catalog.delete("default", "hers")
    assert await visible(alice) == {"open"}


async def test_writers_side_by_side_lose_nothing(shelf: Shelf) -> None:
    generations = await asyncio.gather(*(shelf.put(f"d{n}", f"text {n}") for n in range(20)))
    assert sorted(generations) == list(range(1, 21))
    assert len(await shelf.catalog.list("default")) == 20


async def test_a_job_is_claimed_once_and_taken_over_from_a_silent_worker(shelf: Shelf) -> None:
    queue = SqlJobQueue(shelf.engine, silence_s=0.2)
    await queue.enqueue(Job("j1", "default", "a.txt", "/tmp/a"))
    claims = await asyncio.gather(*(queue.claim(f"w{n}") for n in range(4)))
    assert [job.id for job in claims if job] == ["j1"]

    await asyncio.sleep(0.3)
    job = await queue.claim("other")
    assert job is not None
    await queue.report(replace(job, state=JobState.DONE, chunks=3))
    await asyncio.sleep(0.3)
    assert await queue.claim("third") is None
    assert (await queue.get("j1")).chunks == 3
    with pytest.raises(NotFoundError):
        await queue.get("nothing")


async def test_a_late_worker_does_not_overwrite_what_the_next_one_reported(shelf: Shelf) -> None:
    queue = SqlJobQueue(shelf.engine, silence_s=0.1)
    await queue.enqueue(Job("j1", "default", "a.txt", "/tmp/a"))
    late = await queue.claim("late")
    await asyncio.sleep(0.2)
    job = await queue.claim("next")
    assert late is not None and job is not None
    await queue.report(replace(late, state=JobState.FAILED))
    assert (await queue.get("j1")).state is JobState.PARSING
    await queue.report(replace(job, state=JobState.DONE))
    for straggler in (late, job):
        await queue.report(replace(straggler, state=JobState.EMBEDDING))
    assert (await queue.get("j1")).state is JobState.DONE


async def test_a_job_that_two_workers_died_of_has_failed_and_the_next_one_is_taken(shelf: Shelf) -> None:
    queue = SqlJobQueue(shelf.engine, silence_s=0.1)
    await queue.enqueue(Job("poison", "default", "a.txt", "/tmp/a"))
    for worker in ("first", "second"):
        job = await queue.claim(worker)
        assert job is not None
        await asyncio.sleep(0.2)
    await queue.enqueue(Job("good", "default", "b.txt", "/tmp/b"))
    taken = await queue.claim("third")
    assert taken is not None and taken.id == "good"
    failed = await queue.get("poison")
    assert (failed.state, failed.reason) == (JobState.FAILED, "internal")
    assert failed.message == "The worker died twice while reading this file."


async def test_conversations_belong_to_their_principal(shelf: Shelf) -> None:
    memory = SqlMemory(shelf.engine)
    assert await memory.recent("c", "alice", 10) == ()
    await memory.append("c", "alice", [Message("user", "q1"), Message("assistant", "a1")])
    await memory.append("c", "alice", [Message("user", "q2"), Message("assistant", "a2")])
    assert [turn.content for turn in await memory.recent("c", "alice", 3)] == ["a1", "q2", "a2"]
    with pytest.raises(NotFoundError):
        await memory.recent("c", "bob", 3)
    with pytest.raises(NotFoundError):
        await memory.forget("c", "bob")
    await memory.forget("c", "alice")
    assert await memory.recent("c", "alice", 3) == ()


async def test_the_first_turns_of_a_conversation_may_end_at_once(shelf: Shelf) -> None:
    memory = SqlMemory(shelf.engine)
    turn = [Message("user", "q"), Message("assistant", "a")]
    await asyncio.gather(*(memory.append("c", "alice", turn) for _ in range(20)))
    assert len(await memory.recent("c", "alice", 100)) == 40
    with pytest.raises(NotFoundError):
        await memory.append("c", "bob", turn)


async def test_each_catalog_has_a_name_of_its_own_that_stays(tmp_path: Path) -> None:
    one, other = Shelf(tmp_path / "one"), Shelf(tmp_path / "other")
    assert read_identity(one.engine) == read_identity(Shelf(tmp_path / "one").engine) != read_identity(other.engine)


async def test_migrations_go_back_and_forth(shelf: Shelf) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "apps/migrations")
    with shelf.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        command.upgrade(config, "head")
    assert await shelf.put("a", "x") == 1


async def test_a_database_that_is_away_is_named(shelf: Shelf, tmp_path: Path) -> None:
    shelf.engine.dispose()
    for file in tmp_path.glob("catalog.sqlite*"):
        file.unlink()
    with pytest.raises(StoreUnavailableError, match="FOOTNOTE_CATALOG__URL"):
        await shelf.feed.generation("default")
