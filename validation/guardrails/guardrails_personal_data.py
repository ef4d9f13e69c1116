"""A Guardrails AI validator that finds personal data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import ErrorSpan, FailResult, PassResult, ValidationResult

from validation.personal_data.pii import DEFAULT_KINDS, SECRET_KINDS, Finding, PiiKind, find_pii, redact, same_contact

_CONTACTS = frozenset({PiiKind.EMAIL, PiiKind.PHONE})


@register_validator(name="footnote/personal_data", data_type="string")
class PersonalData(Validator):  # type: ignore[misc]
    """Fails on personal data of `kinds` (names of `PiiKind`); each error span has the kind as its reason, and the fixed
    value the kind in its place, as in "[email]".

    With `allow_shown`, what one of the passages in ``metadata["passages"]`` shows passes, unless it is secret.
    """

    def __init__(
        self,
        kinds: Sequence[str] | None = None,
        allow_shown: bool = False,
        on_fail: OnFailAction = OnFailAction.FIX,
    ) -> None:
        super().__init__(on_fail=on_fail, kinds=kinds, allow_shown=allow_shown)
        self._kinds = DEFAULT_KINDS if kinds is None else _kinds(kinds)
        self._allow_shown = allow_shown

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        findings = find_pii(value, self._kinds)
        if findings and self._allow_shown:
            passages = metadata.get("passages", ())
            findings = tuple(finding for finding in findings if not _is_shown(finding, value, passages))
        if not findings:
            return PassResult()
        names = ", ".join(sorted({finding.kind.value for finding in findings}))
        return FailResult(
            error_message=f"Personal data was left out: {names}.",
            fix_value=redact(value, findings),
            error_spans=[
                ErrorSpan(start=finding.start, end=finding.end, reason=finding.kind.value) for finding in findings
            ],
        )


def _kinds(names: Iterable[str]) -> frozenset[PiiKind]:
    try:
        return frozenset(PiiKind(name) for name in names)
    except ValueError as error:
        known = ", ".join(kind.value for kind in PiiKind)
        raise ValueError(f"{error}: no such kind of personal data; choose among {known}") from error


def _is_shown(finding: Finding, text: str, passages: Collection[str]) -> bool:
    if finding.kind in SECRET_KINDS:
        return False
    value = text[finding.start : finding.end]
    if finding.kind in _CONTACTS:
        return any(same_contact(value) in _contacts(passage) for passage in passages)
    whole = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
    return any(whole.search(passage) for passage in passages)


@lru_cache(maxsize=256)
def _contacts(passage: str) -> frozenset[str]:
    return frozenset(same_contact(passage[finding.start : finding.end]) for finding in find_pii(passage, _CONTACTS))
