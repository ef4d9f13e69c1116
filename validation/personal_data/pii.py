"""Personal data in text: found, replaced by placeholders, and put back.

What has a form of its own is found by it (`pii_patterns`); names, places, addresses, firms and professions by a tagger
(`pii_tagger`), which is loaded when one of these kinds is first asked for.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from validation.personal_data.pii_kinds import DEFAULT_KINDS, LEARNED_KINDS, SECRET_KINDS, Finding, PiiKind
from validation.personal_data.pii_patterns import find_kind

if TYPE_CHECKING:
    from validation.personal_data.pii_tagger import Tagger

__all__ = ["DEFAULT_KINDS", "LEARNED_KINDS", "SECRET_KINDS", "Finding", "PiiKind", "find_pii", "redact", "same_contact"]

_LAST_DIGIT = 0x1FBF9  # of Unicode 15, in code points
# Where two overlap, the kind that stands first here wins.
_ORDER = (
    PiiKind.EMAIL,
    PiiKind.IBAN,
    PiiKind.CARD,
    PiiKind.SSN,
    PiiKind.DRIVER_LICENSE,
    PiiKind.IP,
    PiiKind.PHONE,
    PiiKind.URL,
    PiiKind.DATE,
    PiiKind.AGE,
)


def find_pii(
    text: str, kinds: Collection[PiiKind] = DEFAULT_KINDS, tagger: Tagger | None = None
) -> tuple[Finding, ...]:
    """Return what was found of `kinds` in order of position, without overlaps; the more specific kind wins.

    Learned kinds are found by `tagger`, or else by the shipped one.
    """
    found: list[Finding] = []
    for finding in _candidates(text, kinds, tagger):
        at = bisect(found, finding.start, key=lambda other: other.start)
        before_free = at == 0 or found[at - 1].end <= finding.start
        if before_free and (at == len(found) or finding.end <= found[at].start):
            found.insert(at, finding)
    return tuple(found)


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


def _candidates(text: str, kinds: Collection[PiiKind], tagger: Tagger | None) -> Iterator[Finding]:
    plain = text if text.isascii() else text.translate(_plain_forms())
    for kind in _ORDER:
        if kind in kinds:
            yield from find_kind(plain, kind)
    if not LEARNED_KINDS.isdisjoint(kinds):
        from validation.personal_data.pii_tagger import shipped_tagger

        yield from (finding for finding in (tagger or shipped_tagger()).find(text) if finding.kind in kinds)
    if PiiKind.NATIONALITY in kinds:  # last: "Bank of French Polynesia" is a firm
        yield from find_kind(plain, PiiKind.NATIONALITY)


@cache
def _plain_forms() -> dict[int, str]:
    """Digits of every script, and what looks like the signs of an address or number, as ASCII; lengths stay."""
    forms = {code: str(unicodedata.decimal(chr(code))) for code in range(128, _LAST_DIGIT + 1) if chr(code).isdecimal()}
    forms |= dict.fromkeys(map(ord, "‐‑‒–—−﹣－"), "-")
    forms |= dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"), " ")
    return forms | {ord("＠"): "@", ord("．"): ".", ord("（"): "(", ord("）"): ")", ord("＋"): "+"}
