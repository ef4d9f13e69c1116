"""Our chat model as LlamaIndex calls one: with a limit on calls at once, and none left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from contracts import ChatModel, Message, Prompt, Token, TokenCounter, Usage, most_tokens


class TooLongError(Exception):
    """A prompt does not fit the window: its texts were packed too tightly."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What one call may take: `room` tokens of prompt, `max_tokens` of answer, of which `kept_bytes` are kept where it
    goes into another call; and how many calls run `concurrent`ly."""

    room: int
    max_tokens: int
    kept_bytes: int
    concurrent: int
    temperature: float = 0.0


class ModelCalls:
    """The calls of one summary. `usage` adds up over them; `cut_off` and `model` are those of the last one."""

    def __init__(self, model: ChatModel, counter: TokenCounter, system: str, version: str, limits: CallLimits) -> None:
        self._model = model
        self._counter = counter
        self._system = Message("system", system)
        self._version = version
        self._limits = limits
        self._gate = asyncio.Semaphore(limits.concurrent)
        self._streams: list[AsyncGenerator[Token]] = []
        self._stop = asyncio.Event()
        self.usage = Usage()
        self.cut_off = False
        self.model = ""

    async def whole(self, text: str) -> str:
        """Return what the model says to `text`, cut to what may go into another call."""
        async with self._gate, aclosing(self._said(text)) as tokens:
            said = "".join([token.text async for token in tokens])
        return said.encode()[: self._limits.kept_bytes].decode(errors="ignore").strip()

    def streamed(self, text: str) -> AsyncGenerator[Token]:
        """Yield what the model says to `text`."""
        stream = self._said(text)
        self._streams.append(stream)
        return stream

    async def stop(self) -> None:
        """End what still runs: LlamaIndex leaves calls behind when another one fails, and streams when nobody reads."""
        self._stop.set()
        for stream in self._streams:
            await stream.aclose()

    async def _said(self, text: str) -> AsyncGenerator[Token]:
        """Raises TooLongError and ModelUnavailableError."""
        messages = (self._system, Message("user", text))
        room = self._limits.room
        if self._stop.is_set():
            return
        if most_tokens(messages) > room and await self._counter.count(messages) > room:
            raise TooLongError
        prompt, limits = Prompt(messages, self._version, ()), self._limits
        tokens = self._model.stream(prompt, max_tokens=limits.max_tokens, temperature=limits.temperature)
        async with aclosing(tokens):
            async for token in tokens:
                if self._stop.is_set():
                    return
                self._note(token)
                yield token

    def _note(self, token: Token) -> None:
        if token.usage is not None:
            before, used = self.usage, token.usage
            self.usage = Usage(
                before.prompt_tokens + used.prompt_tokens, before.completion_tokens + used.completion_tokens
            )
            self.cut_off, self.model = token.cut_off, token.model


def llama_index_llm(calls: ModelCalls, *, window: int, max_tokens: int) -> Any:
    """Return the calls as an LLM of LlamaIndex, which knows its window in tokens."""
    from llama_index.core.llms import CompletionResponse, CustomLLM, LLMMetadata

    class PortLLM(CustomLLM):  # type: ignore[misc]
        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(context_window=window, num_output=max_tokens, model_name="footnote")

        async def acomplete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
            return CompletionResponse(text=await calls.whole(prompt))

        async def astream_complete(
            self, prompt: str, formatted: bool = False, **_: Any
        ) -> AsyncGenerator[CompletionResponse]:
            async def responses() -> AsyncGenerator[CompletionResponse]:
                said = ""
                async for token in calls.streamed(prompt):
                    said += token.text
                    yield CompletionResponse(text=said, delta=token.text)

            return responses()

        def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
            raise NotImplementedError("it is called asynchronously only")

        def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
            raise NotImplementedError("it is called asynchronously only")

    return PortLLM()
