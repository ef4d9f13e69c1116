"""Sentences to teach the tagger of names with: templates filled with made-up people, places and firms of many countries.

Values are Faker's, country names are those of the CLDR (by Babel), place names those of the numbering plans
(by phonenumbers); all are made up or public.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from validation.pii_kinds import PiiKind

_LOCALES = (
    (
        "en_US en_GB en_IE en_IN en_NZ de_DE de_AT fr_FR fr_CA es_ES es_MX es_CO it_IT pt_BR pt_PT nl_NL da_DK no_NO sv_SE fi_FI"
        " is_IS? pl_PL cs_CZ sk_SK sl_SI hr_HR hu_HU ro_RO tr_TR et_EE lt_LT lv_LV id_ID az_AZ vi_VN"
    )
    .replace("?", "")
    .split()
)
_KINDS: Mapping[str, PiiKind] = {
    **dict.fromkeys(("person", "first", "last", "prefix"), PiiKind.PERSON),
    **dict.fromkeys(("place", "city", "country"), PiiKind.LOCATION),
    **dict.fromkeys(("address", "street", "zip"), PiiKind.ADDRESS),
    "org": PiiKind.ORGANIZATION,
    "job": PiiKind.JOB_TITLE,
}
_SLOT = re.compile(r"\{(\w+)\}")
_STREETS = (
    "{n} {last} Street|{n} {word} Road|{last} Avenue {n}|{word}straße {n}|{last}gata {n}|{word}vej {n}|Rua {first} {last} {n}"
    "|Calle {last} {n}|Via {first} {last} {n}|rue {last} {n}|{n} rue de la {word}|{last}laan {n}|ul. {last} {n}|{last} u. {n}."
    "|{word}veien {n}|{word}vägen {n}|P.O. Box {n}|PO Box {n}|{n} {last} Lane|{n} {last} St|{word}gasse {n}|{last}katu {n}"
    "|Av. {last} {n}|{n} {word} Drive|{n} {n}th Street|Avenida {first} {last} {n}|{last} tér {n}|{word} {n}|{last} Boulevard"
    "|Unit {n} Box {n}|{n}, {last} Close|{word} Crescent {n}|nábřeží {last} {n}|{last}ova {n}|Place {last} {n}|{last}plein {n}"
).split("|")
_ADDRESSES = (
    "{street}, {city}|{street}, {city}, {country}|{street}, {city} {zip}|{street}\n{city}\n{country}|{n} {street}, {city}"
    "|{street}\n {unit}\n {city}\n {country} {zip}|{street} {unit} {city} {country}|{street} {unit}, {city}, {country} {zip}"
    "|{street}\n{zip} {city}|{street}, {zip} {city}|{unit}, {street}, {city}|{street} {city} {country}|{street}\n{city}, {st} {zip}"
    "|{street}|{street} {unit}|{n} {street}\n{city}\n, {st}\n {zip}|{n} {street}\n{unit}\n{city}\n{country}"
    "|PSC {n}, Box {n}\nAPO {st} {zip}|the corner of {street} and {street}"
).split("|")
_ORGANIZATIONS = (
    "{last} {legal}|{last}-{last}|{last}, {last} and {last}|{last} and {last}|{last} & {last}|{last} {field}|{city} {field}"
    "|{fused}|{fused}|{fused} {legal}|{word} {field}|{word} {word} {legal}|{field} of {country}|Department of {field}|{fused}.com"
    "|{last} {field} {legal}|{abbreviation}|University of {city}|{city} University|{first} {last} {field}|The {word} {word}"
    "|{word} {word}|Ministry of {field}|Bank of {city}|{last} Bank|{word} for {field}"
).split("|")
_LEGAL = "Inc|Inc.|LLC|Ltd|Ltd.|Corp.|Corporation|GmbH|AG|PLC|Group|& Sons|Company|Co.|S.A.|Holdings|Partners".split(
    "|"
)
_FIELDS = (
    "Insurance|Energy|Systems|Motors|Foods|Bank|Technologies|Health|Airlines|Logistics|Media|Software|Council|Institute"
    "|Foundation|Hospital|Financial|Trust|Pharmaceuticals|Data|Analytics|Networks|Solutions|Studios|Records|Association"
    "|Agency|Commission|Education|Justice|Transportation|Museum|Library|Federation|Laboratories|Capital|Mutual|Credit Union"
).split("|")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and what is personal in it: (start, end, kind), in order."""

    text: str
    spans: tuple[tuple[int, int, PiiKind], ...]


