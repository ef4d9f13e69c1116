"""Answers as a stream of OpenAI's chunks, and work that ends when the client leaves."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from apps.api.openai_errors import error_body, error_response
from apps.api.openai_schemas import Completion, about, citations
from apps.draft import Event, Released
from contracts import Answer, FootnoteError, ModelUnavailableError, PassedOn

_log = logging.getLogger(__name__)
_DONE = b"data: [DONE]\n\n"
T = TypeVar("T")


async def completion_chunks(
    events: AsyncGenerator[Event], completion: Completion, *, include_usage: bool
) -> AsyncGenerator[bytes]:
    """Yield the events of a streamed completion; what fails once it has begun is told in the stream."""
    try:
        async with aclosing(events):
            yield _event(completion.chunk({"role": "assistant", "content": ""}))
            async for event in events:
                if isinstance(event, Released) and not completion.constrained:
                    yield _event(completion.chunk({"content": event.text}))
                elif isinstance(event, Answer):
                    for chunk in _last(event, completion, include_usage=include_usage):
                        yield _event(chunk)
        yield _DONE
    except Exception as exc:  # the status is sent already: the client must hear of it in the stream
        yield _event(error_body(exc))


def _last(answer: Answer, completion: Completion, *, include_usage: bool) -> list[dict[str, Any]]:
    """Return the chunks after the text. An answer of a fixed form comes here: only now is it known to be none."""
    chunks = []
    if completion.constrained and answer.text:
        part = "refusal" if completion.refuses(answer) else "content"
        chunks.append(completion.chunk({part: answer.text}))
    if answer.tool_calls:
        calls = [{"index": at, **call} for at, call in enumerate(answer.tool_calls)]
        chunks.append(completion.chunk({"tool_calls": calls}))
    told = {"citations": citations(answer), "footnote": about(answer)}
    chunks.append(completion.chunk({}, completion.finish_reason(answer), **told))
    return [*chunks, completion.usage_chunk(answer)] if include_usage else chunks


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


async def while_there(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what the work returns, or None when the client left before that, which cancels it."""
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        for task in (doing, leaving):
            task.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class PassingOn(Response):
    """A model server's response handed back as it comes, within `place`; the client's leaving stops the server."""

    def __init__(self, answer: AbstractAsyncContextManager[PassedOn], place: AbstractAsyncContextManager[None]) -> None:
        super().__init__()
        self._answer = answer
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; one that the server broke off is left without an end, which the client can tell."""
        await while_there(receive, self._pass_on(scope, receive, send))

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False
        try:
            async with self._place, self._answer as answer:
                headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
                await send({"type": "http.response.start", "status": answer.status, "headers": headers})
                begun = True
                async for data in answer.body:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except FootnoteError as exc:
            if not begun:
                await error_response(exc)(scope, receive, send)
            elif isinstance(exc, ModelUnavailableError):
                _log.warning("%s", exc)
            else:
                raise
