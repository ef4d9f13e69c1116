"""Anthropic's Messages: an OpenAI chat completion request put into them, and the events of their streamed answers."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from contracts import Usage
from serving.aiohttp_completions import AiohttpCompletions
from serving.model_servers import ModelServer
from serving.streamed_answers import CompletionsAwayError, CompletionsRefusedError, Piece

PATH = "/messages"
_DONE = b"[DONE]"
_SAME = ("model", "temperature", "top_p", "top_k", "metadata", "thinking")
_ELSEWHERE = {"messages", "max_tokens", "max_completion_tokens", "stop", "tools", "tool_choice", "parallel_tool_calls"}
_FORM = {"response_format", "structured_outputs"}
# What may be left out without harm: the stream's own, who asks, and what OpenAI calls best effort.
_NEEDLESS = {"stream", "stream_options", "n", "user", "seed", "priority"}
_FINISH = {"max_tokens": "length", "model_context_window_exceeded": "length", "tool_use": "tool_calls"}
_REFUSED = {"invalid_request_error", "BadRequestError"}  # the latter of vLLM
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


class AnthropicMessages:
    """Streams answers of a server with Anthropic's protocol."""

    def __init__(self, server: ModelServer, *, retries: int) -> None:
        self._events = AiohttpCompletions(server, PATH, AnthropicAnswer, retries=retries)

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        """Yield the answer to an OpenAI chat completion request. Raises CompletionsError, a CompletionsRefusedError
        when it asks for what the protocol does not have."""
        async with aclosing(self._events.stream(messages_request(body))) as pieces:
            async for piece in pieces:
                yield piece

    async def first_model(self) -> str:
        """Return the first model that the server lists. Raises CompletionsError."""
        return await self._events.first_model()

    async def close(self) -> None:
        """Close the connections."""
        await self._events.close()


def messages_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request in Anthropic's form. Raises CompletionsRefusedError for what that does not have."""
    asked = {name: value for name, value in body.items() if value is not None}
    foreign = asked.keys() - {*_SAME, *_ELSEWHERE, *_FORM, *_NEEDLESS}
    if foreign:
        raise CompletionsRefusedError(f"Anthropic's protocol has no {', '.join(sorted(foreign))}.")
    system = [_text(message) for message in asked["messages"] if message["role"] in ("system", "developer")]
    request = {name: asked[name] for name in _SAME if name in asked} | {
        "max_tokens": asked.get("max_completion_tokens") or asked.get("max_tokens") or 1024,
        "messages": _turns(asked["messages"]),
        "stream": True,
    }
    if system:
        request["system"] = "\n\n".join(system)
    if stop := asked.get("stop"):
        request["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if schema := _schema(asked):
        request["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return request | _tools(asked)


def _schema(asked: Mapping[str, Any]) -> Any:
    wanted = asked.get("response_format") or {"type": "text"}
    constraint = asked.get("structured_outputs") or {}
    if wanted.get("type") == "json_schema":
        return wanted["json_schema"]["schema"]
    if wanted.get("type") != "text" or constraint.keys() - {"json"}:
        raise CompletionsRefusedError("Anthropic's protocol constrains an answer by a JSON Schema only.")
    return constraint.get("json")


def _tools(asked: Mapping[str, Any]) -> dict[str, Any]:
    if not asked.get("tools"):
        return {}
    functions = [tool["function"] for tool in asked["tools"]]
    tools = [
        {
            "name": function["name"],
            "description": function.get("description") or "",
            "input_schema": function.get("parameters") or {"type": "object"},
        }
        for function in functions
    ]
    choice = asked.get("tool_choice", "auto")
    named = choice if isinstance(choice, str) else choice["function"]["name"]
    chosen: dict[str, Any] = {"type": _CHOICES[choice]} if isinstance(choice, str) else {"type": "tool", "name": named}
    if asked.get("parallel_tool_calls") is False and chosen["type"] != "none":
        chosen["disable_parallel_tool_use"] = True
    return {"tools": tools, "tool_choice": chosen}


def _turns(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the turns; what tools returned is said by the user, all of it together."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message["role"] == "tool":
            result = {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": _text(message)}
            if turns and turns[-1]["role"] == "user" and isinstance(turns[-1]["content"], list):
                turns[-1]["content"].append(result)
            else:
                turns.append({"role": "user", "content": [result]})
        elif message["role"] == "assistant" and message.get("tool_calls"):
            said = [{"type": "text", "text": text}] if (text := _text(message)) else []
            turns.append({"role": "assistant", "content": [*said, *(_use(call) for call in message["tool_calls"])]})
        elif message["role"] in ("user", "assistant"):
            turns.append({"role": message["role"], "content": _text(message)})
    return turns


def _use(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    arguments = json.loads(function.get("arguments") or "{}")
    return {"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments}


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text") or "" for part in content)


class AnthropicAnswer:
    """Understands one streamed answer. Calls of tools come in parts, and are told whole at its end."""

    def __init__(self) -> None:
        self.ended = False
        self.done = False
        self._read_tokens = 0
        self._calls: dict[int, dict[str, Any]] = {}

    def read(self, events: Sequence[bytes]) -> Piece | None:
        """Return what the events say together, if anything."""
        text: list[str] = []
        finish, works = "", False
        usage: Usage | None = None
        for data in events:
            if data == _DONE:  # of vLLM, after the last event
                continue
            event = json.loads(data)
            match event["type"]:
                case "message_start":
                    self._read_tokens = _tokens(event["message"].get("usage") or {})
                case "content_block_start":
                    works = self._begin(event["index"], event["content_block"]) or works
                case "content_block_delta":
                    works = True
                    text.append(self._delta(event["index"], event["delta"]))
                case "message_delta":
                    stopped = event["delta"].get("stop_reason")
                    finish = _FINISH.get(stopped, "stop") if stopped else finish
                    usage = self._usage(event.get("usage") or {})
                case "message_stop":
                    self.done = True
                case "error":
                    refused = event["error"].get("type") in _REFUSED
                    kind = CompletionsRefusedError if refused else CompletionsAwayError
                    raise kind(f"the model server failed: {event['error']}")
        self.ended = self.ended or self.done or bool(finish)
        calls = tuple(self._calls[index] for index in sorted(self._calls)) if finish else ()
        said = "".join(text)
        return Piece(said, finish, usage, calls) if said or finish or usage or works else None

    def _begin(self, index: int, block: Mapping[str, Any]) -> bool:
        if block["type"] == "tool_use":
            self._calls[index] = {
                "id": block["id"],
                "type": "function",
                "function": {"name": block["name"], "arguments": ""},
            }
        return bool(block["type"] == "tool_use")

    def _delta(self, index: int, delta: Mapping[str, Any]) -> str:
        if delta["type"] == "input_json_delta":
            self._calls[index]["function"]["arguments"] += delta.get("partial_json") or ""
        return str(delta.get("text") or "") if delta["type"] == "text_delta" else ""

    def _usage(self, counted: Mapping[str, Any]) -> Usage:
        return Usage(_tokens(counted) or self._read_tokens, counted.get("output_tokens") or 0)


def _tokens(counted: Mapping[str, Any]) -> int:
    """Return how many tokens the prompt had, those that were cached or put into the cache included."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(counted.get(name) or 0 for name in names)
