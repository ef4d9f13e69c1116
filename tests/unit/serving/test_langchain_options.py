"""What a prompt asks for besides its messages goes over the wire, and calls of tools come back."""

from __future__ import annotations

from typing import Any

import pytest

from contracts import InvalidInputError, Message, Prompt, Token
from serving.langchain_chat_model import LangChainChatModel
from serving.model_servers import ModelServer
from tests.unit.serving.fake_model_server import FakeModelServer, listening

pytestmark = pytest.mark.enable_socket

TOOL = {"type": "function", "function": {"name": "hours"}}


async def said(server: FakeModelServer, schema: Any = None, **options: Any) -> list[Token]:
    prompt = Prompt((Message("user", "When?"),), "test-1", (), schema, options)
    async with listening(server):
        model = LangChainChatModel(ModelServer("m", server.url, timeout_s=5))
        try:
            return [token async for token in model.stream(prompt, max_tokens=9, temperature=0)]
        finally:
            await model.close()


async def test_options_go_before_the_settings() -> None:
    server = FakeModelServer()
    await said(server, seed=3, stop=["END"], logit_bias={"5": 1}, max_tokens=4, temperature=0.7, stream=False)
    body = server.asked[-1][1]
    assert (body["seed"], body["stop"], body["logit_bias"]) == (3, ["END"], {"5": 1})
    assert (body["max_tokens"], body["temperature"], body["stream"]) == (4, 0.7, True)
    assert "max_completion_tokens" not in body


async def test_a_constraint_of_the_client_goes_before_our_own() -> None:
    server = FakeModelServer()
    await said(server, {"type": "object"}, structured_outputs={"json": {"type": "object"}})
    assert "response_format" not in server.asked[-1][1]


async def test_messages_of_the_client_come_last() -> None:
    result = {"role": "tool", "tool_call_id": "c1", "content": "nine"}
    server = FakeModelServer()
    await said(server, messages=[result], tools=[TOOL])
    body = server.asked[-1][1]
    assert [message["role"] for message in body["messages"]] == ["user", "tool"]
    assert body["messages"][-1] == result
    assert body["tools"] == [TOOL]


async def test_a_call_that_comes_in_parts_comes_back_whole() -> None:
    parts = [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "hours", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"day": '}},
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "hours", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": '"Monday"}'}},
    ]
    tokens = await said(FakeModelServer(calls=tuple(parts), finish="tool_calls"))
    assert [(call["id"], call["function"]["arguments"]) for call in tokens[-1].tool_calls] == [
        ("c1", '{"day": "Monday"}'),
        ("c2", "{}"),
    ]
    assert tokens[-1].model == "m"


async def test_options_that_are_not_taken_are_the_clients_fault() -> None:
    with pytest.raises(InvalidInputError, match=r"does not take the request, with logit_bias: HTTP 400"):
        await said(FakeModelServer(refuses=400), logit_bias={"x": 1})


async def test_the_name_is_the_one_that_was_asked_for() -> None:
    tokens = await said(FakeModelServer(model="m-2026-01-01"))  # as providers answer for an alias
    assert tokens[-1].model == "m"
