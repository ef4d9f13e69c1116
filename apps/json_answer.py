"""An answer that is JSON: held back until it is whole, then each text and number in it is checked like a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from apps.draft import Draft
from apps.turn import Turn
from contracts import CheckedSentence, InvalidInputError, ModelUnavailableError, Violation

_UNSUPPORTED = "No source supports {path}."


def check_schema(schema: Mapping[str, Any]) -> None:
    """Return when this is a JSON Schema. Raises InvalidInputError."""
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as exc:
        raise InvalidInputError(f"The json_schema is not a JSON Schema: {exc.message} at {exc.json_path}.") from exc


async def checked_json(turn: Turn, draft: Draft, *, cut_off: bool) -> None:
    """Release what was written if it conforms to the question's schema and no guard blocks it, with what a guard takes
    out of its texts taken out; a number or a name of a field that a guard would change ends the answer. A value that no
    source supports is reported, and stays: the schema may require it.

    Raises ModelUnavailableError when the model server did not keep to the schema.
    """
    from jsonschema import ValidationError, validate

    if cut_off:
        raise ModelUnavailableError(
            "The JSON answer was cut off by the limit of tokens. Raise FOOTNOTE_SERVING__MAX_TOKENS, or ask for less."
        )
    try:
        value = json.loads(draft.written)
        validate(value, turn.question.schema)
    except (ValueError, ValidationError) as exc:
        message = f"The model server wrote no JSON of the schema asked for: {exc}. It may not support `json_schema`."
        raise ModelUnavailableError(message) from exc
    unsupported: list[Violation] = []
    for name in own_names(value, turn.question.schema):
        if await _is_stopped(await turn.guards.output.check(name, draft.sources, turn.text), draft, fixed=True):
            return
    for path, holder, key in list(leaves({"$": value})):
        checked = await turn.guards.output.check(str(holder[key]), draft.sources, turn.text)
        if await _is_stopped(checked, draft, fixed=not isinstance(holder[key], str)):
            return
        if isinstance(holder[key], str):
            holder[key] = _without_markers(checked)
        if checked.outcome == "pass":
            await draft.cite(checked)
        else:
            unsupported.append(Violation("supported", _UNSUPPORTED.format(path=path), "flag"))
    text = json.dumps(value, ensure_ascii=False)
    await draft.add_whole(text, supported=not unsupported)
    await draft.report(unsupported)


async def _is_stopped(checked: CheckedSentence, draft: Draft, *, fixed: bool) -> bool:
    """Report what was found besides want of support; return whether the answer ends there, which what is `fixed` does
    too when something would have to be taken out of it."""
    told = [violation for violation in checked.violations if violation.action in ("block", "redact")]
    await draft.report(told)
    if checked.outcome == "block" or (fixed and told):
        draft.finish = "blocked"
    return draft.finish == "blocked"


def own_names(value: Any, schema: Mapping[str, Any] | None) -> list[str]:
    """Return the names of fields inside that are the model's and not the schema's."""
    known, names = json.dumps(schema), list[str]()
    if isinstance(value, dict):
        names += [name for name in value if json.dumps(name) not in known]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*names, *(name for each in inside for name in own_names(each, schema))]


def _without_markers(checked: CheckedSentence) -> str:
    text = checked.text.strip()
    for marker in checked.markers:
        text = text.replace(f" [{marker}]", "").replace(f"[{marker}]", "")
    return text


def leaves(holder: dict[str, Any] | list[Any], at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each text and number inside, as its path and where it stands; true, false and null say nothing to check."""
    for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
        path = f"{at}[{key}]" if isinstance(holder, list) else f"{at}.{key}".removeprefix(".")
        if isinstance(value, dict | list):
            yield from leaves(value, path)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield path, holder, key
