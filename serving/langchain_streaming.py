"""LangChain's chat model for model servers, with a stream that is read by Footnote's own clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Any

from serving.streamed_answers import Completions, Piece

if TYPE_CHECKING:
    from langchain_core.outputs import ChatGenerationChunk
    from langchain_openai import ChatOpenAI


def streaming_chat(completions: Completions, model: str, base_url: str) -> ChatOpenAI:
    """Return a chat model whose stream comes through `completions`, and which says in each piece that it is `model`.
    The `messages` in its `extra_body` go after those it is called with. Takes a second the first time."""
    from pydantic import SecretStr

    chat: ChatOpenAI = _streaming_class()(
        model=model,
        base_url=base_url,
        api_key=SecretStr("none"),  # those that call the server know the key
        stream_usage=True,
        use_responses_api=False,
        completions=completions,
    )
    return chat


@cache
def _streaming_class() -> Any:
    from langchain_openai import ChatOpenAI

    class StreamingChatOpenAI(ChatOpenAI):
        """ChatOpenAI but for `astream`."""

        completions: Any

        async def _astream(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any
        ) -> AsyncIterator[ChatGenerationChunk]:
            options.pop("stream_usage", None)
            extra = dict(options.pop("extra_body", None) or {})
            payload = self._get_request_payload(messages, stop=stop, **options)
            told = [*payload["messages"], *extra.pop("messages", ())]
            body = {**payload, **extra, "messages": told, "stream": True, "stream_options": {"include_usage": True}}
            async with aclosing(self.completions.stream(body)) as pieces:
                async for piece in pieces:
                    chunk = _chunk(piece, self.model_name)
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    return StreamingChatOpenAI


def _chunk(piece: Piece, model: str) -> ChatGenerationChunk:
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.ai import UsageMetadata
    from langchain_core.outputs import ChatGenerationChunk

    usage = piece.usage and UsageMetadata(
        input_tokens=piece.usage.prompt_tokens,
        output_tokens=piece.usage.completion_tokens,
        total_tokens=piece.usage.prompt_tokens + piece.usage.completion_tokens,
    )
    said = {"finish_reason": piece.finish, "model_name": model, "tool_calls": piece.tool_calls}
    metadata = {name: value for name, value in said.items() if value}
    message = AIMessageChunk(content=piece.text, usage_metadata=usage, response_metadata=metadata)
    return ChatGenerationChunk(message=message)
