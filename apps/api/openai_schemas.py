"""OpenAI's chat completions and embeddings as they go over the wire."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from apps.api.openai_messages import spoken
from apps.api.schemas import Filters, citation_out, filters_of, violation_out
from apps.request_options import answer_tokens, is_constrained
from contracts import Answer, AnswerMode, Caller, InvalidInputError, Question, Usage, Vectors

OWN_MODEL = "footnote"
# What the platform of a provider would do beside the answer; here it does nothing, and answers must not depend on it.
_BESIDE = {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}
_FINISH = {"blocked": "content_filter", "interrupted": "length", "tool_calls": "tool_calls"}


class StreamOptions(BaseModel):
    """What a stream tells besides the answer."""

    include_usage: bool = False


class FootnoteIn(BaseModel):
    """What only Footnote knows of: fields of `/v1/query`."""

    model_config = ConfigDict(extra="forbid")

    top_k: int | None = Field(None, ge=1, le=100)
    filters: Filters = {}
    mode: AnswerMode = AnswerMode.GROUNDED
    patience_s: float | None = Field(None, gt=0, le=3600)
    fresh: bool = False


class ChatIn(BaseModel):
    """A chat completion request. Further fields are those that the model server has."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [{"model": OWN_MODEL, "messages": [{"role": "user", "content": "When does the museum open?"}]}]
        },
    )

    model: str
    messages: list[dict[str, Any]] = []
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    footnote: FootnoteIn = FootnoteIn()

    @property
    def options(self) -> dict[str, Any]:
        """The fields that the model server gets as they are."""
        more = self.model_extra or {}
        return {name: value for name, value in more.items() if value is not None and name not in _BESIDE}


class EmbeddingsIn(BaseModel):
    """Texts to embed."""

    model: str
    input: str | list[str] = Field(description="One text or several; tokens are not taken.")
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, ge=1)


def question_of(body: ChatIn, collection: str, caller: Caller) -> Question:
    """Return what is asked: the last message of the user, in the light of the others. Raises InvalidInputError."""
    if (body.n or 1) != 1:
        raise InvalidInputError(f"n={body.n}: there is one answer to a question; ask for n=1.")
    if body.logprobs or body.top_logprobs:
        raise InvalidInputError("logprobs: an answer is checked and cited by sentences and has none; leave them out.")
    said, own, options = spoken(body.messages), body.footnote, body.options
    priority = options.get("priority", 0)
    if not isinstance(priority, int):
        raise InvalidInputError(f"priority={priority!r} is no whole number.")
    return Question(
        text=said.question,
        collection=collection,
        caller=caller,
        top_k=own.top_k,
        filters=filters_of(own.filters),
        mode=own.mode,
        history=said.history,
        options=options | ({"messages": list(said.besides)} if said.besides else {}),
        priority=priority,
        patience_s=own.patience_s,
        fresh=own.fresh,
    )


@dataclass(frozen=True, slots=True)
class Completion:
    """What all parts of one response have in common; `constrained` means that the client fixed the answer's form, and
    `limit` is how many tokens it allowed."""

    model: str
    constrained: bool
    limit: int
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    @classmethod
    def of(cls, body: ChatIn, most_tokens: int) -> Completion:
        """Return the head of the response to a request; `most_tokens` is the limit where it sets none."""
        return cls(body.model, is_constrained(body.options), answer_tokens(body.options, most_tokens))

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the response that is not streamed."""
        calls = {"tool_calls": list(answer.tool_calls)} if answer.tool_calls else {}
        refused = self.refuses(answer)
        message = {
            "role": "assistant",
            "content": None if refused or (calls and not answer.text) else answer.text,
            "refusal": answer.text if refused else None,
            **calls,
            "citations": citations(answer),
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason(answer)}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": usage_out(answer.usage),
            "footnote": about(answer),
        }

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
        """Return a piece of the response that is streamed."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **more}

    def usage_chunk(self, answer: Answer) -> dict[str, Any]:
        """Return the piece that tells the usage."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": usage_out(answer.usage)}

    def refuses(self, answer: Answer) -> bool:
        """Whether the text is a refusal in place of an answer of the form that was fixed."""
        return self.constrained and not answer.sentences

    def finish_reason(self, answer: Answer) -> str:
        """Return why the answer ended, in OpenAI's words; one that was broken off is one that is too short."""
        cut_off = answer.finish == "complete" and answer.usage.completion_tokens >= self.limit
        return "length" if cut_off else _FINISH.get(answer.finish, "stop")

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def citations(answer: Answer) -> list[dict[str, Any]]:
    """Return the citations as `/v1/query` has them."""
    return [citation_out(citation).model_dump(mode="json") for citation in answer.citations]


def about(answer: Answer) -> dict[str, Any]:
    """Return what is known of an answer beside its text."""
    return {
        "abstained": answer.abstained,
        "grounded": answer.grounded,
        "finish": answer.finish,
        "cache": answer.cache,
        "mode": answer.mode,
        "notice": answer.notice,
        "generation": answer.generation,
        "trace_id": answer.trace_id,
        "timings": dict(answer.timings),
        "violations": [violation_out(violation).model_dump(mode="json") for violation in answer.violations],
    }


def usage_out(usage: Usage) -> dict[str, int]:
    """Return the counts of tokens."""
    asked, said = usage.prompt_tokens, usage.completion_tokens
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def embeddings_out(body: EmbeddingsIn, vectors: Vectors, tokens: int) -> dict[str, Any]:
    """Return vectors as numbers, or as base64 of their little-endian float32."""

    as_text = body.encoding_format == "base64"
    shown = [base64.b64encode(row.astype("<f4").tobytes()).decode() if as_text else row.tolist() for row in vectors]
    rows = [{"object": "embedding", "index": at, "embedding": one} for at, one in enumerate(shown)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": body.model, "usage": usage}


def models_out(names: Sequence[str]) -> dict[str, Any]:
    """Return the models that a request may name."""
    return {"object": "list", "data": [model_out(name) for name in names]}


def model_out(name: str) -> dict[str, Any]:
    """Return a model; Footnote does not know when others were made."""
    return {"id": name, "object": "model", "created": 0, "owned_by": OWN_MODEL}
