"""An answer of a form that the client fixed: held back until it is whole, checked, and released as it was written."""

from __future__ import annotations

import json
from typing import Any

from apps.draft import Draft
from apps.json_answer import leaves, own_names
from apps.request_options import asked_schema
from apps.turn import Turn
from contracts import CheckedSentence, Violation

# What these rules find is that no source says so. It stays, as the form may leave no other choice, and is marked.
_SUPPORT = {"supported", "entailed", "says_more", "citations_exist"}
_UNSUPPORTED = Violation("supported", "No source supports all of this answer, whose form was fixed.", "flag")


async def checked_whole(turn: Turn, draft: Draft) -> None:
    """Release what was written, byte for byte, unless a guard blocks it or would take something out of it, which ends
    the answer as blocked, or drops it for another reason than that no source supports it."""
    supported = True
    for text in _texts(draft.written, turn):
        checked = await turn.guards.output.check(text, draft.sources, turn.text)
        if await is_stopped(checked, draft):
            return
        if checked.outcome == "pass":
            await draft.cite(checked)
        else:
            supported = False
    await draft.add_whole(draft.written, supported=supported)
    if not supported:
        await draft.report([_UNSUPPORTED])


async def checked_calls(turn: Turn, draft: Draft) -> None:
    """End the answer with the model's calls of tools, unless a guard blocks what it hands over to one."""
    for call in draft.tool_calls:
        arguments = str((call.get("function") or {}).get("arguments") or "")
        for text in _texts(arguments, turn):
            if await is_stopped(await turn.guards.output.check(text, draft.sources, turn.text), draft):
                draft.tool_calls = ()
                return
    draft.finish = "tool_calls"


async def is_stopped(checked: CheckedSentence, draft: Draft) -> bool:
    """Report what was found besides want of support; return whether the answer ends there."""
    found = [violation for violation in checked.violations if violation.rule not in _SUPPORT]
    await draft.report(found)
    actions = {violation.action for violation in found}
    if checked.outcome == "block" or actions & {"block", "redact"}:
        draft.finish = "blocked"
    elif checked.outcome in ("drop", "abstain") and actions:
        draft.finish = "abstained"
    return draft.finish != "complete"


def _texts(written: str, turn: Turn) -> list[str]:
    """Return what is to be checked: of JSON each value, and each name that the client did not give."""
    try:
        value: Any = json.loads(written)
    except ValueError:
        return [written] if written.strip() else []
    holder = {"$": value}
    names = own_names(value, {"fixed": [asked_schema(turn.question.options), turn.question.options.get("tools")]})
    return [text for text in [*names, *(str(held[key]) for _, held, key in leaves(holder))] if text.strip()]
