"""Reads answers that come as Server-Sent Events, and notes when which part of one was there."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from validation.sentences import SentenceStream

Event = tuple[str, str]  # its name, and its data
TextOf = Callable[[Event], str]


class RefusedError(Exception):
    """The server answered with another status than 200, or sent the event `error`."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"HTTP {status}: {said[:300]}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Timed:
    """When an answer was there, in seconds after it was asked for: its first piece, all of its first sentence, its end;
    and its text."""

    first_token_s: float
    first_sentence_s: float
    end_s: float
    text: str


async def events(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: dict[str, Any]
) -> AsyncGenerator[Event]:
    """Send a request on an open connection and yield the events of the response. Raises RefusedError."""
    content = json.dumps(body).encode()
    writer.write(
        b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
        % (path.encode(), len(content), content)
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    if status != 200:
        length = re.search(r"content-length: *(\d+)", head, re.I)
        raise RefusedError(status, (await reader.readexactly(int(length[1]))).decode() if length else "")
    name, text = "", b""
    async for part in _chunks(reader):
        *lines, text = (text + part).split(b"\n")
        for line in (line.rstrip(b"\r") for line in lines):
            if line.startswith(b"event:"):
                name = line[6:].strip().decode()
            elif line.startswith(b"data:"):
                yield name, line[5:].strip().decode()
            elif not line:
                name = ""


async def _chunks(reader: asyncio.StreamReader) -> AsyncGenerator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")


async def timed(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: dict[str, Any], text_of: TextOf
) -> Timed | None:
    """Ask and read the answer to its end; `text_of` an event is what it adds. None when nothing was said."""
    begun = time.perf_counter()
    first_token = first_sentence = 0.0
    sentences, pieces = SentenceStream(), list[str]()
    async with aclosing(events(reader, writer, path, body)) as stream:
        async for event in stream:
            if not (piece := text_of(event)):
                continue
            now = time.perf_counter() - begun
            pieces.append(piece)
            first_token = first_token or now
            if not first_sentence and sentences.feed(piece):
                first_sentence = now
    end = time.perf_counter() - begun
    return Timed(first_token, first_sentence or end, end, "".join(pieces)) if pieces else None


def completion_text(event: Event) -> str:
    """Return what a chunk of OpenAI's protocol adds."""
    name, data = event
    if name == "error":
        raise RefusedError(200, data)
    if data == "[DONE]":
        return ""
    chunk = json.loads(data)
    if "error" in chunk:
        raise RefusedError(200, data)
    choices = chunk.get("choices")
    return (choices[0]["delta"].get("content") or "") if choices else ""


def sentence_text(event: Event) -> str:
    """Return what an event of `/v1/query` adds: a whole sentence."""
    name, data = event
    if name == "error":
        raise RefusedError(200, data)
    return str(json.loads(data)["text"]) if name == "token" else ""
