"""Identical questions at once: one is made, all hear it."""

import asyncio

import pytest

from apps.draft import Emit, Event, Released
from apps.single_flight import SingleFlight
from contracts import Answer, ModelUnavailableError

ANSWER = Answer("It opens at nine.", (), grounded=True, abstained=False, cache="miss", generation=1, trace_id="")


class Making:
    """Work that says two things, the second when it may."""

    def __init__(self) -> None:
        self.made = 0
        self.cancelled = 0
        self.go_on = asyncio.Event()

    async def __call__(self, emit: Emit) -> Answer:
        self.made += 1
        try:
            await emit(Released("It opens "))
            await self.go_on.wait()
            await emit(Released("at nine."))
            return ANSWER
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class Listener:
    """One who asks, and notes what it hears."""

    def __init__(self, flights: SingleFlight, making: Making, key: str = "key") -> None:
        self.heard: list[Event] = []
        self.task = asyncio.create_task(flights.run(key, self.hear, making))

    async def hear(self, event: Event) -> None:
        self.heard.append(event)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_later_hears_all_from_the_beginning() -> None:
    flights, making = SingleFlight(), Making()
    first = Listener(flights, making)
    await settle()
    second = Listener(flights, making)
    await settle()
    assert first.heard == second.heard == [Released("It opens ")]
    making.go_on.set()
    assert await first.task == (ANSWER, False)
    assert await second.task == (ANSWER, True)
    assert first.heard == second.heard == [Released("It opens "), Released("at nine.")]
    assert making.made == 1


async def test_other_keys_and_later_questions_are_made_for_themselves() -> None:
    flights, making = SingleFlight(), Making()
    making.go_on.set()
    one, other = Listener(flights, making), Listener(flights, making, "other")
    await asyncio.gather(one.task, other.task)
    await Listener(flights, making).task
    assert making.made == 3


async def test_the_first_one_leaving_stops_nothing_for_the_others() -> None:
    flights, making = SingleFlight(), Making()
    first, second = Listener(flights, making), Listener(flights, making)
    await settle()
    first.task.cancel()
    await settle()
    making.go_on.set()
    assert await second.task == (ANSWER, True)
    assert making.cancelled == 0


async def test_the_last_one_leaving_cancels_the_work_and_the_next_begins_anew() -> None:
    flights, making = SingleFlight(), Making()
    listeners = [Listener(flights, making) for _ in range(3)]
    await settle()
    for listener in listeners:
        listener.task.cancel()
    await asyncio.gather(*(listener.task for listener in listeners), return_exceptions=True)
    assert making.cancelled == 1
    again = Listener(flights, making)
    making.go_on.set()
    assert await again.task == (ANSWER, False)
    assert making.made == 2


async def test_all_hear_of_a_failure_and_it_is_tried_again() -> None:
    flights, tries = SingleFlight(), 0

    async def fail(emit: Emit) -> Answer:
        nonlocal tries
        tries += 1
        await asyncio.sleep(0)
        raise ModelUnavailableError("away")

    async def ignore(event: Event) -> None: ...

    found = await asyncio.gather(*(flights.run("key", ignore, fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [ModelUnavailableError] * 3
    assert tries == 1
    with pytest.raises(ModelUnavailableError):
        await flights.run("key", ignore, fail)
    assert tries == 2
