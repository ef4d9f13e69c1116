"""A model server over the wire, as small as can be: it keeps what it was asked, and says what it was told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Reply = tuple[int, Any]  # status, and the JSON body
Handler = Callable[[str, dict[str, Any]], Reply]


@dataclass
class FakeModelServer:
    """`asked` are the paths and bodies of the requests, newest last. A completion is streamed word by word: `words`,
    with `pause_s` between them, then the parts of `calls`, unless it is `silent`, `refuses` with a status or breaks
    off; `gone` is set when a reader left before the end."""

    url: str = ""
    words: tuple[str, ...] = ("The ", "tram ", "runs.")
    finish: str = "stop"
    pause_s: float = 0.0
    breaks_after: int | None = None
    refuses: int | None = None
    silent: bool = False
    model: str = "m"
    calls: tuple[dict[str, Any], ...] = ()
    handler: Handler = lambda path, body: (404, {"detail": "Not Found"})
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
        body = json.loads(await reader.readexactly(length) or b"{}")
        path = head.split(" ", 2)[1]
        self.asked.append((path, body))
        try:
            if self.silent:
                await reader.read()  # until the other side leaves
            elif path.endswith("/chat/completions"):
                await self._complete(writer)
            else:
                _answer(writer, *self.handler(path, body))
            await writer.drain()
        except ConnectionError:
            self.gone.set()
        finally:
            writer.close()

    async def _complete(self, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            return _answer(writer, self.refuses, {"error": {"message": "no"}})
        length = b"Content-Length: 99999\r\n" if self.breaks_after else b""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%sConnection: close\r\n\r\n"
        writer.write(head % length)
        for position, word in enumerate(self.words):
            if position == self.breaks_after:
                return None
            writer.write(self._event({"index": 0, "delta": {"role": "assistant", "content": word}}))
            await writer.drain()
            await asyncio.sleep(self.pause_s)
        for part in self.calls:
            writer.write(self._event({"index": 0, "delta": {"tool_calls": [part]}}))
        writer.write(self._event({"index": 0, "delta": {}, "finish_reason": self.finish}))
        usage = {"prompt_tokens": 7, "completion_tokens": len(self.words), "total_tokens": 7 + len(self.words)}
        writer.write(self._event(usage=usage) + b"data: [DONE]\n\n")
        return None

    def _event(self, choice: dict[str, Any] | None = None, **more: Any) -> bytes:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": self.model}
        choices = [choice] if choice else []
        return b"data: " + json.dumps({**chunk, "choices": choices, **more}).encode() + b"\n\n"


@asynccontextmanager
async def listening(server: FakeModelServer) -> AsyncIterator[FakeModelServer]:
    """Let the server listen on a free port meanwhile."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
        yield server


def _answer(writer: asyncio.StreamWriter, status: int, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + content)
