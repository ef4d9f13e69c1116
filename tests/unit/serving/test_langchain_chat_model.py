"""What a model server, or something else at its address, can do to the client: always one clear error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from contracts import Message, ModelUnavailableError, Prompt
from serving.langchain_chat_model import LangChainChatModel
from serving.model_servers import ModelServer

pytestmark = pytest.mark.enable_socket

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n"
CHUNK = (
    b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"role":"assistant","content":"The tram"}}]}\n\n'
)
REPLIES = {
    "cut off": HEAD.replace(b"Connection: close", b"Content-Length: 9999") % b"text/event-stream" + CHUNK,
    "a page": HEAD % b"text/html" + b"<html>Welcome</html>",
    "bad data": HEAD % b"text/event-stream" + b"data: {not json\n\n",
    "nothing": b"",
    "an error": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
}


@pytest.fixture(params=REPLIES)
async def bad_server(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(REPLIES[request.param])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@pytest.mark.parametrize("name", ["m", ""])
async def test_a_server_that_misbehaves_is_named(bad_server: str, name: str) -> None:
    model = LangChainChatModel(ModelServer(name, bad_server, timeout_s=2))
    prompt = Prompt((Message("user", "Hello"),), "test-1", ())
    with pytest.raises(ModelUnavailableError, match=r"FOOTNOTE_SERVING__BASE_URL|lists no model"):
        async for _ in model.stream(prompt, max_tokens=5, temperature=0):
            pass
    await model.close()
