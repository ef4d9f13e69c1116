"""Chat models behind any OpenAI-compatible server, called through LangChain and streamed."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from contracts import ModelUnavailableError, Prompt, Token, Usage
from serving.aiohttp_completions import AiohttpCompletions
from serving.langchain_fallbacks import first_to_answer
from serving.langchain_streaming import streaming_chat

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelServer:
    """Where a model is served, under which name, and how long its answer, or a piece of it, is waited for."""

    model: str
    base_url: str
    api_key: str = field(default="", repr=False)
    timeout_s: float = 60.0
    heeds_proxy: bool = True


class LangChainChatModel:
    """Port `ChatModel` on LangChain's chat models. Without a name it takes the first model that the server lists.

    The `fallbacks` are asked in their order while the servers before them are away, or fail before they have said
    anything; once something was said no other one goes on with it.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        api_key: str = "",
        timeout_s: float = 60.0,
        heeds_proxy: bool = True,
        fallbacks: Sequence[ModelServer] = (),
    ) -> None:
        self._name = name
        self._server = ModelServer(name, base_url, api_key, timeout_s, heeds_proxy)
        self._fallbacks = tuple(fallbacks)
        self._chats: dict[ModelServer, BaseChatModel] = {}
        self._connections: list[AiohttpCompletions] = []

    @property
    def name(self) -> str:
        """The model's name, part of every cache key; known once `prepare` was awaited."""
        return self._name or (self._fallbacks[0].model if self._fallbacks else "")

    async def prepare(self) -> None:
        """Find out the model's name, where only the server knows it. Raises ModelUnavailableError, unless a fallback
        can be asked instead."""
        if self._name:
            return
        try:
            with self._failing_clearly():
                self._name = await self._first_model()
        except ModelUnavailableError as exc:
            if not self._fallbacks:
                raise
            log.warning("another model is asked: %s", exc)

    async def close(self) -> None:
        """Close the connections."""
        for connections in self._connections:
            await connections.close()

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield the generated text piece by piece; the last piece carries the usage. Raises ModelUnavailableError."""
        messages = [(message.role, message.content) for message in prompt.messages]
        options: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        if prompt.schema is not None:
            # As its own argument, LangChain would parse the answer and refuse one that was cut off.
            options["extra_body"] = {"response_format": _json_format(prompt.schema)}
        usage, cut_off = Usage(), False
        await self.prepare()
        model = self.name
        with self._failing_clearly():
            pieces = self._pieces(messages, options)
            async with aclosing(pieces):  # a reader that leaves stops the server's work at once
                async for piece in pieces:
                    if piece.usage_metadata is not None:
                        counted = piece.usage_metadata
                        usage = Usage(counted["input_tokens"], counted["output_tokens"])
                    cut_off = cut_off or piece.response_metadata.get("finish_reason") == "length"
                    model = piece.response_metadata.get("model_name") or model
                    if piece.text:
                        yield Token(piece.text)
        yield Token("", usage, cut_off, model)

    def _pieces(self, messages: Sequence[tuple[str, str]], options: dict[str, Any]) -> AsyncGenerator[AIMessageChunk]:
        primary = [replace(self._server, model=self._name)] if self._name else []
        first, *others = [self._chat(server) for server in (*primary, *self._fallbacks)]
        if others:
            return first_to_answer([first, *others], messages, options, failures=_failures())
        return cast("AsyncGenerator[AIMessageChunk]", first.astream(messages, **options))

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        """Turn whatever a server, or something else at its address, can do to the client into ModelUnavailableError."""
        try:
            yield
        except _failures() as exc:
            others = f", nor did {len(self._fallbacks)} others for it" if self._fallbacks else ""
            raise ModelUnavailableError(
                f"The model server at {self._server.base_url} did not answer for {self._name!r}{others}: {exc!r}. "
                "Check `footnote status`, or FOOTNOTE_SERVING__BASE_URL and FOOTNOTE_SERVING__MODEL."
            ) from exc

    def _chat(self, server: ModelServer) -> BaseChatModel:
        if server not in self._chats:
            completions = AiohttpCompletions(
                server.base_url,
                api_key=server.api_key or "none",
                timeout_s=server.timeout_s,
                heeds_proxy=server.heeds_proxy,
                retries=0 if self._fallbacks else 1,
            )
            self._connections.append(completions)
            self._chats[server] = streaming_chat(completions, server.model, server.base_url)
        return self._chats[server]

    async def _first_model(self) -> str:
        from openai import AsyncOpenAI

        server = self._server
        client = AsyncOpenAI(
            base_url=server.base_url,
            api_key=server.api_key or "none",
            timeout=server.timeout_s,
            max_retries=1,
            http_client=_http(server),
        )
        async with client:
            async for model in client.models.list():
                return model.id
        raise ModelUnavailableError(f"The server at {server.base_url} lists no model; set FOOTNOTE_SERVING__MODEL.")


def _http(server: ModelServer) -> httpx.AsyncClient:
    from openai import DefaultAsyncHttpxClient

    return DefaultAsyncHttpxClient(trust_env=server.heeds_proxy, timeout=server.timeout_s)


def _failures() -> tuple[type[Exception], ...]:
    import httpx
    from openai import OpenAIError

    return (OpenAIError, httpx.HTTPError, ValueError, AttributeError, TypeError)


def _json_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    name = "".join(
        character if character.isascii() and character.isalnum() else "_"
        for character in str(schema.get("title") or "answer")
    )
    return {"type": "json_schema", "json_schema": {"name": name[:64], "schema": dict(schema), "strict": True}}
