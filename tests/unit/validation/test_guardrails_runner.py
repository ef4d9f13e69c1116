"""Validators run together on the original text; what breaks blocks; those of others work too."""

import asyncio
from typing import Any

import pytest

from validation.guardrails.guardrails_offline import silence_guardrails
from validation.guardrails.guardrails_runner import Check, redacted, run_checks

silence_guardrails()

from guardrails import OnFailAction, Validator, register_validator  # noqa: E402
from guardrails_ai.types import FailResult, PassResult, ValidationResult  # noqa: E402


@register_validator(name="tests/word", data_type="string")
class Word(Validator):  # type: ignore[misc]
    """Fails on a word, and would have it replaced."""

    def __init__(self, word: str, by: str = "…", on_fail: OnFailAction = OnFailAction.FIX) -> None:
        super().__init__(on_fail=on_fail)
        self._word, self._by = word, by

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        if self._word == "boom":
            raise RuntimeError("boom")
        if self._word in value:
            return FailResult(error_message=f"It says {self._word}.", fix_value=value.replace(self._word, self._by))
        return PassResult()


@register_validator(name="tests/meeting", data_type="string")
class Meeting(Validator):  # type: ignore[misc]
    """Passes only when another one runs at the same time."""

    def __init__(self, barrier: asyncio.Barrier) -> None:
        super().__init__(on_fail=OnFailAction.REFRAIN)
        self._barrier = barrier

    async def async_validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        await asyncio.wait_for(self._barrier.wait(), 5)
        return PassResult()


async def test_checks_run_at_the_same_time() -> None:
    barrier = asyncio.Barrier(2)
    outcomes = await run_checks([Check("a", "block", Meeting(barrier)), Check("b", "block", Meeting(barrier))], "x", {})
    assert [outcome.failed for outcome in outcomes] == [False, False]


async def test_each_judges_the_original_and_all_redact() -> None:
    checks = [Check("one", "redact", Word("cat", "dog")), Check("two", "redact", Word("cat", "cow"))]
    checks.append(Check("three", "redact", Word("fish", "…")))
    outcomes = await run_checks(checks, "a cat and a fish", {})
    assert [outcome.violation.rule for outcome in outcomes if outcome.failed] == ["one", "two", "three"]
    assert await redacted(outcomes, "a cat and a fish", {}) == "a dog and a …"


async def test_a_block_ends_the_checks() -> None:
    checks = [Check("first", "block", Word("cat")), Check("second", "redact", Word("cat"))]
    outcomes = await run_checks(checks, "a cat", {})
    assert [outcome.check.rule for outcome in outcomes] == ["first"]
    assert outcomes[0].violation.action == "block"


@pytest.mark.parametrize("on_fail", ["flag", "redact", "drop", "block"])
async def test_a_check_that_breaks_blocks_whatever_its_policy_says(
    on_fail: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (outcome,) = await run_checks([Check("broken", on_fail, Word("boom"))], "a cat", {})
    assert outcome.failed
    assert (outcome.on_fail, outcome.violation.rule) == ("block", "guard_failure")
    assert "boom" in caplog.text


async def test_one_that_cannot_say_how_to_redact_lets_nothing_pass() -> None:
    @register_validator(name="tests/vague", data_type="string")
    class Vague(Validator):  # type: ignore[misc]
        def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
            return FailResult(error_message="Something is wrong.")

    outcomes = await run_checks([Check("vague", "redact", Vague(on_fail=OnFailAction.FIX))], "a cat", {})
    assert await redacted(outcomes, "a cat", {}) is None


async def test_a_check_that_hangs_is_given_up_and_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validation.guardrails.guardrails_runner._DEADLINE_S", 0.05)
    (outcome,) = await run_checks([Check("alone", "flag", Meeting(asyncio.Barrier(2)))], "x", {})
    assert (outcome.failed, outcome.on_fail) == (True, "block")
