"""What was asked for lately is not computed again, and nobody's leaving or failure harms another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np
import pytest
from numpy.typing import NDArray

from contracts import Vectors
from retrieval.embedding.recent_vectors import RecentVectors, SharedVectors


class Model:
    """Keeps what is under way until the test finishes it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.under_way: list[tuple[str, Future[Vectors]]] = []

    def submit(self, text: str) -> Future[Vectors]:
        self.asked.append(text)
        future: Future[Vectors] = Future()
        self.under_way.append((text, future))
        return future

    def finish(self) -> None:
        for text, future in self.under_way:
            future.set_result(vector(text))
        self.under_way.clear()


def vector(text: str) -> Vectors:
    return np.array([[len(text), ord(text[0])]], dtype=np.float32)


@pytest.fixture
def model() -> Model:
    return Model()


async def computed(model: Model, recent: RecentVectors, *texts: str) -> Vectors:
    task = asyncio.create_task(recent.rows(texts))
    await asyncio.sleep(0)
    model.finish()
    return await task


async def test_a_text_is_computed_once(model: Model) -> None:
    recent = RecentVectors(model.submit)
    first = await computed(model, recent, "tram", "hut")
    first[:] = 0  # the caller's own array
    again = await recent.rows(["hut", "tram", "hut"])
    assert model.asked == ["tram", "hut"]
    assert again.tolist() == np.concatenate([vector("hut"), vector("tram"), vector("hut")]).tolist()


async def test_who_asks_meanwhile_waits_for_the_same(model: Model) -> None:
    recent = RecentVectors(model.submit)
    both = [asyncio.create_task(recent.rows(["tram"])) for _ in range(2)]
    await asyncio.sleep(0)
    both[0].cancel()
    await asyncio.sleep(0)
    model.finish()
    assert (await both[1]).tolist() == vector("tram").tolist()
    assert both[0].cancelled()
    assert model.asked == ["tram"]


async def test_what_failed_is_tried_again(model: Model) -> None:
    recent = RecentVectors(model.submit)
    failing = asyncio.create_task(recent.rows(["tram"]))
    await asyncio.sleep(0)
    model.under_way.pop()[1].set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await failing
    assert (await computed(model, recent, "tram")).tolist() == vector("tram").tolist()


async def test_only_the_last_are_kept(model: Model) -> None:
    recent = RecentVectors(model.submit, size=2)
    for text in ("a", "b", "a", "c", "a"):  # b has not been asked for longest
        await computed(model, recent, text)
    assert model.asked == ["a", "b", "c"]
    await computed(model, recent, "b")
    assert model.asked == ["a", "b", "c", "b"]


class Shared:
    """What other processes know, and what they are told."""

    def __init__(self, **known: Vectors) -> None:
        self.known = {text: row[0] for text, row in known.items()}
        self.asked: list[list[str]] = []

    async def get(self, embedder: str, texts: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
        self.asked.append([embedder, *texts])
        return {text: self.known[text] for text in texts if text in self.known}

    async def put(self, embedder: str, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        self.known |= vectors


async def test_what_others_know_is_not_computed_and_what_is_computed_they_are_told(model: Model) -> None:
    shared = Shared(known=vector("known"))
    recent = RecentVectors(model.submit, shared=SharedVectors(shared, "minilm"))
    asked = asyncio.create_task(recent.rows(["known", "new"]))
    await asyncio.sleep(0.01)
    assert model.asked == ["new"]
    model.finish()
    assert np.array_equal(await asked, np.concatenate([vector("known"), vector("new")]))
    assert np.array_equal(shared.known["new"], vector("new")[0])
    assert np.array_equal(await recent.rows(["new", "known"]), np.concatenate([vector("new"), vector("known")]))
    assert shared.asked == [["minilm", "known", "new"]]  # what is known here is not looked up again
