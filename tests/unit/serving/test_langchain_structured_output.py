"""A prompt with a schema: the server is told to let nothing through that does not conform."""

from __future__ import annotations

import pytest

from contracts import Message, Prompt, Token
from serving.langchain_chat_model import LangChainChatModel
from serving.model_servers import ModelServer
from tests.unit.serving.fake_model_server import FakeModelServer, listening

pytestmark = pytest.mark.enable_socket

SCHEMA = {"title": "Beds of é", "type": "object", "properties": {"beds": {"type": "integer"}}, "required": ["beds"]}


async def said(server: FakeModelServer, prompt: Prompt) -> list[Token]:
    async with listening(server):
        model = LangChainChatModel(ModelServer("m", server.url, timeout_s=5))
        try:
            return [token async for token in model.stream(prompt, max_tokens=9, temperature=0)]
        finally:
            await model.close()


def prompt(**more: object) -> Prompt:
    return Prompt((Message("user", "How many beds?"),), "test-1", (), **more)  # type: ignore[arg-type]


async def test_the_schema_goes_over_the_wire() -> None:
    server = FakeModelServer(words=('{"beds": ', "60}"))
    tokens = await said(server, prompt(schema=SCHEMA))
    (path, body) = server.asked[-1]
    assert path == "/v1/chat/completions"
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Beds_of__", "schema": SCHEMA, "strict": True},
    }
    assert body["stream"] is True
    assert "".join(token.text for token in tokens) == '{"beds": 60}'
    assert tokens[-1].usage is not None
    assert not tokens[-1].cut_off


async def test_json_that_was_cut_off_arrives_and_says_so() -> None:
    tokens = await said(FakeModelServer(words=('{"beds": ', "6"), finish="length"), prompt(schema=SCHEMA))
    assert "".join(token.text for token in tokens) == '{"beds": 6'
    assert tokens[-1].cut_off


async def test_without_a_schema_none_is_asked_for() -> None:
    server = FakeModelServer()
    await said(server, prompt())
    assert "response_format" not in server.asked[-1][1]
