"""What a stream of completions becomes: pieces as they arrive, and one error for all that can go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest

from contracts import Usage
from serving.aiohttp_completions import AiohttpCompletions
from serving.model_servers import ModelServer
from serving.openai_completions import PATH, OpenAIAnswer
from serving.streamed_answers import CompletionsAwayError, CompletionsError, CompletionsRefusedError, Piece

pytestmark = pytest.mark.enable_socket

BODY = {"model": "m", "messages": [], "stream": True}


def event(text: str = "", finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: %s\n\n" % json.dumps({"model": "m", "choices": [choice], **more}).encode()


USED = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}\n\ndata: [DONE]\n\n'


class Server:
    """Says each of `writes` by itself; each request takes the next of `statuses`, the last one for good."""

    def __init__(self, writes: Sequence[bytes], statuses: Sequence[int] = (200,), *, hangs: bool = False) -> None:
        self.writes, self.statuses, self.hangs = writes, list(statuses), hangs
        self.requests = 0
        self.left = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        writer.write(b"HTTP/1.1 %d X\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" % status)
        try:
            for one in self.writes:
                writer.write(one)
                await writer.drain()
                await asyncio.sleep(0.02)  # so that the next one comes by itself
            if self.hangs:
                await reader.read()
                self.left.set()
        finally:
            writer.close()


@asynccontextmanager
async def asked(server: Server, *, retries: int = 0) -> AsyncIterator[AiohttpCompletions]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    server_at = ModelServer("m", url, api_key="k", timeout_s=2, stall_s=0.3, heeds_proxy=False)
    completions = AiohttpCompletions(server_at, PATH, OpenAIAnswer, retries=retries)
    async with listening:
        try:
            yield completions
        finally:
            await completions.close()
            await asyncio.sleep(0.1)  # the server ends its turn


async def pieces(server: Server, *, retries: int = 0) -> list[Piece]:
    async with asked(server, retries=retries) as completions:
        return [piece async for piece in completions.stream(BODY)]


async def test_what_arrives_together_is_one_piece() -> None:
    found = await pieces(Server([event("The ") + event("tram"), event(" runs.", "stop") + USED]))
    assert found == [Piece("The tram"), Piece(" runs.", "stop", Usage(7, 2))]


async def test_an_event_may_come_in_parts_even_inside_a_letter() -> None:
    whole = event("Zürich").replace(b"\\u00fc", "ü".encode()) + event("", "stop")
    found = await pieces(Server([whole[:60], whole[60:70], *(whole[at : at + 1] for at in range(70, 80)), whole[80:]]))
    assert "".join(piece.text for piece in found) == "Zürich"


async def test_a_stream_that_ends_before_its_end_is_an_error() -> None:
    with pytest.raises(CompletionsError, match="broke off"):
        await pieces(Server([event("The tram")]))


async def test_a_failure_in_mid_stream_is_an_error() -> None:
    with pytest.raises(CompletionsError, match="out of memory"):
        await pieces(Server([event("The"), b'data: {"error": {"message": "out of memory"}}\n\n', event("", "stop")]))


async def test_a_busy_server_is_asked_again() -> None:
    server = Server([event("Hello", "stop")], [503, 200])
    assert [piece.text for piece in await pieces(server, retries=1)] == ["Hello"]
    with pytest.raises(CompletionsAwayError, match="503"):
        await pieces(Server([], [503]), retries=0)


async def test_a_refusal_is_final() -> None:
    server = Server([], [400])
    with pytest.raises(CompletionsRefusedError, match="HTTP 400"):
        await pieces(server, retries=1)
    assert server.requests == 1


@pytest.mark.parametrize("comment", [b"", b": ping\n\n"])
async def test_a_server_that_falls_silent_in_mid_stream_has_stalled(comment: bytes) -> None:
    with pytest.raises(CompletionsAwayError, match="TimeoutError"):
        await pieces(Server([event("The tram"), *[comment] * 40], hangs=True))


async def test_reasoning_shows_that_the_model_is_at_work() -> None:
    thought = event().replace(b'"content": ""', b'"reasoning_content": "hm"')
    server = Server([event("One"), *[thought] * 30, event(" two.", "stop")])
    assert "".join(piece.text for piece in await pieces(server)) == "One two."


async def test_what_nobody_understands_is_an_error() -> None:
    with pytest.raises(CompletionsAwayError, match="cannot be understood"):
        await pieces(Server([b"data: [1, 2]\n\n"]))


async def test_a_response_that_stays_open_after_its_end_is_complete() -> None:
    found = await pieces(Server([event("Hello", "stop") + USED], hangs=True))
    assert [piece.text for piece in found] == ["Hello"]


async def test_who_stops_reading_closes_the_connection() -> None:
    server = Server([event("one")], hangs=True)
    async with asked(server) as completions:
        async with aclosing(completions.stream(BODY)) as stream:
            assert (await anext(stream)).text == "one"
        await asyncio.wait_for(server.left.wait(), 2)
