"""What shares a batch, who goes first, and that no caller harms another."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import numpy as np
import pytest

from contracts import Vectors
from retrieval.embedding.micro_batches import MicroBatches


class SlowModel:
    """Gives a text its length as vector; while `busy`, its first batch does not end. A text "bad" fails its batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = Event()
        self.go_on = Event()
        self.go_on.set()

    def encode(self, texts: list[str]) -> Vectors:
        self.batches.append(texts)
        self.entered.set()
        assert self.go_on.wait(5)
        if "bad" in texts:
            raise ValueError("this text cannot be embedded")
        return np.array([[len(text)] for text in texts], dtype=np.float32)


@pytest.fixture
def model() -> SlowModel:
    return SlowModel()


@pytest.fixture
def batches(model: SlowModel) -> Iterator[MicroBatches]:
    with ThreadPoolExecutor(1) as executor:
        yield MicroBatches(model.encode, executor, most_tokens=200)
        model.go_on.set()


@pytest.fixture
async def busy(model: SlowModel, batches: MicroBatches) -> AsyncIterator[None]:
    """The model has a batch under way, and goes on when the test sets `go_on`."""
    model.go_on.clear()
    first = asyncio.create_task(embed(batches, "first"))
    while not model.entered.is_set():
        await asyncio.sleep(0.001)
    model.batches.clear()
    yield
    model.go_on.set()
    await first


async def embed(batches: MicroBatches, *texts: str, tokens: int = 10) -> list[float]:
    return [float(row[0]) for row in await batches.rows(list(texts), [tokens] * len(texts))]


async def arrive(*tasks: asyncio.Task[list[float]]) -> None:
    """Let the tasks queue up behind the batch under way."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_waits_is_computed_together_and_each_gets_its_rows(
    model: SlowModel, batches: MicroBatches, busy: None
) -> None:
    waiting = [asyncio.create_task(embed(batches, "q" * n, "x" * (n + 1))) for n in range(1, 6)]
    await arrive(*waiting)
    model.go_on.set()
    assert await asyncio.gather(*waiting) == [[n, n + 1] for n in range(1, 6)]
    assert [len(batch) for batch in model.batches] == [10]


async def test_one_call_alone_waits_for_nobody(model: SlowModel, batches: MicroBatches) -> None:
    assert await embed(batches, "alone") == [5.0]
    assert model.batches == [["alone"]]


async def test_calls_of_other_event_loops_share_the_batch(model: SlowModel, batches: MicroBatches, busy: None) -> None:
    found: list[list[float]] = []
    threads = [Thread(target=lambda: found.append(asyncio.run(embed(batches, "other")))) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(batches._waiting) < 3:
        await asyncio.sleep(0.001)
    model.go_on.set()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert found == [[5.0]] * 3
    assert model.batches == [["other"] * 3]


async def test_a_query_goes_before_longer_work_that_came_first(
    model: SlowModel, batches: MicroBatches, busy: None
) -> None:
    long = [asyncio.create_task(embed(batches, f"long {n}", tokens=150)) for n in range(3)]
    await arrive(*long)
    query = asyncio.create_task(embed(batches, "query"))
    await arrive(query)
    model.go_on.set()
    await asyncio.gather(query, *long)
    assert model.batches == [["query"], ["long 0"], ["long 1"], ["long 2"]]


async def test_texts_that_would_be_padded_far_are_not_put_together(
    model: SlowModel, batches: MicroBatches, busy: None
) -> None:
    tasks = [asyncio.create_task(embed(batches, f"{tokens}", tokens=tokens)) for tokens in (10, 100, 10, 100, 12, 90)]
    await arrive(*tasks)
    model.go_on.set()
    await asyncio.gather(*tasks)
    assert model.batches == [["10", "10", "12"], ["90", "100"], ["100"]]  # 200 tokens at most


async def test_many_queries_do_not_stop_longer_work(model: SlowModel, batches: MicroBatches, busy: None) -> None:
    long = asyncio.create_task(embed(batches, "long", tokens=200))
    await arrive(long)

    async def ask_on() -> None:
        while not long.done():
            await embed(batches, "query")

    async with asyncio.timeout(5):
        asking = [asyncio.create_task(ask_on()) for _ in range(2)]
        model.go_on.set()
        assert await long == [4.0]
        await asyncio.gather(*asking)


async def test_a_bad_text_fails_alone(model: SlowModel, batches: MicroBatches, busy: None) -> None:
    good, bad, other = (asyncio.create_task(embed(batches, text)) for text in ("good", "bad", "other"))
    await arrive(good, bad, other)
    model.go_on.set()
    with pytest.raises(ValueError, match="cannot be embedded"):
        await bad
    assert await good == [4.0]
    assert await other == [5.0]
    assert await embed(batches, "after") == [5.0]


async def test_a_caller_that_leaves_harms_nobody(model: SlowModel, batches: MicroBatches, busy: None) -> None:
    stays, leaves = (asyncio.create_task(embed(batches, text)) for text in ("stays", "leaves"))
    await arrive(stays, leaves)
    leaves.cancel()
    await arrive(leaves)
    model.go_on.set()
    assert await stays == [5.0]
    assert leaves.cancelled()
    assert model.batches == [["stays"]]


async def test_a_caller_that_leaves_while_it_is_computed_harms_nobody(model: SlowModel, batches: MicroBatches) -> None:
    model.go_on.clear()
    leaves = asyncio.create_task(embed(batches, "leaves"))
    while not model.entered.is_set():
        await asyncio.sleep(0.001)
    leaves.cancel()
    model.go_on.set()
    assert await embed(batches, "stays") == [5.0]
    assert leaves.cancelled()
