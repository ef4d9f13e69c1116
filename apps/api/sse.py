"""Answers and jobs as Server-Sent Events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import BaseModel

from apps.api.errors import problem_of
from apps.api.schemas import FoundOut, TokenOut, answer_out, citation_out, hit_out, violation_out
from apps.draft import Event, Found, Released
from apps.event_streams import begun
from contracts import Citation, Violation


async def event_stream(events: AsyncGenerator[tuple[str, BaseModel]]) -> EventSourceResponse:
    """Return a response that sends each (name, data). What fails before the first event is raised, so that it gets its
    HTTP status; what fails later is sent as the event `error`."""
    started = await begun(events)

    async def body() -> AsyncIterator[bytes]:
        try:
            async with aclosing(started):
                async for event in started:
                    yield _encode(*event)
        except Exception as exc:  # the status is sent already: the client must hear of it in the stream
            yield _encode("error", problem_of(exc))

    return EventSourceResponse(body(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


def _encode(name: str, data: BaseModel) -> bytes:
    return format_sse_event(event=name, data_str=data.model_dump_json(exclude_none=name == "error"))


async def answer_events(events: AsyncGenerator[Event]) -> AsyncGenerator[tuple[str, BaseModel]]:
    """Name the events of an answer: retrieval, token, citation, violation, done."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Found):
                cache = "exact" if event.cached else "miss"
                hits = [hit_out(hit) for hit in event.hits]
                yield "retrieval", FoundOut(hits=hits, generation=event.generation, cache=cache)
            elif isinstance(event, Released):
                yield "token", TokenOut(text=event.text, supported=event.supported)
            elif isinstance(event, Citation):
                yield "citation", citation_out(event)
            elif isinstance(event, Violation):
                yield "violation", violation_out(event)
            else:
                yield "done", answer_out(event)
