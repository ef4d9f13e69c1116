"""The events of OpenAI's streamed chat completions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from contracts import Usage
from serving.streamed_answers import CompletionsAwayError, CompletionsError, CompletionsRefusedError, Piece

PATH = "/chat/completions"
_DONE = b"[DONE]"
_SILENT = {"role", "content", "tool_calls"}  # what else a delta holds, such as reasoning, shows that the model works


class OpenAIAnswer:
    """Understands one streamed answer. Calls of tools come in parts, and are told whole at its end."""

    def __init__(self) -> None:
        self.ended = False
        self.done = False
        self._calls: dict[int, dict[str, Any]] = {}

    def read(self, events: Sequence[bytes]) -> Piece | None:
        """Return what the events say together, if anything."""
        text: list[str] = []
        finish, works = "", False
        usage: Usage | None = None
        for data in events:
            if data == _DONE:
                self.done = True
                continue
            event = json.loads(data)
            if event.get("error"):
                raise _failure(event["error"])
            usage = _usage(event) or usage
            for choice in event.get("choices") or ():
                delta = choice.get("delta") or {}
                text.append(delta.get("content") or "")
                works = self._gather(delta) or works
                finish = choice.get("finish_reason") or finish
        self.ended = self.ended or self.done or bool(finish)
        calls = tuple(self._calls[index] for index in sorted(self._calls)) if finish else ()
        said = "".join(text)
        return Piece(said, finish, usage, calls) if said or finish or usage or works else None

    def _gather(self, delta: Mapping[str, Any]) -> bool:
        """Keep parts of calls; return whether there was anything besides text."""
        for part in delta.get("tool_calls") or ():
            index = part.get("index") or 0
            call = self._calls.setdefault(
                index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            )
            call["id"] = part.get("id") or call["id"]
            function = part.get("function") or {}
            for name in ("name", "arguments"):
                call["function"][name] += function.get(name) or ""
        return bool(delta.get("tool_calls")) or any(delta[name] for name in delta.keys() - _SILENT)


def _failure(error: Any) -> CompletionsError:
    """Return what an error in the stream comes to: a server may find out late that it does not take the request."""
    code = error.get("code") if isinstance(error, Mapping) else None
    refused = isinstance(code, int) and 400 <= code < 500
    return (CompletionsRefusedError if refused else CompletionsAwayError)(f"the model server failed: {error}")


def _usage(event: Mapping[str, Any]) -> Usage | None:
    counted = event.get("usage")
    return Usage(counted.get("prompt_tokens") or 0, counted.get("completion_tokens") or 0) if counted else None
