"""Requests handed on to OpenAI-compatible model servers byte for byte, and their responses handed back so."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from contracts import ModelUnavailableError, PassedOn
from serving.model_servers import ModelServer

if TYPE_CHECKING:
    import aiohttp

_CONNECTIONS = 1000
_IDLE_S = 4.0  # servers close what is idle for five seconds, and a request must not meet that
_KEPT = ("Content-Type", "Content-Length", "Retry-After")  # what else there is belongs to the connection


class AiohttpPassThrough:
    """Port `PassThrough`. Of several servers with one model, the next one is asked where one cannot be reached. `name`
    is what the server whose model has no name in the settings calls it."""

    def __init__(self, servers: Sequence[ModelServer], name: Callable[[], str]) -> None:
        self._servers = [server for server in servers if server.protocol == "openai"]
        self._name = name
        self._sessions: dict[ModelServer, aiohttp.ClientSession] = {}

    @property
    def models(self) -> tuple[str, ...]:
        """The models that requests may name."""
        return tuple(dict.fromkeys(filter(None, (server.model or self._name() for server in self._servers))))

    @asynccontextmanager
    async def send(self, model: str, body: bytes) -> AsyncGenerator[PassedOn]:
        """Send a chat completion request to a server of the model. Leaving the context closes the connection. Raises
        ModelUnavailableError, from the body too."""
        response = await self._post(model, body)
        try:
            headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
            yield PassedOn(response.status, headers, _read(response))
        finally:
            response.close()

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    async def _post(self, model: str, body: bytes) -> aiohttp.ClientResponse:
        from aiohttp import ClientError

        failed: Exception | None = None
        for server in self._servers:
            if model != (server.model or self._name()):
                continue
            headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
            if server.api_key:
                headers["Authorization"] = f"Bearer {server.api_key}"
            url = f"{server.base_url.rstrip('/')}/chat/completions"
            try:
                return await self._session(server).post(url, data=body, headers=headers)
            except (ClientError, OSError) as exc:
                failed = exc
        raise ModelUnavailableError(f"No server of {model!r} could be reached: {failed!r}. Check `footnote status`.")

    def _session(self, server: ModelServer) -> aiohttp.ClientSession:
        if server not in self._sessions:
            import aiohttp

            self._sessions[server] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=server.connect_s),
                trust_env=server.heeds_proxy,
                auto_decompress=False,
            )
        return self._sessions[server]


async def _read(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    from aiohttp import ClientError

    try:
        async for data in response.content.iter_any():
            yield data
    except (ClientError, OSError) as exc:
        raise ModelUnavailableError(f"The model server broke off: {exc!r}") from exc
