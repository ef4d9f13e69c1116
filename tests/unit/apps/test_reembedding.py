"""How a collection gets another embedder."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from apps.reembedding import Reembedding
from contracts import ConflictError, NotFoundError, Vectors
from tests.bench import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    for number in range(5):
        made.write(f"This is number {number}.", f"{number}.txt")
    await made.sync()
    return made


def reembedding(bench: Bench) -> Reembedding:
    return Reembedding(bench.shelf.collections, bench.shelf.builds, bench.embedders.__getitem__)


async def test_all_chunks_are_embedded_and_then_searches_switch(bench: Bench) -> None:
    steps = [step async for step in reembedding(bench).run("default", "other")]
    assert steps == [(5, 5)]
    found = await bench.shelf.collections.find("default")
    assert found and (found.embedder, found.next_embedder) == ("other", "")
    ids = [each.document.id for each in await bench.shelf.catalog.list("default")]
    assert len(await bench.shelf.feed.vectors(ids, "other")) == 5
    assert len(await bench.shelf.feed.vectors(ids, "counting")) == 0
    assert [step async for step in reembedding(bench).run("default", "other")] == []


async def test_until_then_the_old_vectors_serve_and_what_arrives_gets_both(bench: Bench) -> None:
    arrived = False
    async for _ in reembedding(bench).run("default", "other"):
        found = await bench.shelf.collections.find("default")
        assert found and found.embedder == "counting"
        if not arrived:
            arrived = True
            bench.write("A late one.", "late.txt")
            await bench.sync()
            ids = [each.document.id for each in await bench.shelf.catalog.list("default")]
            assert len(await bench.shelf.feed.vectors(ids, "counting")) == 6
    ids = [each.document.id for each in await bench.shelf.catalog.list("default")]
    assert len(await bench.shelf.feed.vectors(ids, "other")) == 6


async def test_started_again_it_goes_on_where_it_was_broken_off(bench: Bench) -> None:
    await bench.shelf.builds.begin("default", "other")
    (name, _, chunk), *_ = await bench.shelf.builds.missing("default", "other", 10)
    await bench.shelf.builds.add("other", [name], await bench.embedders["other"].embed([chunk.text]))
    bench.embedders["other"].texts.clear()
    assert [step async for step in reembedding(bench).run("default", "other")] == [(4, 5)]
    assert sum("number" in text for text in bench.embedders["other"].texts) == 4


async def test_what_is_not_there_is_named(bench: Bench) -> None:
    with pytest.raises(NotFoundError, match="No collection 'nothing'"):
        [step async for step in reembedding(bench).run("nothing", "other")]


async def test_of_two_runs_with_different_models_the_first_one_ends(bench: Bench) -> None:
    with pytest.raises(ConflictError, match="another embedder by now, not 'other'"):
        run = reembedding(bench).run("default", "other")
        real = bench.embedders["other"].embed

        async def overtaken(texts: Sequence[str]) -> Vectors:
            await bench.shelf.builds.begin("default", "third")
            return await real(texts)

        bench.embedders["other"].embed = overtaken  # type: ignore[method-assign]
        [step async for step in run]
