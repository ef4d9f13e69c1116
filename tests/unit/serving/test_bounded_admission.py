"""A bounded queue before the model: order, bounds, patience, and no place that gets lost."""

import asyncio
import contextlib
import random

import pytest

from contracts import OverloadedError
from serving.bounded_admission import BoundedAdmission


class Room:
    """Runs requests through an admission and notes the order in which they got their place."""

    def __init__(self, places: int, queue: int = 100, patience_s: float = 5.0) -> None:
        self.admission = BoundedAdmission(places, queue, patience_s)
        self.order: list[str] = []
        self.leave = asyncio.Event()

    async def visit(self, name: str, priority: int = 0, patience_s: float | None = None) -> None:
        async with self.admission.slot(priority=priority, patience_s=patience_s):
            self.order.append(name)
            await self.leave.wait()

    async def full(self, *names: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.visit(name)) for name in names]
        await asyncio.sleep(0)
        return tasks


async def test_lower_priorities_are_first_and_equals_in_turn() -> None:
    room = Room(places=1)
    tasks = await room.full("first")
    for name, priority in (("late", 5), ("a", 0), ("b", 0), ("urgent", -1)):
        tasks.append(asyncio.create_task(room.visit(name, priority)))
        await asyncio.sleep(0)
    assert (room.admission.running, room.admission.waiting) == (1, 4)
    room.leave.set()
    await asyncio.gather(*tasks)
    assert room.order == ["first", "urgent", "a", "b", "late"]
    assert (room.admission.running, room.admission.waiting) == (0, 0)


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_again() -> None:
    room = Room(places=1, queue=1)
    tasks = await room.full("inside", "waiting")
    with pytest.raises(OverloadedError, match="1 requests wait") as refused:
        await room.visit("one too many")
    assert refused.value.retry_after_s >= 1
    room.leave.set()
    await asyncio.gather(*tasks)


async def test_patience_ends_a_wait_and_its_place_in_the_queue() -> None:
    room = Room(places=1)
    tasks = await room.full("inside")
    with pytest.raises(OverloadedError, match=r"0\.01 s"):
        await room.visit("impatient", patience_s=0.01)
    assert room.admission.waiting == 0
    room.leave.set()
    await asyncio.gather(*tasks)
    await room.visit("later")
    assert room.order == ["inside", "later"]


async def test_who_leaves_the_queue_makes_room_and_takes_no_place() -> None:
    room = Room(places=1, queue=1)
    tasks = await room.full("inside", "gone")
    tasks[1].cancel()
    await asyncio.gather(tasks[1], return_exceptions=True)
    next_one = asyncio.create_task(room.visit("next"))
    await asyncio.sleep(0)
    room.leave.set()
    await asyncio.gather(tasks[0], next_one)
    assert room.order == ["inside", "next"]


async def test_a_place_given_to_one_who_is_cancelled_at_that_moment_is_not_lost() -> None:
    room = Room(places=1)
    (inside,) = await room.full("inside")
    waiting = asyncio.create_task(room.visit("cancelled"))
    await asyncio.sleep(0)
    inside.cancel()
    await asyncio.gather(inside, return_exceptions=True)  # its place is handed on here
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    room.leave.set()
    await asyncio.wait_for(room.visit("next"), 1)


async def test_whatever_visitors_do_all_places_come_back() -> None:
    chance = random.Random(7)
    admission = BoundedAdmission(3, 20, 0.02)
    inside, most = 0, 0

    async def visitor() -> None:
        nonlocal inside, most
        with contextlib.suppress(OverloadedError):
            async with admission.slot(priority=chance.randint(-2, 2)):
                inside += 1
                most = max(most, inside)
                try:
                    await asyncio.sleep(chance.random() * 0.01)
                finally:
                    inside -= 1

    tasks = [asyncio.create_task(visitor()) for _ in range(300)]
    for task in chance.sample(tasks, 80):
        await asyncio.sleep(0.0005)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (most, inside, admission.running, admission.waiting) == (3, 0, 0, 0)
