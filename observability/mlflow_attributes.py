"""What a span says, in the attribute names that MLflow and OpenTelemetry's GenAI conventions read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from contracts import Usage

AttributeValue = str | bool | int | float

ROOT_TYPE = "CHAIN"
DEFAULT_TYPE = "TASK"
SPAN_TYPES: Mapping[str, str] = {
    "guard": "GUARDRAIL",
    "output_guard": "GUARDRAIL",
    "memory": "MEMORY",
    "embed": "EMBEDDING",
    "retrieve": "RETRIEVER",
    "search": "RETRIEVER",
    "rerank": "RERANKER",
    "parse": "PARSER",
    "generate": "CHAT_MODEL",
}
OPERATIONS: Mapping[str, str] = {"generate": "chat", "embed": "embeddings", "retrieve": "retrieval"}

MAX_TEXT = 32_000  # characters of one span's inputs or outputs; bounds what a full queue weighs
MAX_ID = 250  # MLflow refuses the whole batch when a session id is longer


def opening_attributes(name: str, *, root: bool) -> dict[str, AttributeValue]:
    """Return what the span's name alone says: its MLflow type and its GenAI operation."""
    kind = ROOT_TYPE if root else SPAN_TYPES.get(name, DEFAULT_TYPE)
    operation = {} if root or name not in OPERATIONS else {"gen_ai.operation.name": OPERATIONS[name]}
    return {"mlflow.spanType": kind, **operation}


def to_attributes(values: Mapping[str, Any], *, record_text: bool) -> dict[str, AttributeValue]:
    """Return `values` under the names MLflow reads.

    `inputs` and `outputs` are any JSON-like values; `usage` is a Usage; `session` (or `conversation_id`) and `user` (or
    `principal`) say whose trace it is; `model` names the language or embedding model; `type` overrides the span type;
    on the outermost span `prompt_version` becomes a tag of the trace, which MLflow can search by. Anything else is a
    label and is kept under its own name: never put a document's or a person's text there, because with `record_text`
    off only the text inside `inputs` and `outputs` is replaced by its size.
    """
    found: dict[str, AttributeValue] = {}
    for key, value in values.items():
        if value is None:
            continue
        if key in _TEXTS:
            found[_TEXTS[key]] = _json(value, record_text=record_text)
        elif key in _NAMED:
            found.update(_NAMED[key](value))
        else:
            found[key] = _label(value)
    return found


def clean(text: str) -> str:
    """Return `text` without lone surrogates, which protobuf refuses together with the whole batch."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _session(value: Any) -> dict[str, AttributeValue]:
    session = clean(str(value))[:MAX_ID]
    return {"session.id": session, "gen_ai.conversation.id": session}


def _user(value: Any) -> dict[str, AttributeValue]:
    return {"user.id": clean(str(value))[:MAX_ID]}


def _usage(value: Usage) -> dict[str, AttributeValue]:
    return {
        "gen_ai.usage.input_tokens": value.prompt_tokens,
        "gen_ai.usage.output_tokens": value.completion_tokens,
    }


def _model(value: Any) -> dict[str, AttributeValue]:
    return {"gen_ai.request.model": clean(str(value))}


def _prompt_version(value: Any) -> dict[str, AttributeValue]:
    version = clean(str(value))[:MAX_ID]
    return {"prompt_version": version, "mlflow.traceTag.prompt_version": version}


def _type(value: Any) -> dict[str, AttributeValue]:
    return {"mlflow.spanType": clean(str(value))}


_TEXTS: Mapping[str, str] = {"inputs": "mlflow.spanInputs", "outputs": "mlflow.spanOutputs"}
_NAMED: Mapping[str, Callable[[Any], dict[str, AttributeValue]]] = {
    "session": _session,
    "conversation_id": _session,
    "user": _user,
    "principal": _user,
    "usage": _usage,
    "model": _model,
    "prompt_version": _prompt_version,
    "type": _type,
}


def _label(value: Any) -> AttributeValue:
    return value if isinstance(value, bool | int | float) else clean(str(value))


def _json(value: Any, *, record_text: bool) -> str:
    if not record_text:
        value = _sizes(json.loads(json.dumps(value, default=_plain)))
    # Not escaped to ASCII: MLflow's text search would not find what people type.
    text = clean(json.dumps(value, default=_plain, ensure_ascii=False))
    return text if len(text) <= MAX_TEXT else json.dumps({"truncated": text[:MAX_TEXT], "chars": len(text)})


def _plain(value: Any) -> Any:
    """What json cannot write itself, as something it can."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return str(value)


def _sizes(value: Any) -> Any:
    """The same structure with every text replaced by its length; numbers stay."""
    if isinstance(value, str):
        return f"<{len(value)} characters>"
    if isinstance(value, dict):
        return {key: _sizes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sizes(item) for item in value]
    return value
