"""The chat model behind a real vLLM, and the scripted one of the tests: the same port, the same behaviour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contracts import ChatModel, Message, ModelUnavailableError, Prompt, Token
from serving.langchain_chat_model import LangChainChatModel
from serving.model_servers import ModelServer
from serving.scripted_chat_model import ScriptedChatModel
from tests.running_stack import RunningStack

pytestmark = pytest.mark.integration

PROMPT = Prompt((Message("user", "Say: the tram runs daily."),), "test-1", ())


@pytest.fixture(params=["vllm", "vllm found by its server", "scripted"])
async def model(request: pytest.FixtureRequest, running: RunningStack) -> AsyncIterator[ChatModel]:
    if request.param == "scripted":
        yield ScriptedChatModel(lambda _: "The tram runs daily.")
        return
    name = "smollm2-135m-instruct" if request.param == "vllm" else ""
    async with closing(LangChainChatModel(ModelServer(name, running.model))) as made:
        yield made


@asynccontextmanager
async def closing(model: LangChainChatModel) -> AsyncIterator[LangChainChatModel]:
    try:
        yield model
    finally:
        await model.close()


async def tokens(model: ChatModel, max_tokens: int = 12) -> list[Token]:
    return [token async for token in model.stream(PROMPT, max_tokens=max_tokens, temperature=0)]


async def test_text_comes_in_pieces_and_the_usage_last(model: ChatModel) -> None:
    pieces = await tokens(model)
    assert len([piece for piece in pieces if piece.text]) > 1
    assert [piece.usage is not None for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    usage = pieces[-1].usage
    assert usage is not None
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0


async def test_the_limit_holds(model: ChatModel) -> None:
    usage = (await tokens(model, max_tokens=3))[-1].usage
    assert usage is not None
    assert usage.completion_tokens <= 3


async def test_the_same_prompt_has_the_same_answer(model: ChatModel) -> None:
    first, second = await tokens(model), await tokens(model)
    assert "".join(piece.text for piece in first) == "".join(piece.text for piece in second)


async def test_the_name_is_the_servers_once_it_is_known(running: RunningStack) -> None:
    async with closing(LangChainChatModel(ModelServer("", running.model))) as model:
        await model.prepare()
        assert model.name == "smollm2-135m-instruct"


async def test_a_model_that_the_server_does_not_have_is_named(running: RunningStack) -> None:
    with pytest.raises(ModelUnavailableError, match=r"'no-such-model'.*FOOTNOTE_SERVING__MODEL"):
        async with closing(LangChainChatModel(ModelServer("no-such-model", running.model))) as model:
            await tokens(model)


@pytest.mark.parametrize("name", ["smollm2-135m-instruct", ""])
async def test_a_server_that_is_away_is_named(name: str) -> None:
    with pytest.raises(ModelUnavailableError, match=r"127\.0\.0\.1:9"):
        async with closing(LangChainChatModel(ModelServer(name, "http://127.0.0.1:9/v1", timeout_s=2))) as model:
            await tokens(model)
