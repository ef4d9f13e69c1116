"""Several chat models of LangChain asked in order, until one answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk
    from langchain_core.runnables import Runnable

    Pieces = AsyncGenerator[AIMessageChunk]


async def first_to_answer(
    chats: Sequence[BaseChatModel],
    messages: Sequence[tuple[str, str]],
    options: dict[str, Any],
    *,
    failures: tuple[type[BaseException], ...],
) -> Pieces:
    """Yield what the first of `chats` says that does not fail, with one of `failures`, before its first piece. When all
    do, the first one's failure is raised."""
    opened: list[Pieces] = []
    first, *others = [_remembering(chat, opened) for chat in chats]
    asked = first.with_fallbacks(others, exceptions_to_handle=failures)
    try:
        async with aclosing(cast("Pieces", asked.astream(messages, **options))) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        # LangChain leaves them to the garbage collector, and the server would go on writing until then.
        for stream in opened:
            await stream.aclose()


def _remembering(chat: BaseChatModel, opened: list[Pieces]) -> Runnable[Any, Any]:
    """Return `chat` with each stream that it opens put into `opened`."""
    from langchain_core.runnables import Runnable

    class Remembering(Runnable[Any, Any]):
        def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
            return chat.invoke(input, config, **kwargs)

        def astream(self, input: Any, config: Any = None, **kwargs: Any) -> Pieces:
            stream = cast("Pieces", chat.astream(input, config, **kwargs))
            opened.append(stream)
            return stream

    return Remembering()
