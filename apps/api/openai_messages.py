"""The messages of an OpenAI chat as a question, what was said before it, and what the client has to say besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import InvalidInputError, Message

_INSTRUCTIONS = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Spoken:
    """The last message of the user, and what was said before it. `besides` are instructions, as `system` messages, and
    what came after the question: calls of tools, and what they returned."""

    question: str
    history: tuple[Message, ...]
    besides: tuple[Mapping[str, Any], ...]


def spoken(messages: Sequence[Mapping[str, Any]]) -> Spoken:
    """Return what the messages say. Raises InvalidInputError."""
    asked = [at for at, message in enumerate(messages) if message.get("role") == "user"]
    if not asked or not (question := _text(messages[asked[-1]])).strip():
        raise InvalidInputError("messages: there is no question; the last message of the role `user` is taken for it.")
    rules = [
        {"role": "system", "content": _text(message)} for message in messages if message.get("role") in _INSTRUCTIONS
    ]
    after = [message for message in messages[asked[-1] + 1 :] if message.get("role") not in _INSTRUCTIONS]
    for message in messages:
        if message.get("role") not in (*_INSTRUCTIONS, "user", "assistant", "tool"):
            raise InvalidInputError(f"messages: {message.get('role')!r} is no role of a message.")
    return Spoken(question, tuple(_history(messages[: asked[-1]])), (*rules, *after))


def _history(messages: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Return what was said; calls of tools are told as what they asked for and returned."""
    said: list[Message] = []
    for message in messages:
        text = _text(message)
        if message.get("role") == "user":
            said.append(Message("user", text))
        elif message.get("role") == "assistant":
            calls = [f"{_called(call)}." for call in message.get("tool_calls") or ()]
            said.append(Message("assistant", "\n".join(filter(None, [text, *calls]))))
        elif message.get("role") == "tool":
            said.append(Message("assistant", f"The tool returned: {text}"))
    return [message for message in said if message.content]


def _called(call: Mapping[str, Any]) -> str:
    function = call.get("function") or {}
    return f"Called the tool {function.get('name')} with {function.get('arguments')}"


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in parts]
    if any(not isinstance(text, str) for text in texts):
        raise InvalidInputError("messages: a question is text; images, sound and files are not understood here.")
    return "\n".join(str(text) for text in texts)
