"""Placeholders for personal data: numbered, so that values can be told apart and shown again in the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from validation.personal_data.pii_kinds import Finding, PiiKind

_NAMES = "|".join(sorted((kind.value for kind in PiiKind), key=len, reverse=True)).replace("_", r"\\?[_ -]")
# A model may write [EMAIL_1], email_1 or [email 1]; without brackets, only the underscore tells it from other words.
_PLACEHOLDER = re.compile(
    rf"[\[(<{{]\\?({_NAMES})\\?[_ -]?([0-9]{{1,4}})\\?[\])>}}]"
    rf"|(?<![\w@./-])({_NAMES})\\?_([0-9]{{1,4}})(?![\w@]|[./-]\w)",
    re.IGNORECASE,
)
_NONE: Mapping[str, str] = MappingProxyType({})


def placeholders(
    text: str, findings: Iterable[Finding], known: Mapping[str, str] = _NONE
) -> tuple[str, dict[str, str]]:
    """Return `text` with each finding replaced by its placeholder, and the value of every placeholder.

    The same value has the same placeholder, also where `known`, the mapping of an earlier text, has it. A placeholder
    that `text` holds already is not given out.

    >>> placeholders("Ask anna@example.org", [Finding(PiiKind.EMAIL, 4, 20)])
    ('Ask [email_1]', {'[email_1]': 'anna@example.org'})
    """
    mapping = dict(known)
    taken = {_name(match) for match in _PLACEHOLDER.finditer(text)} | set(mapping)
    by_value = {(_kind(placeholder), _plain(value)): placeholder for placeholder, value in mapping.items()}
    parts, last = [], 0
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        if finding.start < last:
            continue
        value = text[finding.start : finding.end]
        key = (finding.kind.value, _plain(value))
        if key not in by_value:
            by_value[key] = _free(finding.kind, taken)
            taken.add(by_value[key])
            mapping[by_value[key]] = value
        parts += [text[last : finding.start], by_value[key]]
        last = finding.end
    return "".join((*parts, text[last:])), mapping


def restore(text: str, mapping: Mapping[str, str]) -> str:
    """Return `text` with the value in place of each placeholder of `mapping`, however a model wrote it.

    >>> restore("I wrote to EMAIL_1 [1].", {"[email_1]": "anna@example.org"})
    'I wrote to anna@example.org [1].'
    """
    return _PLACEHOLDER.sub(lambda match: mapping.get(_name(match), match.group()), text) if mapping else text


def _free(kind: PiiKind, taken: set[str]) -> str:
    number = 1
    while (placeholder := f"[{kind}_{number}]") in taken:
        number += 1
    return placeholder


def _name(match: re.Match[str]) -> str:
    kind = re.sub(r"\\?[_ -]", "_", (match.group(1) or match.group(3)).lower())
    return f"[{kind}_{int(match.group(2) or match.group(4))}]"


def _kind(placeholder: str) -> str:
    return placeholder[1:].rpartition("_")[0]


def _plain(value: str) -> str:
    """What two ways to write the same value have in common."""
    return re.sub(r"[\s().\-/]", "", value).casefold()
