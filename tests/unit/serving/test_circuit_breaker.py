"""A server that keeps failing is left alone, tried by one request after a while, and taken back when it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import pytest

from serving.circuit_breaker import CircuitBreaker
from serving.streamed_answers import CompletionsAwayError, CompletionsError, CompletionsRefusedError, Piece


class Server:
    """Says "one", "two", then raises `error` where it has one, or at once if it is `dead`, after `hold` where set."""

    def __init__(self) -> None:
        self.error: CompletionsError | None = None
        self.dead = False
        self.hold: asyncio.Event | None = None
        self.asked = 0

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        self.asked += 1
        if self.hold:
            await self.hold.wait()
        if self.dead:
            raise CompletionsAwayError("dead")
        yield Piece("one")
        yield Piece("two")
        if self.error:
            raise self.error


class Watch:
    """A clock that is set by hand, and a breaker that goes by it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.server = Server()
        self.breaker = CircuitBreaker(self.server, failures=3, rest_s=5, clock=lambda: self.now)

    async def ask(self) -> str:
        return "".join([piece.text async for piece in self.breaker.stream({})])

    async def fail(self, times: int) -> None:
        for _ in range(times):
            with pytest.raises(CompletionsError):
                await self.ask()


async def test_after_failures_in_a_row_it_is_not_asked() -> None:
    watch = Watch()
    watch.server.dead = True
    await watch.fail(10)
    assert watch.server.asked == 3


async def test_one_request_tries_it_after_a_rest_and_the_others_follow() -> None:
    watch = Watch()
    watch.server.dead = True
    await watch.fail(3)
    watch.server.dead = False
    watch.now += 4.9
    await watch.fail(1)
    watch.now += 0.2
    async with aclosing(watch.breaker.stream({})) as trial:
        assert (await anext(trial)).text == "one"
        assert await watch.ask() == "onetwo"
    assert await watch.ask() == "onetwo"


async def test_while_one_tries_it_nobody_else_does() -> None:
    watch = Watch()
    watch.server.dead = True
    await watch.fail(3)
    watch.now += 6
    watch.server.hold = asyncio.Event()
    trial = asyncio.create_task(watch.ask())
    await asyncio.sleep(0.01)
    await watch.fail(2)
    assert watch.server.asked == 4
    watch.server.dead = False
    watch.server.hold.set()
    assert await trial == "onetwo"


async def test_a_trial_that_fails_is_another_rest() -> None:
    watch = Watch()
    watch.server.dead = True
    await watch.fail(3)
    watch.now += 6
    await watch.fail(2)
    assert watch.server.asked == 4


async def test_a_trial_that_its_reader_leaves_is_none() -> None:
    watch = Watch()
    watch.server.dead = True
    await watch.fail(3)
    watch.server.dead = False
    watch.now += 6
    async with aclosing(watch.breaker.stream({})) as trial:
        await anext(trial)
    assert await watch.ask() == "onetwo"


async def test_breaking_off_counts_and_an_answer_begins_anew() -> None:
    watch = Watch()
    watch.server.error = CompletionsAwayError("broke off")
    await watch.fail(2)
    watch.server.error = None
    await watch.ask()
    watch.server.error = CompletionsAwayError("broke off")
    await watch.fail(5)
    assert watch.server.asked == 6


async def test_a_server_that_refuses_is_there() -> None:
    watch = Watch()
    watch.server.error = CompletionsRefusedError("HTTP 400")
    await watch.fail(5)
    assert watch.server.asked == 5
