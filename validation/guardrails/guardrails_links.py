"""A Guardrails AI validator that keeps links and images to those that the sources name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from guardrails import OnFailAction, Validator, register_validator
from guardrails_ai.types import ErrorSpan, FailResult, PassResult, ValidationResult

from validation.links import KnownTargets, find_links, without_links


@register_validator(name="footnote/foreign_links", data_type="string")
class ForeignLinks(Validator):  # type: ignore[misc]
    """Fails on a link or image whose target no passage in ``metadata["passages"]`` names; the fixed value keeps its
    text.

    Links, never images, may also lead to `allow_domains` and what is below them. Reasons are "link" and "image".
    """

    def __init__(self, allow_domains: Sequence[str] = (), on_fail: OnFailAction = OnFailAction.FIX) -> None:
        super().__init__(on_fail=on_fail, allow_domains=list(allow_domains))
        self._allow_domains = tuple(allow_domains)

    def _validate(self, value: Any, metadata: dict[str, Any]) -> ValidationResult:
        links = find_links(value)
        if not links:
            return PassResult()
        known = KnownTargets(metadata.get("passages", ()), self._allow_domains)
        foreign = [link for link in links if not known.know(link)]
        if not foreign:
            return PassResult()
        return FailResult(
            error_message="A link or image that no source names was left out.",
            fix_value=without_links(value, foreign),
            error_spans=[
                ErrorSpan(start=link.start, end=link.end, reason="image" if link.image else "link") for link in foreign
            ],
        )
