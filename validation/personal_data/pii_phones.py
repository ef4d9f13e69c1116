"""Phone numbers: by the numbering plans of phonenumbers, by unmistakable form, or by form and the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_REGIONS = ("US", "GB", "DE", "CH")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_CANDIDATE = re.compile(
    r"(?<![\w$€£/#(+-])(?<!\d[.,:])(?:\+|\()?[0-9](?:[ ().\-/]{0,3}[0-9]){5,14}"
    r"(?: ?(?:x|ext\.? ?)[0-9]{1,6})?(?![\w%]|[.,/:-][0-9])",
    re.IGNORECASE,
)
# What nothing else is written like: +41 44 668 18 00, 001-321-194-8268x44208, (978)645-9740, 223-087-9502, 636.840.1227
_UNMISTAKABLE = re.compile(
    r"\+[1-9][0-9 ().\-]{6,20}[0-9](?: ?(?:x|ext\.? ?)[0-9]{1,6})?"
    r"|(?:(?:\+?1|001)[-. ])?(?:\([0-9]{3}\) ?[0-9]{3}[-. ][0-9]{4}|[0-9]{3}([-.])[0-9]{3}\1[0-9]{4})"
    r"(?: ?(?:x|ext\.? ?)[0-9]{1,6})?",
    re.IGNORECASE,
)
_GROUPED = re.compile(
    r"\(?[0-9]{1,5}\)?(?:[ .\-/][0-9]{2,8}){1,5}(?: ?(?:x|ext\.? ?)[0-9]{1,6})?|0[0-9]{8,11}|[0-9]{10}", re.I
)
# Groups between spaces alone are more often a row of a table, unless they start with a trunk 0.
_PUNCTUATED = re.compile(r"0[0-9]+[ .\-/]|[0-9 ]*[().\-/]")
_NAMED_BEFORE = re.compile(
    r"\b(?:(?:tele)?phones?|tel|mobile|cell(?:phone|ular)?|fax|call(?:ed|ing)?|dial(?:ed|ing)?|r[ai]ng|reach(?:ed)?"
    r"|hotline|voice ?mail|answer(?:ing|ed)?|whatsapp|sms|landline|contact(?:ed)?|text(?:ed)? me"
    r"|(?:my|her|his|their|our|your) number)\b",
    re.IGNORECASE,
)
_NAMED_JUST_BEFORE = re.compile(r"\b(?:phone|tel|mobile|fax|call|dial)(?: (?:me|us|on|at|is))?\W{1,3}$", re.IGNORECASE)
_NAMED_AFTER = re.compile(r"[\s,;(\-–]{1,3}(?:office|fax|mobile|cell|home|work|phone|tel)\b", re.IGNORECASE)
_OTHER_NUMBER = re.compile(
    r"\b(?:order|invoice|tracking|ref(?:erence)?|ticket|case|is[bs]n|serial|part|sku|policy|flight|pages?|pp|vol(?:ume)?"
    r"|patent|zip|postcode|card|licen[cs]e|version|account|iban|ssn|doi|id|model|room|section|score)\b[^.;\n]{0,24}$",
    re.IGNORECASE,
)
_BEFORE = 56  # characters within which a word names the number


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of phone numbers; a number may come more than once.

    A bare run of digits is more often an order number: it counts only where words name it.
    """
    for match in _CANDIDATE.finditer(text):
        start, end = match.span()
        value = match.group()
        if value.startswith("(") and ")" not in value:
            start, value = start + 1, value[1:]
        if value.count("(") != value.count(")") or value.endswith(")") or _DATE.search(value):
            continue
        named = _GROUPED.fullmatch(value) and _is_named(text, start, end)
        if named or _UNMISTAKABLE.fullmatch(value) or (_PUNCTUATED.match(value) and _is_planned(value)):
            yield start, end


def _is_named(text: str, start: int, end: int) -> bool:
    if sum(character.isdigit() for character in text[start:end]) < 7:
        return _NAMED_JUST_BEFORE.search(text, max(0, start - _BEFORE), start) is not None
    if _OTHER_NUMBER.search(text, max(0, start - _BEFORE), start):
        return False
    return bool(_NAMED_BEFORE.search(text, max(0, start - _BEFORE), start) or _NAMED_AFTER.match(text, end))


def _is_planned(value: str) -> bool:
    """Whether a numbering plan knows the number and writes its groups like this."""
    from phonenumbers import Leniency, PhoneNumberMatcher

    return any(
        match.raw_string == value
        for region in _REGIONS
        for match in PhoneNumberMatcher(value, region, Leniency.STRICT_GROUPING)
    )
