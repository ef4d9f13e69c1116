"""Backends over the wire, in OpenAI's protocol and in Anthropic's, with what networks and dying servers do to them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import InvalidInputError, Message, Prompt, Token
from serving.langchain_chat_model import LangChainChatModel
from serving.model_servers import ModelServer, WireProtocol
from tests.answering_desk import HOURS, Desk
from tests.faulty_proxy import Fault, between
from tests.running_stack import RunningStack

pytestmark = pytest.mark.integration

NAME = "smollm2-135m-instruct"
PROMPT = Prompt((Message("system", "You repeat."), Message("user", "Say: the tram runs daily.")), "test-1", ())
STORY = Prompt((Message("user", "Tell a long story about a tram."),), "test-1", ())
EARLY: list[Fault] = ["drop", "silent", "garbage", "429", "500", "503"]
LATE: list[Fault] = ["drop", "stall", "garbage"]


@pytest.fixture(params=["openai", "anthropic"])
def protocol(request: pytest.FixtureRequest) -> WireProtocol:
    return request.param  # type: ignore[no-any-return]


def at(url: str, protocol: WireProtocol, **more: Any) -> ModelServer:
    return ModelServer(NAME, url, protocol=protocol, **{"timeout_s": 60, "stall_s": 30, **more})


@asynccontextmanager
async def open_model(*servers: ModelServer) -> AsyncIterator[LangChainChatModel]:
    model = LangChainChatModel(*servers)
    try:
        yield model
    finally:
        await model.close()


async def said(model: LangChainChatModel, prompt: Prompt = PROMPT, most: int = 12) -> list[Token]:
    return [token async for token in model.stream(prompt, max_tokens=most, temperature=0)]


def text(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


async def running_requests(stack: RunningStack) -> float:
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(stack.model.removesuffix("/v1") + "/metrics")).text
    return sum(float(count) for count in re.findall(r"^vllm:num_requests_running\{.*\} (\S+)$", metrics, re.M))


async def test_both_protocols_say_the_same(running: RunningStack) -> None:
    async with open_model(at(running.model, "openai")) as one, open_model(at(running.model, "anthropic")) as other:
        first, second = await said(one), await said(other)
    assert text(first) == text(second) != ""
    assert first[-1].usage == second[-1].usage
    assert first[-1].model == second[-1].model == NAME


async def test_the_name_is_found_at_either_kind_of_server(running: RunningStack, protocol: WireProtocol) -> None:
    async with open_model(ModelServer("", running.model, protocol=protocol)) as model:
        await model.prepare()
        assert model.name == NAME


@pytest.mark.parametrize("fault", EARLY)
async def test_before_the_first_token_the_next_server_answers(
    running: RunningStack, protocol: WireProtocol, fault: Fault
) -> None:
    async with between(running.model, fault) as proxy:
        first = ModelServer("first", proxy.url, protocol=protocol, timeout_s=1.5)
        async with open_model(first, at(running.model, protocol)) as model:
            tokens = await said(model)
    assert tokens[-1].model == NAME != model.name
    assert text(tokens)
    assert proxy.asked == 1


async def test_a_server_that_keeps_failing_costs_nothing_until_it_is_back(running: RunningStack) -> None:
    async with between(running.model, "silent") as proxy:
        first = at(proxy.url, "openai", timeout_s=1.0, failures=2, rest_s=3.0)
        async with open_model(first, ModelServer(NAME, running.model, protocol="anthropic")) as model:
            for _ in range(2):
                await said(model)
            assert proxy.asked == 2
            began = time.monotonic()
            await asyncio.gather(*(said(model, most=1) for _ in range(4)))
            assert proxy.asked == 2
            proxy.fault = "none"
            await asyncio.sleep(max(0.0, 3.2 - (time.monotonic() - began)))
            assert text(await said(model))
            assert proxy.asked == 3


@pytest.mark.parametrize("fault", LATE)
async def test_what_was_checked_before_a_break_stays(
    running: RunningStack, protocol: WireProtocol, fault: Fault, tmp_path: Path
) -> None:
    desk = Desk(tmp_path)
    await desk.shelf.put("hours.md", f"{HOURS}. It closes at ten. It has sixty rooms. The tram stops at its door.")
    async with (
        between(running.model, fault, after=b':"."') as proxy,
        between(running.model) as second,
        open_model(at(proxy.url, protocol, stall_s=1.5), at(second.url, protocol)) as model,
    ):
        desk.with_model(model)
        answer = await desk.ask()
    assert (answer.finish, answer.notice) == ("interrupted", "model_unavailable")
    assert answer.text.endswith(".")
    assert "its door" not in answer.text
    assert second.asked == 0


async def test_when_all_are_away_the_sources_are_quoted(running: RunningStack, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    await desk.shelf.put("hours.md", HOURS)
    async with (
        between(running.model, "503") as one,
        between(running.model, "drop") as other,
        open_model(at(one.url, "openai"), at(other.url, "anthropic")) as model,
    ):
        desk.with_model(model)
        answer = await desk.ask()
    assert (answer.notice, answer.mode) == ("model_unavailable", "extractive")
    assert HOURS in answer.text


async def test_a_reader_that_leaves_stops_the_engine(running: RunningStack, protocol: WireProtocol) -> None:
    async with open_model(at(running.model, protocol)) as model:
        async with aclosing(model.stream(STORY, max_tokens=2000, temperature=0)) as stream:
            await anext(stream)
            assert await running_requests(running) >= 1
        async with asyncio.timeout(10):
            while await running_requests(running):
                await asyncio.sleep(0.1)


async def test_a_constraint_holds_or_is_refused(running: RunningStack) -> None:
    def asked(**options: Any) -> Prompt:
        return Prompt(PROMPT.messages, "test-1", (), options=options)

    choice = asked(structured_outputs={"choice": ["tram", "bus"]})
    async with open_model(at(running.model, "openai")) as one, open_model(at(running.model, "anthropic")) as other:
        assert text(await said(one, choice)) in ("tram", "bus")
        assert re.fullmatch("[0-9]{3}", text(await said(one, asked(structured_outputs={"regex": "[0-9]{3}"}))))
        for model, prompt in ((other, choice), (one, asked(structured_outputs={"regex": "(["}))):
            with pytest.raises(InvalidInputError, match="does not take the request, with structured_outputs"):
                await said(model, prompt)
