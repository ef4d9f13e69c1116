"""Chat completions streamed from an OpenAI-compatible server. What arrives together is read together, so that a piece
costs microseconds; the vendor's client takes half a millisecond for each token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts import Usage

if TYPE_CHECKING:
    import aiohttp

_BUSY = {408, 409, 429}  # and from 500: what may pass
_PAUSE_S = 0.5
_CONNECTIONS = 1000
_IDLE_S = 4.0  # servers close what is idle for five seconds, and a request must not meet that
_DONE = b"[DONE]"


class CompletionsError(ValueError):
    """The server refused the request, broke off, or is none of this kind."""


class CompletionsAwayError(CompletionsError):
    """The server is away or busy; a later try may work."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one read brought. `finish` is why the model stopped, with the last text; `usage` and `model` are known where
    the server says so."""

    text: str
    finish: str = ""
    usage: Usage | None = None
    model: str = ""


class AiohttpCompletions:
    """`base_url` ends in /v1; a server that says nothing for `timeout_s` is away. It is asked `retries` times more
    while it has not begun to answer."""

    def __init__(self, base_url: str, *, api_key: str, timeout_s: float, heeds_proxy: bool, retries: int) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._timeout_s = timeout_s
        self._heeds_proxy = heeds_proxy
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        """Yield the answer to a request with `"stream": true`. Closing it stops the server's work. Raises
        CompletionsError."""
        response = await self._respond(body)
        try:
            ended, rest = False, b""
            async for data in _whole_reads(response):
                *lines, rest = (rest + data).split(b"\n")
                piece, done = _piece(lines)
                ended = ended or done
                if piece is not None:
                    yield piece
            if not ended:
                raise CompletionsError(f"{self._url} broke off, or is no model server")
        finally:
            response.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _respond(self, body: Mapping[str, Any]) -> aiohttp.ClientResponse:
        for left in range(self._retries, -1, -1):
            try:
                return await self._post(body)
            except CompletionsAwayError:
                if not left:
                    raise
                await asyncio.sleep(_PAUSE_S)
        raise AssertionError("the last try returns or raises")

    async def _post(self, body: Mapping[str, Any]) -> aiohttp.ClientResponse:
        from aiohttp import ClientError

        try:
            response = await self._open().post(self._url, json=body, headers=self._headers)
            if response.status == 200:
                return response
            said = (await response.text(errors="replace"))[:300]
        except (ClientError, OSError) as exc:
            raise CompletionsAwayError(f"{type(exc).__name__}: {exc}") from exc
        kind = CompletionsAwayError if response.status in _BUSY or response.status >= 500 else CompletionsError
        raise kind(f"HTTP {response.status} {said}")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeout_s, sock_read=self._timeout_s),
                trust_env=self._heeds_proxy,
            )
        return self._session


async def _whole_reads(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    from aiohttp import ClientError

    try:
        async for data in response.content.iter_any():
            yield data
    except (ClientError, OSError) as exc:
        raise CompletionsError(f"{type(exc).__name__}: {exc}") from exc


def _piece(lines: list[bytes]) -> tuple[Piece | None, bool]:
    """Return what the events in these lines say together, if anything, and whether they end the answer."""
    text: list[str] = []
    finish = model = ""
    usage: Usage | None = None
    done = False
    for data in _data(lines):
        if data == _DONE:
            done = True
            continue
        event = json.loads(data)
        if event.get("error"):
            raise CompletionsError(f"the model server failed: {event['error']}")
        model = event.get("model") or model
        usage = _usage(event) or usage
        for choice in event.get("choices") or ():
            text.append((choice.get("delta") or {}).get("content") or "")
            finish = choice.get("finish_reason") or finish
    said = "".join(text)
    return (Piece(said, finish, usage, model) if said or finish or usage else None), done or bool(finish)


def _data(lines: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line.startswith(b"data:"):
            yield line[5:].strip()


def _usage(event: Mapping[str, Any]) -> Usage | None:
    counted = event.get("usage")
    return Usage(counted.get("prompt_tokens") or 0, counted.get("completion_tokens") or 0) if counted else None
