"""The kinds of personal data, and what is found of them in a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PiiKind(StrEnum):
    """What was found; the value is also what stands in its place."""

    IBAN = "iban"
    CARD = "card"
    SSN = "ssn"
    EMAIL = "email"
    PHONE = "phone"
    IP = "ip"
    DRIVER_LICENSE = "driver_license"
    URL = "url"
    DATE = "date"
    AGE = "age"
    NATIONALITY = "nationality"
    PERSON = "person"
    LOCATION = "location"
    ADDRESS = "address"
    ORGANIZATION = "organization"
    JOB_TITLE = "job_title"


SECRET_KINDS = frozenset({PiiKind.IBAN, PiiKind.CARD, PiiKind.SSN, PiiKind.DRIVER_LICENSE})
"""Kinds that no answer may carry, even where a source does."""

DEFAULT_KINDS = SECRET_KINDS | {PiiKind.EMAIL, PiiKind.PHONE, PiiKind.IP}
"""Kinds that hardly ever are found where there are none."""

LEARNED_KINDS = frozenset({PiiKind.PERSON, PiiKind.LOCATION, PiiKind.ADDRESS, PiiKind.ORGANIZATION, PiiKind.JOB_TITLE})
"""Kinds that have no form of their own: a tagger finds them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data at `text[start:end]`."""

    kind: PiiKind
    start: int
    end: int
