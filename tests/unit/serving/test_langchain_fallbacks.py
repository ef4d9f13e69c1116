"""Other servers are asked, in order, while none has said anything."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing

import pytest

from contracts import Message, ModelUnavailableError, Prompt, Token
from serving.langchain_chat_model import LangChainChatModel
from serving.model_servers import ModelServer
from tests.unit.serving.fake_model_server import FakeModelServer, listening

pytestmark = pytest.mark.enable_socket

AWAY = "http://127.0.0.1:9/v1"
PROMPT = Prompt((Message("user", "Does the tram run?"),), "test-1", ())


def model(url: str, *fallbacks: FakeModelServer, name: str = "m", timeout_s: float = 5) -> LangChainChatModel:
    servers = [ModelServer(server.model, server.url, timeout_s=5) for server in fallbacks]
    return LangChainChatModel(ModelServer(name, url, timeout_s=timeout_s), *servers)


async def tokens(asked: LangChainChatModel) -> list[Token]:
    try:
        return [token async for token in asked.stream(PROMPT, max_tokens=9, temperature=0)]
    finally:
        await asked.close()


def text(said: list[Token]) -> str:
    return "".join(token.text for token in said)


async def test_the_first_fallback_answers_for_a_server_that_is_away() -> None:
    async with listening(FakeModelServer(model="second")) as second, listening(FakeModelServer()) as third:
        said = await tokens(model(AWAY, second, third))
    assert text(said) == "The tram runs."
    assert said[-1].model == "second"
    assert second.asked[-1][1]["model"] == "second"
    assert third.asked == []


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_a_server_that_refuses_is_away(status: int) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(listening(FakeModelServer(refuses=status)))
        second = await stack.enter_async_context(listening(FakeModelServer(refuses=503, model="second")))
        third = await stack.enter_async_context(listening(FakeModelServer(model="third")))
        said = await tokens(model(first.url, second, third))
    assert said[-1].model == "third"
    assert len(first.asked) == 1


async def test_each_server_has_its_own_timeout() -> None:
    async with listening(FakeModelServer(silent=True)) as stuck, listening(FakeModelServer(model="second")) as second:
        said = await tokens(model(stuck.url, second, timeout_s=0.3))
    assert said[-1].model == "second"


async def test_the_primary_answers_while_it_is_there() -> None:
    async with listening(FakeModelServer()) as first, listening(FakeModelServer(model="second")) as second:
        said = await tokens(model(first.url, second, name="first"))
    assert said[-1].model == "first"
    assert second.asked == []


async def test_no_other_model_goes_on_with_what_one_began_to_say() -> None:
    async with listening(FakeModelServer(breaks_after=1)) as first, listening(FakeModelServer(model="2nd")) as second:
        asked = model(first.url, second)
        heard: list[str] = []
        with pytest.raises(ModelUnavailableError):
            async for token in asked.stream(PROMPT, max_tokens=9, temperature=0):
                heard.append(token.text)
        await asked.close()
    assert heard == ["The "]
    assert second.asked == []


async def test_when_none_answers_the_primary_is_named() -> None:
    async with listening(FakeModelServer(refuses=503)) as second:
        with pytest.raises(ModelUnavailableError, match=r"127\.0\.0\.1:9/v1 did not answer for 'm', nor did 1 other"):
            await tokens(model(AWAY, second))


async def test_a_primary_without_a_name_that_is_away_is_passed_over() -> None:
    async with listening(FakeModelServer(model="second")) as second:
        asked = model(AWAY, second, name="")
        await asked.prepare()
        assert asked.name == "second"
        assert text(await tokens(asked)) == "The tram runs."


@pytest.mark.parametrize("which", ["alone", "with fallbacks", "a fallback"])
async def test_a_reader_that_leaves_stops_the_servers_work(which: str) -> None:
    endless = FakeModelServer(words=("word ",) * 10_000, pause_s=0.005)
    async with listening(endless), listening(FakeModelServer(model="second")) as second:
        match which:
            case "alone":
                asked = model(endless.url)
            case "with fallbacks":
                asked = model(endless.url, second)
            case _:
                asked = model(AWAY, endless)
        async with aclosing(asked.stream(PROMPT, max_tokens=10_000, temperature=0)) as stream:
            async for token in stream:
                assert token.text == "word "
                break
        async with asyncio.timeout(2):
            await endless.gone.wait()
        await asked.close()
