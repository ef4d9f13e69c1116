"""What the options of a question ask for, which are fields of an OpenAI chat completion request.

The model server gets them as they are, but for `messages`: there they are what the client has to say that the question
and its history do not hold, as OpenAI has it. Those of the role `system` go on after our own instructions; calls of
tools, and what they returned, come after the question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contracts import Message, Prompt

_LIMITS = ("max_completion_tokens", "max_tokens")
_JSON_FORMATS = {"json_object", "json_schema", "structural_tag"}
_OLDER_CONSTRAINTS = ("guided_json", "guided_regex", "guided_choice", "guided_grammar")  # of vLLM before 0.12


def answer_tokens(options: Mapping[str, Any], otherwise: int) -> int:
    """Return how many tokens the answer may have."""
    return next((options[name] for name in _LIMITS if options.get(name) is not None), otherwise)


def asked_schema(options: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the JSON Schema that the answer is to conform to, where one is named."""
    by_format = ((options.get("response_format") or {}).get("json_schema") or {}).get("schema")
    schema = by_format or (options.get("structured_outputs") or {}).get("json")
    return schema if isinstance(schema, Mapping) else None


def is_constrained(options: Mapping[str, Any]) -> bool:
    """Return whether the answer may only be of a form that the client fixed: JSON, a choice, a regular expression."""
    wanted = (options.get("response_format") or {}).get("type")
    return wanted in _JSON_FORMATS or bool(
        options.get("structured_outputs") or any(options.get(name) for name in _OLDER_CONSTRAINTS)
    )


def has_tools(options: Mapping[str, Any]) -> bool:
    """Return whether the model may call tools of the client."""
    return bool(options.get("tools")) and options.get("tool_choice") != "none"


def completed(prompt: Prompt, options: Mapping[str, Any]) -> Prompt:
    """Return the prompt with the client's instructions after ours, and with the options; their `messages` are those
    that come after the prompt's own."""
    told = list(options.get("messages") or ())
    rules = [one["content"] for one in told if one.get("role") == "system"]
    after = [one for one in told if one.get("role") != "system"]
    rest = {name: value for name, value in options.items() if name != "messages"}
    messages = _instructed(prompt.messages, "\n\n".join(rules))
    return replace(prompt, messages=messages, options=rest | ({"messages": after} if after else {}))


def counted(prompt: Prompt) -> tuple[Message, ...]:
    """Return all that the model reads of the prompt, as messages whose tokens can be counted."""
    beside = [prompt.options[name] for name in ("tools", "messages") if prompt.options.get(name)]
    return (*prompt.messages, *(Message("user", json.dumps(one, ensure_ascii=False)) for one in beside))


def _instructed(messages: Sequence[Message], instructions: str) -> tuple[Message, ...]:
    if not instructions:
        return tuple(messages)
    head = [message for message in messages[:1] if message.role == "system"]
    first = Message("system", "\n\n".join([*(message.content for message in head), instructions]))
    return (first, *messages[len(head) :])
