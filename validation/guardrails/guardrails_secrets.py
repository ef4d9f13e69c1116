"""A Guardrails AI validator that finds secrets."""

from __future__ import annotations

from typing import Any

from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import ErrorSpan, FailResult, PassResult, ValidationResult

from validation.credentials import find_secrets


@register_validator(name="footnote/secrets", data_type="string")
class Secrets(Validator):  # type: ignore[misc]
    """Fails on keys, tokens, private keys and passwords; the fixed value has "[secret]" in their place, and each error
    span says what it is, such as "github_token"."""

    def __init__(self, on_fail: OnFailAction = OnFailAction.FIX) -> None:
        super().__init__(on_fail=on_fail)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        found = find_secrets(value)
        if not found:
            return PassResult()
        fixed = value
        for secret in reversed(found):
            fixed = f"{fixed[: secret.start]}[secret]{fixed[secret.end :]}"
        return FailResult(
            error_message=f"A secret was left out: {', '.join(sorted({secret.kind for secret in found}))}.",
            fix_value=fixed,
            error_spans=[ErrorSpan(start=secret.start, end=secret.end, reason=secret.kind) for secret in found],
        )
