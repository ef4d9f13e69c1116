"""A TCP proxy before a real server that does to a connection what networks and dying servers do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["none", "drop", "stall", "garbage", "silent", "429", "500", "503"]
_SAID = {"429": b"Too Many Requests", "500": b"Internal Server Error", "503": b"Service Unavailable"}


@dataclass
class FaultyProxy:
    """Passes requests on to `upstream`, a URL. With `after` None a fault strikes before the server is asked, else once
    what the server sent holds `after`, and three more events. `asked` counts the connections."""

    upstream: str
    fault: Fault = "none"
    after: bytes | None = None
    url: str = ""
    asked: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.asked += 1
        parts = urlsplit(self.upstream)
        there_reader, there = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            if self.fault != "none" and self.after is None:
                await self._strike(reader, writer, begun=False)
                return
            there.write(request)
            task = asyncio.create_task(_copy(reader, there))
            self._tasks.add(task)
            await self._back(reader, there_reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (there, writer):
                end.close()
            for task in self._tasks:
                task.cancel()

    async def _back(
        self, reader: asyncio.StreamReader, there: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen, left = b"", 3
        while data := await there.read(65536):
            writer.write(data)
            await writer.drain()
            seen += data
            if self.after is not None and self.fault != "none" and self.after in seen:
                left -= 1
                if left < 0:
                    await self._strike(reader, writer, begun=True)
                    return

    async def _strike(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, begun: bool) -> None:
        if self.fault in _SAID:
            writer.write(b"HTTP/1.1 %s %s\r\nContent-Length: 2\r\n\r\nno" % (self.fault.encode(), _SAID[self.fault]))
        elif self.fault == "garbage":
            head = b"" if begun else b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            writer.write(head + b'12\r\ndata: {"what": [\n\n\n\r\n')
        elif self.fault in ("stall", "silent"):
            while await reader.read(65536):  # until the other side gives up
                pass
        with contextlib.suppress(ConnectionError):
            await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def between(upstream: str, fault: Fault = "none", after: bytes | None = None) -> AsyncIterator[FaultyProxy]:
    """Let a proxy listen on a free port meanwhile; its `url` has the path of the upstream's."""
    proxy = FaultyProxy(upstream, fault, after)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with listener:
        proxy.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}{urlsplit(upstream).path}"
        yield proxy
