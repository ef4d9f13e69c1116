"""A stand-in for a model server with OpenAI's protocol: it answers with sentences of the sources that it is shown, at
once or at the pace of a model.

Run it with ``python -m tests.benchmarks.fake_model_server PORT [MS_PER_TOKEN]``. A token is a word here. At `/metrics`
it tells how many streams are running, ended, and were left by their reader, and counts tokens of streams, by the names
that vLLM has for them.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

MODEL = "scripted"
_WINDOW = 32_768
_SENTENCES = 3
_MOST_WORDS = 32  # of a sentence
_SENTENCE = re.compile(r"[A-Z0-9\"][^.!?\n]{30,}?[.!?](?=\s|$)")
_MARKER = re.compile(r"^(?:\[(?=\d\])|<source id=\")(\d)[^\n]*\n", re.M)  # how the prompts of both sides number them


def answer_to(messages: list[dict[str, str]]) -> str:
    """Return sentences of the sources in the prompt, one of each in turn, each with its marker."""
    shown = "\n".join(message["content"] for message in messages)
    parts = _MARKER.split(shown)
    sources = {marker: _sentences(text) for marker, text in zip(parts[1::2], parts[2::2], strict=True)}
    said: list[str] = []
    for turn in range(_SENTENCES):
        for marker, sentences in sources.items():
            if turn < len(sentences) and len(said) < _SENTENCES:
                said.append(f"{sentences[turn][:-1]} [{marker}]{sentences[turn][-1]}")
    return " ".join(said) or "The sources do not say."


def _sentences(text: str) -> list[str]:
    return [found for found in _SENTENCE.findall(text)[: 2 * _SENTENCES] if len(found.split()) <= _MOST_WORDS]


async def stream(words: list[str], prompt_words: int, pace_s: float) -> AsyncIterator[bytes]:
    """Yield the events of a streamed completion."""
    for position, word in enumerate(words):
        if pace_s:
            await asyncio.sleep(pace_s)
        yield _event({"content": word if position == 0 else f" {word}"}, None)
    yield _event({}, "stop")
    yield _encode({**_head("chat.completion.chunk"), "choices": [], "usage": _usage(prompt_words, len(words))})
    yield b"data: [DONE]\n\n"


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _encode({**_head("chat.completion.chunk"), "choices": [choice]})


def _encode(event: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(event).encode()


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-0", "object": kind, "created": 0, "model": MODEL}


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class FakeModelServer:
    """Serves one connection after another request on it; `pace_s` passes before each word of a stream. `heard` is told
    the body of each request for a completion."""

    def __init__(self, pace_s: float = 0.0, heard: Callable[[dict[str, Any]], object] = lambda body: None) -> None:
        self._pace_s = pace_s
        self._heard = heard
        self._running = self._ended = self._left = self._read = self._said = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it closes."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ", 2)[1]
                length = re.search(r"content-length: *(\d+)", head, re.I)
                body = await reader.readexactly(int(length[1])) if length else b""
                await self._answer(path, json.loads(body) if body else {}, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, path: str, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if path.endswith("/models"):
            _whole(writer, {"object": "list", "data": [{"id": MODEL, "object": "model", "max_model_len": _WINDOW}]})
            return
        if path.endswith("/metrics"):
            _text(writer, self._metrics())
            return
        messages = body.get("messages", [])
        prompt_words = sum(len(message["content"].split()) for message in messages)
        if path.endswith("/tokenize"):
            _whole(writer, {"count": prompt_words, "max_model_len": _WINDOW, "tokens": []})
            return
        self._heard(body)
        said = answer_to(messages)
        if not body.get("stream"):
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = _usage(prompt_words, len(said.split(" ")))
            _whole(writer, {**_head("chat.completion"), "choices": [choice], "usage": usage})
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        self._running += 1
        self._read += prompt_words
        try:
            async for event in stream(said.split(" "), prompt_words, self._pace_s):
                writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            self._ended += 1
            self._said += len(said.split(" "))
        except ConnectionError:
            self._left += 1
            raise
        finally:
            self._running -= 1

    def _metrics(self) -> str:
        return (
            f"vllm:num_requests_running {self._running}\n"
            f"vllm:prompt_tokens_total {self._read}\nvllm:generation_tokens_total {self._said}\n"
            f"fake:ended_total {self._ended}\nfake:left_total {self._left}\n"
        )


def _whole(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    _text(writer, json.dumps(answer), b"application/json")


def _text(writer: asyncio.StreamWriter, text: str, kind: bytes = b"text/plain") -> None:
    body = text.encode()
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s" % (kind, len(body), body))


async def main() -> None:
    """Listen until the process is ended."""
    pace_s = float(sys.argv[2]) / 1e3 if len(sys.argv) > 2 else 0.0
    server = await asyncio.start_server(FakeModelServer(pace_s).serve, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
