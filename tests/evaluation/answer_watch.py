"""Looks over the shoulder of one question: what the search found, what the model was asked and what it wrote.

The wrapped ports pass everything on unchanged. Questions are asked side by side, so each notes into its own sheet.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from contracts import Caller, ChatModel, Hit, Prompt, Query, Readable, Retrieved, Retriever, Token


@dataclass(slots=True)
class Call:
    """One call of the model: what stood in the prompt, and what came back as far as it was read."""

    prompt: str
    sources: Sequence[Hit]
    written: str = ""


@dataclass(slots=True)
class Sheet:
    """What was noted of one question. `evidence` is what the search is to find, in place of searching."""

    evidence: tuple[Hit, ...] | None = None
    hits: tuple[Hit, ...] = ()
    calls: list[Call] = field(default_factory=list)


_SHEET: ContextVar[Sheet] = ContextVar("sheet")


@contextmanager
def watching(evidence: tuple[Hit, ...] | None = None) -> Iterator[Sheet]:
    """Note what happens from here on into a new sheet."""
    token = _SHEET.set(Sheet(evidence))
    try:
        yield _SHEET.get()
    finally:
        _SHEET.reset(token)


class WatchedRetriever:
    """Port `Retriever`: notes what another one finds, or finds the evidence on the sheet."""

    def __init__(self, inner: Retriever) -> None:
        self._inner = inner

    @property
    def recipe(self) -> str:
        """The other one's recipe."""
        return self._inner.recipe

    async def readable(self, collection: str, caller: Caller) -> Readable:
        """Return what the other one returns."""
        return await self._inner.readable(collection, caller)

    async def retrieve(self, query: Query) -> Retrieved:
        """Return the evidence on the sheet, or what the other one finds."""
        sheet = _SHEET.get()
        found = await self._inner.retrieve(query) if sheet.evidence is None else Retrieved(sheet.evidence, 0)
        sheet.hits = found.hits
        return found


class WatchedChatModel:
    """Port `ChatModel`: notes what another one is asked and writes. Whatever else that one can do, this one can too."""

    def __init__(self, inner: ChatModel) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def name(self) -> str:
        """The other one's name."""
        return self._inner.name

    async def prepare(self) -> None:
        """Prepare the other one."""
        await self._inner.prepare()

    async def stream(self, prompt: Prompt, *, max_tokens: int, temperature: float) -> AsyncGenerator[Token]:
        """Yield what the other one writes."""
        call = Call("\n".join(message.content for message in prompt.messages), prompt.sources)
        _SHEET.get().calls.append(call)
        async with aclosing(self._inner.stream(prompt, max_tokens=max_tokens, temperature=temperature)) as pieces:
            async for piece in pieces:
                call.written += piece.text
                yield piece