class MadeUpSentences:
    """Fills templates. `words` are ordinary words, of which names of firms and streets are made too."""

    def __init__(self, words: Sequence[str], seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._words = words
        self._templates = [
            line.replace("\\n", "\n")
            for line in (Path(__file__).parent / "pii_templates.txt").read_text("utf-8").splitlines()
            if line and not line.startswith("#")
        ]
        self._names = _people(seed)
        self._places = _places()
        self._countries = _countries()
        self._jobs = _jobs()

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
        pick = self._random.choice
        match slot:
            case "first" | "last":
                return pick(self._names[slot])
            case "person":
                return self._person()
            case "prefix":
                return pick(("Mr.", "Mrs.", "Ms.", "Miss", "Dr.", "Mr", "Mrs", "Prof."))
            case "country":
                return pick(self._countries)
            case "city":
                return pick(self._places).upper() if self._random.random() < 0.15 else pick(self._places)
            case "place":
                return self.value(pick(("country", "city")))
            case "org":
                return self._expand(pick(_ORGANIZATIONS))
            case "street":
                return self._expand(pick(_STREETS))
            case "address":
                return self._expand(pick(_ADDRESSES))
            case "job":
                return pick(self._jobs)
            case "legal":
                return pick(_LEGAL)
            case "field":
                return pick(_FIELDS)
            case "word":
                return pick(self._words).capitalize()
            case "fused":
                return pick(self._words).capitalize() + pick(
                    (pick(self._words), pick(("ly", "ify", "io", "era", "ix")))
                )
            case "abbreviation":
                return "".join(pick("ABCDEFGHIKLMNOPRSTUVW") for _ in range(self._random.randint(3, 4)))
        return self._number(slot)

    def _number(self, slot: str) -> str:
        number = self._random.randint
        match slot:
            case "n":
                return str(number(1, 10 ** number(1, 4)))
            case "zip":
                return f"{number(0, 99999):05d}"
            case "unit":
                return f"{self._random.choice(('Apt.', 'Suite', 'Unit', 'Apartment', 'Flat'))} {number(1, 999)}"
            case "st":
                return "".join(self._random.choices("ABCDEFGHIKLMNOPRSTUVWY", k=2))
            case "date":
                return f"{number(1, 12)}/{number(1, 28)}/{number(1930, 2024)}"
            case "weekday":
                return self._random.choice(
                    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
                )
            case "phone":
                return f"{number(200, 999)}-{number(200, 999)}-{number(0, 9999):04d}"
            case "email":
                return f"{self._random.choice(self._words)}@example.org"
            case "url":
                return f"https://www.{self._random.choice(self._words)}.com/"
            case "ip":
                return f"{number(11, 220)}.{number(0, 255)}.{number(0, 255)}.{number(1, 254)}"
            case "ssn":
                return f"{number(100, 600)}-{number(10, 99)}-{number(1000, 9999)}"
            case "card":
                return "4111111111111111"
            case "nrp":
                return self._random.choice(
                    ("American", "German", "French", "Thai", "Brazilian", "Kenyan", "Polish", "Dutch")
                )
        raise ValueError(f"no value for the slot {slot!r}: write it without a typing error")

    def _person(self) -> str:
        first, last = self.value("first"), self.value("last")
        return self._random.choice(
            (f"{first} {last}",) * 6
            + (
                f"{first} {self.value('last')[0]}. {last}",
                f"{first} {last}-{self.value('last')}",
                f"{first} {self.value('first')} {last}",
                f"{first} van {last}",
                f"{first} {last} MD",
                f"{first} {last} {self.value('last')}",
            )
        )

    def _expand(self, pattern: str) -> str:
        return _SLOT.sub(lambda match: self.value(match.group(1)), pattern)


def _people(seed: int) -> dict[str, list[str]]:
    from faker import Faker

    names: dict[str, list[str]] = {"first": [], "last": []}
    for locale in _LOCALES:
        fake = Faker(locale)
        fake.seed_instance(seed)
        names["first"] += sorted({fake.first_name() for _ in range(250)})
        names["last"] += sorted({fake.last_name() for _ in range(250)})
    return {slot: [name for name in found if name.isascii() or _is_latin(name)] for slot, found in names.items()}


def _places() -> list[str]:
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
