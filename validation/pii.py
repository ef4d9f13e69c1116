"""Personal data in text: e-mail addresses, phone numbers, payment cards, IBANs and US social security numbers.

A candidate is found by shape and kept only if its checksum or numbering plan holds, by python-stdnum and phonenumbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class PiiKind(StrEnum):
    """What was found; the value is also what stands in its place."""

    IBAN = "iban"
    CARD = "card"
    SSN = "ssn"
    EMAIL = "email"
    PHONE = "phone"


SECRET_KINDS = frozenset({PiiKind.IBAN, PiiKind.CARD, PiiKind.SSN})
"""Kinds that no answer may carry, even where a source does."""

_PHONE_REGIONS = ("US", "GB", "DE", "CH")
_EMAIL = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE)
_CARD = re.compile(r"(?<![\d.])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d.]?\d)")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_MAYBE_PHONE = re.compile(r"(?:\d[\s().\-/]{0,3}){7}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data at `text[start:end]`."""

    kind: PiiKind
    start: int
    end: int


def find_pii(text: str) -> tuple[Finding, ...]:
    """Return what was found in order of position, without overlaps; the more specific kind wins."""
    found: list[Finding] = []
    for finding in _candidates(text):
        if all(finding.end <= other.start or other.end <= finding.start for other in found):
            found.append(finding)
    return tuple(sorted(found, key=lambda finding: finding.start))


def redact(text: str, findings: Iterable[Finding]) -> str:
    """Return `text` with each finding replaced by its kind in brackets.

    >>> redact("Write to anna@example.org!", find_pii("Write to anna@example.org!"))
    'Write to [email]!'
    """
    for finding in sorted(findings, key=lambda finding: -finding.start):
        text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
    return text


def same_contact(value: str) -> str:
    """Return an e-mail address or phone number without the parts that writing styles change, for comparison."""
    return value.casefold() if "@" in value else re.sub(r"\D", "", value).lstrip("0")


def _candidates(text: str) -> Iterator[Finding]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Finding(PiiKind.EMAIL, *match.span())
    if any(character.isdigit() for character in text):
        yield from _ibans(text)
        yield from _cards(text)
        yield from _ssns(text)
        yield from _phones(text)


def _ibans(text: str) -> Iterator[Finding]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        candidate = match.group()
        while len(candidate) >= 15:  # words after the number look like its last groups: try without them
            if iban.is_valid(candidate):
                yield Finding(PiiKind.IBAN, match.start(), match.start() + len(candidate))
                break
            candidate = candidate.rpartition(" ")[0]


def _cards(text: str) -> Iterator[Finding]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        if luhn.is_valid(re.sub(r"\D", "", match.group())):
            yield Finding(PiiKind.CARD, *match.span())


def _ssns(text: str) -> Iterator[Finding]:
    from stdnum.us import ssn

    for match in _SSN.finditer(text):
        if ssn.is_valid(match.group()):
            yield Finding(PiiKind.SSN, *match.span())


def _phones(text: str) -> Iterator[Finding]:
    if not _MAYBE_PHONE.search(text):  # the matcher takes most of a millisecond
        return
    from phonenumbers import Leniency, PhoneNumberMatcher

    international = "+" in text
    national = [(region, Leniency.STRICT_GROUPING) for region in _PHONE_REGIONS]
    for region, leniency in ([(None, Leniency.VALID)] if international else []) + national:
        for match in PhoneNumberMatcher(text, region, leniency):
            # A bare run of digits is more often an order number than a phone number.
            if not (match.raw_string.isdigit() or _DATE.search(match.raw_string)):
                yield Finding(PiiKind.PHONE, match.start, match.end)
