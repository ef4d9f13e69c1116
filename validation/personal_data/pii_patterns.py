"""Personal data that has a form of its own: found by shape, kept where a checksum, a plan or the words around it agree.

Checksums are python-stdnum's. Every expression repeats within bounds, so that time grows with the text's length alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from ipaddress import ip_address
from types import MappingProxyType

from validation.personal_data.pii_kinds import Finding, PiiKind
from validation.personal_data.pii_nationalities import NATIONALITY
from validation.personal_data.pii_phones import find_phones

_DIGIT = re.compile(r"[0-9]")
_EMAIL = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_IBAN = re.compile(r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE)
_CARD = re.compile(r"(?<![\d.])[2-6][0-9]{3}(?:[ -]?[0-9]){9,15}(?![\d.]?\d)")
# Prefixes and lengths of the schemes (ISO/IEC 7812): Visa, Mastercard, American Express, Diners, Discover and so on
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,13}"
    r"|(?:6011|6[245]\d\d|5018|50[23]\d|5[678]\d\d|6[37]\d\d)\d{8,15}"
)
_SSN = re.compile(r"(?<![\d-])[0-9]{3}([- ])[0-9]{2}\1[0-9]{4}(?![\d-])")
_SSN_NAMED = re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.:/-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.\d|[-/]\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:/])", re.IGNORECASE)
_OUTLINE = re.compile(r"[0-9](?:\.[0-9]){3}")  # 1.2.1.6 is a section or a version
_VERSION = re.compile(r"\b(?:version|release|build|v|section|chapter|clause|article|§)\.?\s{0,3}$", re.IGNORECASE)
_LICENSE = re.compile(r"\b(?:driv\w{0,4}(?:['’]?s)?|driving) licen[cs]e|\bDL\b", re.IGNORECASE)
_LICENSE_NUMBER = re.compile(r"(?<![\w-])(?=[A-Z]{0,3}-?[0-9])[A-Z0-9][A-Z0-9-]{5,18}[A-Z0-9](?![\w-])", re.IGNORECASE)
_LICENSE_REACH = 60  # characters between the words and the number
_URL = re.compile(
    r"\bhttps?://[^\s<>\"'\[\]{}|\\^`]{3,500}|\bwww\.(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24}\b(?:/[^\s<>\"']{0,300})?"
    r"|(?<![\w@.-])(?:[a-z0-9][a-z0-9-]{0,62}\.){1,4}(?:com|org|net|edu|gov|info|biz|io|dev|co\.uk|de|fr|ch)\b(?:/[^\s<>\"']{0,300})?",
    re.IGNORECASE,
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = re.compile(
    r"(?<![\d/.-])(?:[0-9]{1,2}([/.-])[0-9]{1,2}\1(?:[0-9]{4}|[0-9]{2})|(?:1[89]|2[0-9])[0-9]{2}([-/.])[0-9]{1,2}\2[0-9]{1,2})"
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?(?!\d|[/.-]\d)"
    rf"|\b[0-9]{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b(?:,? (?:1[89]|2[0-9])[0-9]{{2}}\b)?"
    rf"|\b{_MONTH}\.? (?:[0-9]{{1,2}}(?:st|nd|rd|th)?\b(?:,? (?:1[89]|2[0-9])[0-9]{{2}}\b)?"
    r"|(?:1[89]|2[0-9])[0-9]{2}\b)"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"\b[0-9]{1,3}(?:[- ]years?[- ]olds?\b| years of age\b| ?y/o\b)|(?<=\baged )[0-9]{1,3}\b|(?<=\bage )[0-9]{1,3}\b",
    re.IGNORECASE,
)


def find_patterns(text: str) -> Iterator[Finding]:
    """Yield what has the form of any kind that is not learned; the more specific kinds first. They may overlap."""
    for kind in _FINDERS:
        yield from find_kind(text, kind)


def find_kind(text: str, kind: PiiKind) -> Iterator[Finding]:
    """Yield what has the form of `kind`; nothing for a learned kind."""
    finder = _FINDERS.get(kind)
    if finder and (kind not in _NUMERIC or _DIGIT.search(text)):
        for start, end in finder(text):
            yield Finding(kind, start, end)


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from _spans(_EMAIL, text)


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import iban

    for match in _IBAN.finditer(text):
        candidate = match.group()
        while len(candidate) >= 15:  # words after the number look like its last groups: try without them
            if iban.is_valid(candidate):
                yield match.start(), match.start() + len(candidate)
                break
            candidate = candidate.rpartition(" ")[0]


def _cards(text: str) -> Iterator[tuple[int, int]]:
    from stdnum import luhn

    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if _ISSUED.fullmatch(digits) and luhn.is_valid(digits):
            yield match.span()


def _ssns(text: str) -> Iterator[tuple[int, int]]:
    from stdnum.us import ssn

    for match in _SSN.finditer(text):
        named = match.group(1) == "-" or _SSN_NAMED.search(text, max(0, match.start() - 40), match.start())
        if named and ssn.is_valid(match.group().replace(" ", "-")):
            yield match.span()


def _ips(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if _is_someones(match.group()) and not _VERSION.search(text, max(0, match.start() - 12), match.start()):
                yield match.span()


def _is_someones(value: str) -> bool:
    """Whether it is an address that a machine can be reached by from another one."""
    try:
        address = ip_address(value)
    except ValueError:
        return False
    outline = _OUTLINE.fullmatch(value) is not None
    return not (outline or address.is_loopback or address.is_unspecified or address.is_multicast or value[:4] == "255.")


def _licenses(text: str) -> Iterator[tuple[int, int]]:
    for words in _LICENSE.finditer(text):
        for match in _LICENSE_NUMBER.finditer(text, words.end(), words.end() + _LICENSE_REACH):
            if sum(character.isdigit() for character in match.group()) >= 5:
                yield match.span()
                break


def _urls(text: str) -> Iterator[tuple[int, int]]:
    if "." in text:
        for match in _URL.finditer(text):
            yield match.start(), match.start() + len(match.group().rstrip(".,;:!?)"))


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in pattern.finditer(text))


_NUMERIC: Mapping[PiiKind, Callable[[str], Iterator[tuple[int, int]]]] = MappingProxyType(
    {
        PiiKind.IBAN: _ibans,
        PiiKind.CARD: _cards,
        PiiKind.SSN: _ssns,
        PiiKind.IP: _ips,
        PiiKind.DRIVER_LICENSE: _licenses,
        PiiKind.PHONE: find_phones,
        PiiKind.AGE: partial(_spans, _AGE),
    }
)
_FINDERS: Mapping[PiiKind, Callable[[str], Iterator[tuple[int, int]]]] = MappingProxyType(
    {
        PiiKind.EMAIL: _emails,
        PiiKind.URL: _urls,
        **_NUMERIC,
        PiiKind.DATE: partial(_spans, _DATE),
        PiiKind.NATIONALITY: partial(_spans, NATIONALITY),
    }
)
