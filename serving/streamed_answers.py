"""What a model server's streamed answer is made of, whatever its protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts import Usage


class CompletionsError(Exception):
    """No answer, or not all of it."""


class CompletionsAwayError(CompletionsError):
    """The server is away or busy, says nothing, broke off, or is none of this kind; a later try may work."""


class CompletionsRefusedError(CompletionsError):
    """The server does not take this request."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one read brought; nothing, where it only shows that the model is at work. `finish` is why the model stopped,
    in OpenAI's words, with the last text, and `tool_calls` are what it asks for then, whole, in OpenAI's form."""

    text: str
    finish: str = ""
    usage: Usage | None = None
    tool_calls: tuple[Mapping[str, Any], ...] = ()


class Completions(Protocol):
    """Streams answers of one server."""

    def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[Piece]:
        """Yield the answer to an OpenAI chat completion request. Closing it stops the server's work. Raises
        CompletionsError."""
        ...


class AnswerReader(Protocol):
    """Understands the events of one answer."""

    @property
    def ended(self) -> bool:
        """Whether the model has said all."""
        ...

    @property
    def done(self) -> bool:
        """Whether no further event will come."""
        ...

    def read(self, events: Sequence[bytes]) -> Piece | None:
        """Return what the data of these events say together, if anything. Raises CompletionsError when they say that
        the server failed, and ValueError, TypeError, KeyError or AttributeError when they are none of its protocol."""
        ...
