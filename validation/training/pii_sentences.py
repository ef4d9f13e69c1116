"""Sentences to teach the tagger of names with: templates filled with people, places and firms of many countries.

Values are Faker's, country names are those of the CLDR (by Babel), place names those of the numbering plans
(by phonenumbers); all are made up or public.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from validation.personal_data.pii_kinds import PiiKind

_LOCALES = (
    "en_US en_GB en_IE en_IN en_NZ de_DE de_AT fr_FR fr_CA es_ES es_MX es_CO it_IT pt_BR pt_PT nl_NL da_DK no_NO sv_SE"
    " fi_FI is_IS pl_PL cs_CZ sk_SK sl_SI hr_HR hu_HU ro_RO tr_TR et_EE lt_LT lv_LV id_ID az_AZ vi_VN"
)
_KINDS: Mapping[str, PiiKind] = {
    **dict.fromkeys(("person", "first", "last", "prefix"), PiiKind.PERSON),
    **dict.fromkeys(("place", "city", "country"), PiiKind.LOCATION),
    **dict.fromkeys(("address", "street", "zip"), PiiKind.ADDRESS),
    "org": PiiKind.ORGANIZATION,
    "job": PiiKind.JOB_TITLE,
}
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and what is personal in it: (start, end, kind), in order."""

    text: str
    spans: tuple[tuple[int, int, PiiKind], ...]


class MadeUpSentences:
    """Fills templates. `words` are ordinary words, of which names of firms and streets are made too."""

    def __init__(self, words: Sequence[str], seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._templates = _lines("pii_templates.txt")
        self._parts = _parts()
        self._names = {
            **_people(seed),
            "country": _countries(),
            "town": _towns(),
            "job": _jobs(),
            "word": [word.capitalize() for word in words],
            "small": list(words),
        }

    def make(self, rounds: int) -> list[Sentence]:
        """Return every template filled `rounds` times."""
        return [self.fill(template) for _ in range(rounds) for template in self._templates]

    def fill(self, template: str) -> Sentence:
        """Return `template` with each slot filled; some all in lower case, as people type."""
        text, spans, last = "", [], 0
        lower = self._random.random() < 0.15
        for match in _SLOT.finditer(template):
            text += template[last : match.start()]
            value = self.value(match.group(1))
            if kind := _KINDS.get(match.group(1)):
                spans.append((len(text), len(text) + len(value), kind))
            text, last = text + value, match.end()
        text += template[last:]
        lowered = text.lower()
        return Sentence(lowered if lower and len(lowered) == len(text) else text, tuple(spans))

    def swap(self, sentence: Sentence, share: float) -> Sentence:
        """Return `sentence` with about this share of its names exchanged for others of their kind."""
        text, spans, last = "", [], 0
        for start, end, kind in sentence.spans:
            text += sentence.text[last:start]
            old = sentence.text[start:end]
            value = self._like(old, kind) if self._random.random() < share else old
            spans.append((len(text), len(text) + len(value), kind))
            text, last = text + value, end
        return Sentence(text + sentence.text[last:], tuple(spans))

    def _like(self, old: str, kind: PiiKind) -> str:
        if kind is PiiKind.PERSON and " " in old:
            new = self.value("person")
        elif kind is PiiKind.PERSON and not old.endswith("."):
            new = self.value(self._random.choice(("first", "last")))
        elif kind is PiiKind.LOCATION:
            new = self.value("place")
        elif kind is PiiKind.ORGANIZATION:
            new = self.value("org")
        elif kind is PiiKind.JOB_TITLE:
            new = self.value("job")
        else:
            return old
        return new.lower() if old.islower() else new

    def value(self, slot: str) -> str:
        """Return something for this slot."""
        if slot in self._names:
            return self._random.choice(self._names[slot])
        if slot in self._parts:
            pattern = self._random.choice(self._parts[slot])
            return _SLOT.sub(lambda match: self.value(match.group(1)), pattern)
        if slot == "place":
            return self.value(self._random.choice(("country", "city")))
        if slot == "city":
            return self.value("town").upper() if self._random.random() < 0.15 else self.value("town")
        return self._number(slot)

    def _number(self, slot: str) -> str:
        number, letters = self._random.randint, "ABCDEFGHIKLMNOPRSTUVWY"
        match slot:
            case "n":
                return str(number(1, 10 ** number(1, 4)))
            case "zip":
                return f"{number(0, 99999):05d}"
            case "initial":
                return self._random.choice(letters)
            case "st":
                return "".join(self._random.choices(letters, k=2))
            case "abbreviation":
                return "".join(self._random.choices(letters, k=number(3, 4)))
            case "date":
                return f"{number(1, 12)}/{number(1, 28)}/{number(1930, 2024)}"
            case "phone":
                return f"{number(200, 999)}-{number(200, 999)}-{number(0, 9999):04d}"
            case "ip":
                return f"{number(11, 220)}.{number(0, 255)}.{number(0, 255)}.{number(1, 254)}"
            case "ssn":
                return f"{number(100, 600)}-{number(10, 99)}-{number(1000, 9999)}"
        raise ValueError(f"no value for the slot {slot!r}: write it without a typing error")


def _lines(name: str) -> list[str]:
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in lines if line and not line.startswith("#")]


def _parts() -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for line in _lines("pii_parts.txt"):
        if line.startswith("["):
            current = parts.setdefault(line.strip("[]"), [])
        else:
            current.append(line)
    return parts


def _people(seed: int) -> dict[str, list[str]]:
    from faker import Faker

    names: dict[str, list[str]] = {"first": [], "last": []}
    for locale in _LOCALES.split():
        fake = Faker(locale)
        fake.seed_instance(seed)
        names["first"] += sorted({fake.first_name() for _ in range(250)})
        names["last"] += sorted({fake.last_name() for _ in range(250)})
    return {slot: [name for name in found if name.isascii() or _is_latin(name)] for slot, found in names.items()}


def _towns() -> list[str]:
    from phonenumbers.geodata import GEOCODE_DATA

    names = {
        part.strip().split(" - ")[0]
        for described in GEOCODE_DATA.values()
        for part in described.get("en", "").split(",")
        if "/" not in part and "(" not in part
    }
    return sorted(name for name in names if len(name) > 2 and not re.search(r"\d", name))


def _countries() -> list[str]:
    from babel import Locale

    territories = Locale("en").territories
    return sorted(name for code, name in territories.items() if code.isalpha())


def _jobs() -> list[str]:
    from faker.providers.job import Provider

    jobs = [job.split(",")[0].split("/")[0] for job in Provider.jobs]
    return sorted({job for name in jobs for job in (name, name.lower()) if len(job) > 4})


def _is_latin(name: str) -> bool:
    return all(ord(character) < 0x250 for character in name)
