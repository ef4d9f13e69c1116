"""Callers of an HTTP API who ask again as soon as they are answered, each on a connection of its own."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Load:
    """What a number of callers got: milliseconds of each answer in the time measured, and their bodies."""

    seconds: float
    ms: list[float] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.ms) / self.seconds


async def closed_loop(port: int, path: str, bodies: Iterator[dict[str, Any]], callers: int, seconds: float) -> Load:
    """Ask with so many callers for so long; a request under way at the end is awaited, and not counted."""
    load = Load(seconds)
    end = time.perf_counter() + seconds

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begun := time.perf_counter()) < end:
            try:
                status, answer = await post(reader, writer, path, next(bodies))
            except (ConnectionError, asyncio.IncompleteReadError):  # a server that failed may have hung up
                status, answer = 0, {}
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            done = time.perf_counter()
            if status != 200:
                load.refused += 1
            elif done < end:
                load.ms.append((done - begun) * 1e3)
                load.answers.append(answer)
        writer.close()

    await asyncio.gather(*(caller() for _ in range(callers)))
    return load


async def post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, body: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Send a request on an open connection; return the status and the JSON that came back."""
    content = json.dumps(body).encode()
    writer.write(
        b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
        % (path.encode(), len(content), content)
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = re.search(r"content-length: *(\d+)", head, re.I)
    if length is None:
        raise SystemExit(f"no length in {head!r}")
    answer: dict[str, Any] = json.loads(await reader.readexactly(int(length[1])))
    return int(head.split(" ", 2)[1]), answer
