"""One model server over HTTP: requests whose answers are streamed as Server-Sent Events.

What arrives together is read together, so that a token costs microseconds; a vendor's client takes half a millisecond.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from serving.model_servers import ModelServer
from serving.streamed_answers import (
    AnswerReader,
    CompletionsAwayError,
    CompletionsError,
    CompletionsRefusedError,
    Piece,
)

if TYPE_CHECKING:
    import aiohttp

_BUSY = {408, 409, 429}  # and from 500: what may pass
_PAUSE_S = 0.5
_CONNECTIONS = 1000
_IDLE_S = 4.0  # servers close what is idle for five seconds, and a request must not meet that
_LAST_WORD_S = 1.0  # after the last event, for the end of the response, which lets the connection be used again


class AiohttpCompletions:
    """A server, at `path` below its base URL. It is asked `retries` times more while it has said nothing; `reader`
    makes what understands the events of one answer."""

    def __init__(self, server: ModelServer, path: str, reader: Callable[[], AnswerReader], *, retries: int) -> None:
        self._server = server
        self._url = f"{server.base_url.rstrip('/')}{path}"
        self._reader = reader
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        """Yield the pieces of the answer. Closing it closes the connection, which stops the server's work. Raises
        CompletionsError."""
        said = False
        for left in range(self._retries, -1, -1):
            try:
                async with aclosing(self._answer(body)) as pieces:
                    async for piece in pieces:
                        said = True
                        yield piece
                return
            except CompletionsAwayError:
                if said or not left:
                    raise
            await asyncio.sleep(_PAUSE_S)

    async def first_model(self) -> str:
        """Return the first model that the server lists. Raises CompletionsError."""
        from aiohttp import ClientError

        url = f"{self._server.base_url.rstrip('/')}/models"
        deadline = asyncio.get_running_loop().time() + self._server.timeout_s
        response = await self._call("GET", url, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                listed = json.loads(await response.read())
            return str(listed["data"][0]["id"])
        except (ClientError, OSError, ValueError, LookupError, TypeError) as exc:
            raise CompletionsError(f"{url} lists no model; set FOOTNOTE_SERVING__MODEL") from exc
        finally:
            response.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _answer(self, body: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        now = asyncio.get_running_loop().time
        deadline = now() + self._server.timeout_s
        response = await self._call("POST", self._url, deadline, body)
        answer, rest = self._reader(), b""
        try:
            while data := await self._read(response, deadline, answer):
                *lines, rest = (rest + data).split(b"\n")
                piece = self._understood(answer, lines)
                if piece is not None:
                    yield piece
                    deadline = now() + self._server.stall_s
                if answer.done:
                    deadline = now() + _LAST_WORD_S
            if not answer.ended:
                raise CompletionsAwayError(f"{self._url} broke off, or is no model server")
        finally:
            response.close()

    async def _read(self, response: aiohttp.ClientResponse, deadline: float, answer: AnswerReader) -> bytes:
        from aiohttp import ClientError

        try:
            async with asyncio.timeout_at(deadline):
                return await response.content.readany()
        except (ClientError, OSError) as exc:
            if answer.ended:
                return b""
            raise CompletionsAwayError(f"{self._url} says no more: {type(exc).__name__} {exc}") from exc

    def _understood(self, answer: AnswerReader, lines: list[bytes]) -> Piece | None:
        try:
            return answer.read([line[5:].strip() for line in lines if line.startswith(b"data:")])
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            raise CompletionsAwayError(f"{self._url} says what cannot be understood: {exc!r}") from exc

    async def _call(
        self, method: str, url: str, deadline: float, body: Mapping[str, Any] | None = None
    ) -> aiohttp.ClientResponse:
        from aiohttp import ClientError

        try:
            async with asyncio.timeout_at(deadline):
                response = await self._open().request(method, url, json=body, headers=self._server.headers)
                if response.status == 200:
                    return response
                said = (await response.text(errors="replace"))[:500]
        except (ClientError, OSError) as exc:
            raise CompletionsAwayError(f"{type(exc).__name__}: {exc}") from exc
        away = response.status in _BUSY or response.status >= 500
        raise (CompletionsAwayError if away else CompletionsRefusedError)(f"HTTP {response.status} {said}")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._server.connect_s),
                trust_env=self._server.heeds_proxy,
            )
        return self._session
