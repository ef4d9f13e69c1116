"""Chat models behind servers with OpenAI's protocol or Anthropic's, called through LangChain and streamed."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from contracts import InvalidInputError, ModelUnavailableError, Prompt, Token, Usage
from serving import openai_completions
from serving.aiohttp_completions import AiohttpCompletions
from serving.anthropic_messages import AnthropicMessages
from serving.circuit_breaker import CircuitBreaker
from serving.langchain_fallbacks import first_to_answer
from serving.langchain_streaming import streaming_chat
from serving.model_servers import ModelServer
from serving.streamed_answers import CompletionsError, CompletionsRefusedError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

log = logging.getLogger(__name__)


class LangChainChatModel:
    """Port `ChatModel` on LangChain's chat models. Without a name the first server's model is the first that it lists.

    The servers after the first are asked in their order while those before them are away, or fail before they have said
    anything; once something was said no other one goes on with it. One that keeps failing is left alone for a while.
    """

    def __init__(self, first: ModelServer, *fallbacks: ModelServer) -> None:
        self._name = first.model
        self._server = first
        self._fallbacks = fallbacks
        self._connections: dict[ModelServer, AiohttpCompletions | AnthropicMessages] = {}
        self._chats: dict[tuple[ModelServer, str], BaseChatModel] = {}
        self._breakers: dict[ModelServer, CircuitBreaker] = {}

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
            with self._failing_clearly({}):
                self._name = await self._connection(self._server).first_model()
        except ModelUnavailableError as exc:
            if not self._fallbacks:
                raise
            log.warning("another model is asked: %s", exc)

    async def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            await connection.close()

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield the generated text piece by piece; the last piece carries the usage. Raises ModelUnavailableError, and
        InvalidInputError where the server does not take the prompt's options."""
        messages = [(message.role, message.content) for message in prompt.messages]
        usage, cut_off, calls = Usage(), False, ()
        await self.prepare()
        model = self.name
        with self._failing_clearly(prompt.options):
            pieces = self._pieces(messages, _options(prompt, max_tokens, temperature))
            async with aclosing(pieces):  # a reader that leaves stops the server's work at once
                async for piece in pieces:
                    told = piece.response_metadata
                    if piece.usage_metadata is not None:
                        counted = piece.usage_metadata
                        usage = Usage(counted["input_tokens"], counted["output_tokens"])
                    cut_off = cut_off or told.get("finish_reason") == "length"
                    model = told.get("model_name") or model
                    calls = told.get("tool_calls") or calls
                    if piece.text:
                        yield Token(piece.text)
        yield Token("", usage, cut_off, model, calls)

    def _pieces(self, messages: Sequence[tuple[str, str]], options: dict[str, Any]) -> AsyncGenerator[AIMessageChunk]:
        primary = [self._chat(self._server, self._name)] if self._name else []
        first, *others = [*primary, *(self._chat(server, server.model) for server in self._fallbacks)]
        if others:
            return first_to_answer([first, *others], messages, options, failures=(CompletionsError,))
        return cast("AsyncGenerator[AIMessageChunk]", first.astream(messages, **options))

    @contextmanager
    def _failing_clearly(self, options: Mapping[str, Any]) -> Iterator[None]:
        """Turn whatever a server, or something else at its address, can do to the client into ModelUnavailableError;
        a request that was not taken is the fault of its options, where it has some."""
        try:
            yield
        except CompletionsError as exc:
            if isinstance(exc, CompletionsRefusedError) and options:
                asked = ", ".join(sorted(options))
                raise InvalidInputError(f"The model server does not take the request, with {asked}: {exc}") from exc
            others = f", nor did {len(self._fallbacks)} others for it" if self._fallbacks else ""
            raise ModelUnavailableError(
                f"The model server at {self._server.base_url} did not answer for {self._name!r}{others}: {exc}. "
                "Check `footnote status`, or FOOTNOTE_SERVING__BASE_URL and FOOTNOTE_SERVING__MODEL."
            ) from exc

    def _chat(self, server: ModelServer, model: str) -> BaseChatModel:
        if (server, model) not in self._chats:
            breaker = self._breakers.setdefault(
                server, CircuitBreaker(self._connection(server), failures=server.failures, rest_s=server.rest_s)
            )
            self._chats[server, model] = streaming_chat(breaker, model, server.base_url)
        return self._chats[server, model]

    def _connection(self, server: ModelServer) -> AiohttpCompletions | AnthropicMessages:
        if server not in self._connections:
            retries = 0 if self._fallbacks else 1
            self._connections[server] = (
                AnthropicMessages(server, retries=retries)
                if server.protocol == "anthropic"
                else AiohttpCompletions(
                    server, openai_completions.PATH, openai_completions.OpenAIAnswer, retries=retries
                )
            )
        return self._connections[server]


def _options(prompt: Prompt, max_tokens: int, temperature: float) -> dict[str, Any]:
    """Return how the model is called: as the settings say, where the prompt's own options do not say otherwise."""
    options: dict[str, Any] = {"temperature": temperature}
    if not {"max_tokens", "max_completion_tokens"} & prompt.options.keys():
        options["max_tokens"] = max_tokens
    # As its own argument, LangChain would parse the answer and refuse one that was cut off.
    fixed = bool({"response_format", "structured_outputs"} & prompt.options.keys())
    form = {} if fixed or prompt.schema is None else {"response_format": _json_format(prompt.schema)}
    return options | {"extra_body": {**form, **prompt.options}}


def _json_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    name = "".join(
        character if character.isascii() and character.isalnum() else "_"
        for character in str(schema.get("title") or "answer")
    )
    return {"type": "json_schema", "json_schema": {"name": name[:64], "schema": dict(schema), "strict": True}}
