"""Secrets in text: keys with a form of their own, private keys, tokens, and values given to a secret's name.

The forms are those that the issuers publish. Samples as documentation shows them ("your-api-key", "sk-...") pass, as
do hashes and UUIDs that nothing calls a secret. Every expression repeats within bounds.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_ISSUED = {
    "aws_key": r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    "github_token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b",
    "gitlab_token": r"\bgl(?:pat|dt|rt|cbt)-[\w-]{20,255}",
    "slack_token": r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,255}|hooks\.slack\.com/services/[\w/]{20,120}",
    "stripe_key": r"\b(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,255}\b",
    "anthropic_key": r"\bsk-ant-[\w-]{20,255}",
    "openai_key": r"\bsk-(?:proj-|svcacct-|admin-)?(?=[\w-]{0,60}[0-9])[A-Za-z0-9_-]{20,255}",
    "google_key": r"\bAIza[\w-]{35}(?![\w-])|\bGOCSPX-[\w-]{28}|\bya29\.[\w-]{20,255}",
    "huggingface_token": r"\bhf_[A-Za-z0-9]{30,60}\b",
    "package_token": r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgE[\w-]{50,255}",
    "sendgrid_key": r"\bSG\.[\w-]{16,32}\.[\w-]{30,64}",
    "cloud_token": r"\b(?:dop_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|key-[0-9a-f]{32})\b",
    "telegram_token": r"(?<![\w:])[0-9]{8,10}:AA[\w-]{33}(?![\w-])",
    "azure_key": r"\bAccountKey=[A-Za-z0-9+/]{40,100}={0,2}",
    "jwt": r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,1000}",
    "private_key": (
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]|-(?!----END)){0,20000}(?:-----END [A-Z ]{0,40}-----)?"
    ),
}
_FORMS = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _ISSUED.items()))
# One of these is in every one of them: a search for plain strings spares most texts the expressions.
_HINTS = re.compile(
    r"A[KSBC][IC]A|gh[pousr]_|hub_pat|gl(?:pat|dt|rt|cbt)-|xox|xapp-|hooks\.sl|[rs]k_|whsec|sk-|AIza|GOCSPX|ya29|hf_|npm_"
    r"|pypi-|SG\.|dop_|dapi|shp|key-|:AA|AccountKey|eyJ|PRIVATE KEY"
)
_AUTHORIZATION = re.compile(r"\b(?:bearer|basic|token)\s{1,3}(?P<value>[\w.~+/-]{16,2000}={0,2})", re.IGNORECASE)
_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{1,64}:(?P<value>[^\s/@\"'<>]{3,128})@", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?P<name>pass(?:word|wd|phrase|code)|passwort|pwd|secret|token"
    r"|(?:api|access|account|private)[_ -]?key|credentials?)(?P<rest>[\w-]{0,24})[\"'`*]{0,3}"
    r"(?:\s{0,3}(?::=|=>|==?|:)|\s{1,3}(?:is|was|ist|lautet):?\s)\s{0,3}"
    r"[\"'`*]{0,3}(?P<value>[^\s\"'`<>]{6,200})",
    re.IGNORECASE,
)
_NAMES = ("pass", "pwd", "secret", "token", "key", "credential")
_SAMPLE = re.compile(
    r"your|example|sample|x{3}|\*{3}|\.{2,}|…|placeholder|change-?me|dummy|my[_-]|[_-]here|redact|[$%({]|environ|getenv"
    r"|process\.env|^[A-Z]+(?:_[A-Z]+)+$|^(?:https?:|/|\./)|^(?:sha|md|utf|base|aes|rsa)-?[0-9]|^\[",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"hash|digest|id$|count|limit|length|max|min|type|name|file|path|url|uri|ttl|expir|policy|[_-]at$|s$", re.I
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LEAST_BITS = (
    2.6  # Shannon entropy per character; "aaaaaa1" has 0.6, "correct1" 2.5, "Sommer2024" 2.6 and random keys 3.5 up
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret at `text[start:end]`; `kind` is what it opens, such as "github_token"."""

    kind: str
    start: int
    end: int


def find_secrets(text: str) -> tuple[Secret, ...]:
    """Return what was found in order of position, without overlaps."""
    found: list[Secret] = []
    for secret in sorted(_candidates(text), key=lambda secret: (secret.start, -secret.end)):
        if not found or found[-1].end <= secret.start:
            found.append(secret)
    return tuple(found)


def _candidates(text: str) -> Iterator[Secret]:
    if _HINTS.search(text):
        for match in _FORMS.finditer(text):
            if match.lastgroup == "private_key" or not _SAMPLE.search(match.group()):
                yield Secret(str(match.lastgroup), *match.span())
    folded = text.casefold()
    if any(word in folded for word in ("bearer", "basic", "token")):
        for match in _AUTHORIZATION.finditer(text):
            if _is_random(match["value"]):
                yield Secret("authorization", *match.span("value"))
    if "://" in text:
        for match in _IN_URL.finditer(text):
            if not _SAMPLE.search(match["value"]) and match["value"].casefold() not in ("password", "pass", "secret"):
                yield Secret("password", *match.span("value"))
    if any(word in folded for word in _NAMES):
        yield from _assigned(text)


def _assigned(text: str) -> Iterator[Secret]:
    for match in _ASSIGNED.finditer(text):
        start, end = match.span("value")
        end = start + len(match["value"].rstrip(".,;:)*]}"))
        value = text[start:end]
        if len(value) < 6 or _SAMPLE.search(match["value"]) or _NO_SECRET.search(match["rest"]):
            continue
        if match["name"].casefold().startswith(("pass", "pwd")):
            if _is_password(value):
                yield Secret("password", start, end)
        elif len(value) >= 12 and _is_random(value):
            yield Secret("secret", start, end)


def _is_password(value: str) -> bool:
    """Whether it mixes letters with digits or signs, as prose does not."""
    letters = any(character.isalpha() for character in value)
    others = sum(not character.isalpha() and character not in "-'’/_,." for character in value)
    return letters and others > 0 and not _SAMPLE.search(value) and _bits(value) > 2


def _is_random(value: str) -> bool:
    mixed = any(character.isdigit() for character in value) and any(character.isalpha() for character in value)
    return mixed and not (_SAMPLE.search(value) or _UUID.fullmatch(value)) and _bits(value) >= _LEAST_BITS


def _bits(value: str) -> float:
    """Shannon entropy of the characters of `value`, in bits per character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
