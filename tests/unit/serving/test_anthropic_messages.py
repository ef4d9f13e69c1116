"""OpenAI's requests put into Anthropic's form, and the events of its streamed answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts import Usage
from serving.anthropic_messages import AnthropicAnswer, messages_request
from serving.model_servers import ModelServer
from serving.streamed_answers import CompletionsAwayError, CompletionsRefusedError, Piece

ASKED = {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When?"}]}
CALL = {"id": "c1", "type": "function", "function": {"name": "hours", "arguments": '{"day": "Monday"}'}}
TOOL = {"type": "function", "function": {"name": "hours", "parameters": {"type": "object", "properties": {}}}}


def events(*said: dict[str, Any]) -> list[bytes]:
    return [json.dumps(event).encode() for event in said]


def request(**more: Any) -> dict[str, Any]:
    return messages_request({**ASKED, **more})


def test_the_system_message_has_its_own_place() -> None:
    assert request(max_completion_tokens=9, temperature=0.5, stop="END", stream=True, seed=1) == {
        "model": "m",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "When?"}],
        "max_tokens": 9,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "stream": True,
    }


def test_a_schema_is_told_whichever_way_it_was_asked_for() -> None:
    schema = {"type": "object"}
    wanted = {"format": {"type": "json_schema", "schema": schema}}
    by_format = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    assert request(response_format=by_format)["output_config"] == wanted
    assert request(structured_outputs={"json": schema})["output_config"] == wanted
    assert "output_config" not in request(response_format={"type": "text"})


@pytest.mark.parametrize(
    "options",
    [
        {"structured_outputs": {"regex": "a+"}},
        {"response_format": {"type": "json_object"}},
        {"logit_bias": {"5": 1}},
        {"presence_penalty": 1.0},
    ],
)
def test_what_the_protocol_does_not_have_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CompletionsRefusedError, match=r"^Anthropic's protocol"):
        request(**options)


def test_tools_and_what_they_returned() -> None:
    said = [
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "c2"}]},
        {"role": "tool", "tool_call_id": "c1", "content": "nine"},
        {"role": "tool", "tool_call_id": "c2", "content": "ten"},
    ]
    made = request(messages=said, tools=[TOOL], tool_choice={"type": "function", "function": {"name": "hours"}})
    uses = [{"type": "tool_use", "id": name, "name": "hours", "input": {"day": "Monday"}} for name in ("c1", "c2")]
    results = [
        {"type": "tool_result", "tool_use_id": "c1", "content": "nine"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "ten"},
    ]
    assert made["messages"][1:] == [{"role": "assistant", "content": uses}, {"role": "user", "content": results}]
    schema = TOOL["function"]["parameters"]  # type: ignore[index]
    assert made["tools"] == [{"name": "hours", "description": "", "input_schema": schema}]
    assert made["tool_choice"] == {"type": "tool", "name": "hours"}
    forced = request(tools=[TOOL], tool_choice="required", parallel_tool_calls=False)["tool_choice"]
    assert forced == {"type": "any", "disable_parallel_tool_use": True}


def test_an_answer_is_understood() -> None:
    answer = AnthropicAnswer()
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 7, "cache_read_input_tokens": 3}}}
    assert answer.read(events(start, {"type": "ping"})) is None
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "The tram"}}
    assert answer.read(events(delta)) == Piece("The tram")
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}
    assert answer.read(events(thought)) == Piece("")  # it is at work
    assert not answer.ended
    stopped = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 2}}
    assert answer.read(events(stopped)) == Piece("", "length", Usage(10, 2))
    assert answer.ended and not answer.done
    answer.read(events({"type": "message_stop"}))
    assert answer.done


def test_a_call_comes_in_parts_and_is_told_whole() -> None:
    answer = AnthropicAnswer()
    block = {"type": "tool_use", "id": "c1", "name": "hours", "input": {}}
    parts = [
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": part}}
        for part in ('{"day": ', '"Monday"}')
    ]
    begun = answer.read(events({"type": "content_block_start", "index": 1, "content_block": block}, *parts))
    assert begun == Piece("")
    stopped = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}
    ended = answer.read(events(stopped))
    assert ended is not None
    assert (ended.finish, ended.tool_calls) == ("tool_calls", (CALL,))


def test_an_error_in_the_stream_is_one() -> None:
    with pytest.raises(CompletionsAwayError, match="overloaded"):
        AnthropicAnswer().read(events({"type": "error", "error": {"type": "overloaded_error"}}))


@pytest.mark.parametrize(
    ("protocol", "url", "names"),
    [
        ("openai", "http://127.0.0.1:1/v1", {"Authorization"}),
        ("anthropic", "https://api.anthropic.com/v1", {"x-api-key", "anthropic-version"}),
        ("anthropic", "http://127.0.0.1:1/v1", {"x-api-key", "anthropic-version", "Authorization"}),
    ],
)
def test_each_server_gets_the_key_that_it_wants(protocol: Any, url: str, names: set[str]) -> None:
    assert set(ModelServer("m", url, "secret", protocol).headers) == names
    assert "secret" not in repr(ModelServer("m", url, "secret", protocol))
