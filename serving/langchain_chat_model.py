"""Chat models behind any OpenAI-compatible server, called through LangChain and streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from contracts import ModelUnavailableError, Prompt, Token, Usage

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk


class LangChainChatModel:
    """Port `ChatModel` on LangChain's chat models. Without a name it takes the first model that the server lists."""

    def __init__(
        self, name: str, *, base_url: str, api_key: str = "", timeout_s: float = 60.0, heeds_proxy: bool = True
    ) -> None:
        self._name = name
        self._base_url = base_url
        self._api_key = api_key or "none"
        self._timeout_s = timeout_s
        self._heeds_proxy = heeds_proxy
        self._client: BaseChatModel | None = None
        self._connections: httpx.AsyncClient | None = None

    @property
    def name(self) -> str:
        """The model's name, part of every cache key; known once `prepare` was awaited."""
        return self._name

    async def prepare(self) -> None:
        """Find out the model's name, where only the server knows it. Raises ModelUnavailableError."""
        if not self._name:
            with self._failing_clearly():
                self._name = await self._first_model()

    async def close(self) -> None:
        """Close the connections."""
        if self._connections is not None:
            await self._connections.aclose()

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield the generated text piece by piece; the last piece carries the usage. Raises ModelUnavailableError."""
        messages = [(message.role, message.content) for message in prompt.messages]
        options: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        usage, cut_off = Usage(), False
        await self.prepare()
        with self._failing_clearly():
            chat = self._chat()
            pieces = cast("AsyncGenerator[AIMessageChunk]", chat.astream(messages, **options))
            async with aclosing(pieces):  # a reader that leaves stops the server's work at once
                async for piece in pieces:
                    if piece.usage_metadata is not None:
                        counted = piece.usage_metadata
                        usage = Usage(counted["input_tokens"], counted["output_tokens"])
                    cut_off = cut_off or piece.response_metadata.get("finish_reason") == "length"
                    if piece.text:
                        yield Token(piece.text)
        yield Token("", usage, cut_off)

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        """Turn whatever a server, or something else at its address, can do to the client into ModelUnavailableError."""
        import httpx
        from openai import OpenAIError

        try:
            yield
        except (OpenAIError, httpx.HTTPError, ValueError, AttributeError) as exc:
            raise ModelUnavailableError(
                f"The model server at {self._base_url} did not answer for {self._name!r}: {exc!r}. "
                "Check `footnote status`, or FOOTNOTE_SERVING__BASE_URL and FOOTNOTE_SERVING__MODEL."
            ) from exc

    def _chat(self) -> BaseChatModel:
        if self._client is None:
            from langchain.chat_models import init_chat_model
            from pydantic import SecretStr

            self._connections = self._http()
            self._client = init_chat_model(
                self._name,
                model_provider="openai",
                base_url=self._base_url,
                api_key=SecretStr(self._api_key),
                timeout=self._timeout_s,
                max_retries=1,
                stream_usage=True,
                http_async_client=self._connections,
            )
        return self._client

    def _http(self) -> httpx.AsyncClient:
        from openai import DefaultAsyncHttpxClient

        return DefaultAsyncHttpxClient(trust_env=self._heeds_proxy, timeout=self._timeout_s)

    async def _first_model(self) -> str:
        from openai import AsyncOpenAI

        client = AsyncOpenAI(
            base_url=self._base_url,
            api_key=self._api_key,
            timeout=self._timeout_s,
            max_retries=1,
            http_client=self._http(),
        )
        async with client:
            async for model in client.models.list():
                return model.id
        raise ModelUnavailableError(f"The server at {self._base_url} lists no model; set FOOTNOTE_SERVING__MODEL.")
