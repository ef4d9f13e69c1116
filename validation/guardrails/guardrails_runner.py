"""Runs Guardrails validators on one text, all at once, outside a Guard, which would run them one after another.

Validators of this package that take microseconds run here and now, those that await something run meanwhile, and those
of others run in threads. Each judges the original text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts import Action, Violation
from validation.policy import OnFail

_log = logging.getLogger(__name__)
_DEADLINE_S = 60.0  # the first one may wait until a model is loaded
_TOLD: Mapping[OnFail, Action] = {
    "block": "block",
    "redact": "redact",
    "flag": "flag",
    "drop": "drop",
    "abstain": "drop",
}
_OURS = __name__.partition(".")[0] + "."


@dataclass(frozen=True, slots=True)
class Check:
    """A rule's validator and what to do when it fails."""

    rule: str
    on_fail: OnFail
    validator: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check said of a text: a PassResult or a FailResult of Guardrails; None when the check itself broke."""

    check: Check
    result: Any

    @property
    def failed(self) -> bool:
        return self.result is None or self.result.outcome == "fail"

    @property
    def on_fail(self) -> OnFail:
        """What to do about it: a check that broke blocks, so that nothing goes unchecked."""
        return "block" if self.result is None else self.check.on_fail

    @property
    def violation(self) -> Violation:
        if self.result is None:
            return Violation("guard_failure", f"The check {self.check.rule!r} itself failed; see the log. Try again.")
        return Violation(self.check.rule, self.result.error_message, _TOLD[self.on_fail])


async def run_checks(checks: Sequence[Check], text: str, metadata: Mapping[str, Any]) -> tuple[Outcome, ...]:
    """Return what each check says of `text`, in the order of `checks`; what comes after a block may be missing."""
    waiting = {check.rule: asyncio.ensure_future(_slow(check, text, metadata)) for check in checks if _waits(check)}
    try:
        outcomes = []
        for check in checks:
            outcome = await waiting[check.rule] if check.rule in waiting else _quick(check, text, metadata)
            outcomes.append(outcome)
            if outcome.failed and outcome.on_fail == "block":
                break
        return tuple(outcomes)
    finally:
        for task in waiting.values():
            task.cancel()


async def redacted(
    outcomes: Sequence[Outcome], text: str, metadata: Mapping[str, Any], *, judged: str | None = None
) -> str | None:
    """Return `text` as the failed checks that redact would have it; None when one of them cannot say how. Two of them
    rarely fail on one text: then the later one judges what the earlier one made of it. `judged` is what the outcomes
    were found on, where that is not `text` any more."""
    original = text if judged is None else judged
    for outcome in outcomes:
        if not outcome.failed or outcome.on_fail != "redact":
            continue
        result = outcome.result if text == original else (await _once(outcome.check, text, metadata)).result
        if result is None or (result.outcome == "fail" and not isinstance(result.fix_value, str)):
            return None
        text = result.fix_value if result.outcome == "fail" else text
    return text


def _waits(check: Check) -> bool:
    from guardrails import Validator

    kind = type(check.validator)
    return kind.async_validate is not Validator.async_validate or not kind.__module__.startswith(_OURS)


async def _once(check: Check, text: str, metadata: Mapping[str, Any]) -> Outcome:
    return await _slow(check, text, metadata) if _waits(check) else _quick(check, text, metadata)


def _quick(check: Check, text: str, metadata: Mapping[str, Any]) -> Outcome:
    try:
        return Outcome(check, check.validator.validate(text, metadata))
    except Exception:  # whatever breaks inside a check, an unchecked text must not pass
        return _broken(check)


async def _slow(check: Check, text: str, metadata: Mapping[str, Any]) -> Outcome:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            judged: Awaitable[Any] = check.validator.async_validate(text, metadata)
            return Outcome(check, await judged)
    except Exception:
        return _broken(check)


def _broken(check: Check) -> Outcome:
    _log.exception("the check %r failed, and the text is held back", check.rule)
    return Outcome(check, None)
