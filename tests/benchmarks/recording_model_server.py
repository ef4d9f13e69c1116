"""A stand-in for a model server that keeps the requests it was sent, so that they can be sent elsewhere as they were.

Run it with ``python -m tests.benchmarks.recording_model_server PORT FILE``: the body of each request for a completion
is a line of JSON in FILE. It answers at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.fake_model_server import FakeModelServer


async def serve(kept: Path, port: int) -> None:
    """Listen until the process is ended."""

    def keep(body: dict[str, Any]) -> None:
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(body) + "\n")

    server = await asyncio.start_server(FakeModelServer(heard=keep).serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    heard = Path(sys.argv[2])
    heard.touch()
    asyncio.run(serve(heard, int(sys.argv[1])))
