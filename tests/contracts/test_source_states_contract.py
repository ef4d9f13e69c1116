"""The file list of a collection."""

from dataclasses import replace

import pytest

from contracts import NotFoundError, ParseFailure, SourceState
from tests.library import Shelf


async def test_states_come_back_by_source_and_place(shelf: Shelf) -> None:
    await shelf.put("Docs/a", "x")
    failed = SourceState("docs/b_1", "d", "r", "f", "docs", ParseFailure.CORRUPT, "It ends too early.")
    await shelf.states.record("default", [failed, SourceState("docs/bx1", "d", "r")])
    assert await shelf.states.states("default", "docs/b_") == {"docs/b_1": failed}
    assert list(await shelf.states.states("default", "docs/")) == ["docs/b_1", "docs/bx1"]
    assert set(await shelf.states.states("default")) == {"Docs/a", "docs/b_1", "docs/bx1"}
    assert await shelf.states.states("other") == {}


async def test_a_failure_replaces_the_state_and_leaves_the_document(shelf: Shelf) -> None:
    generation = await shelf.put("a", "x")
    (state,) = (await shelf.states.states("default")).values()
    failed = replace(state, digest="new", reason="timeout", message="Too slow.")
    await shelf.states.record("default", [failed])
    assert await shelf.states.states("default") == {"a": failed}
    assert len(await shelf.catalog.list("default")) == 1
    await shelf.put("a", "y")
    assert (await shelf.states.states("default"))["a"].reason is None
    assert await shelf.feed.generation("default") == generation + 1


async def test_states_can_be_forgotten(shelf: Shelf) -> None:
    await shelf.put("a", "x")
    await shelf.states.record("default", [SourceState(f"s{n}", "d", "r") for n in range(1200)])
    await shelf.states.forget("default", [f"s{n}" for n in range(1199)])
    assert list(await shelf.states.states("default")) == ["a", "s1199"]


async def test_a_state_needs_its_collection(shelf: Shelf) -> None:
    with pytest.raises(NotFoundError, match="No collection 'nowhere'"):
        await shelf.states.record("nowhere", [SourceState("a", "d", "r")])
