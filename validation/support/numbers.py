"""Numbers and months as they are written in a few languages, made comparable by their value."""

from __future__ import annotations

import re
import unicodedata

_COUNTS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
    " nineteen twenty",
    "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn"
    " neunzehn zwanzig",
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince",
    "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze",
)
_AMBIGUOUS = frozenset({"once"})  # an English word too
_TENS = "thirty forty fifty sixty seventy eighty ninety", "dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"
_MONTH_NAMES = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
)
_CAPITALISED = frozenset({"may", "mar", "dec", "sep"})  # other words when in small letters
_NUMBERS = {word: str(number) for words in _COUNTS for number, word in enumerate(words.split(), start=2)}
_NUMBERS |= {
    word: str(number) for words in _TENS for number, word in zip(range(30, 100, 10), words.split(), strict=True)
}
_MONTHS = {name: f"month-{number}" for names in _MONTH_NAMES for number, name in enumerate(names.split(), start=1)}
_SCALES = {
    **dict.fromkeys(("thousand", "tausend", "mil", "mille"), 3),
    **dict.fromkeys(("million", "millions", "millionen", "millón", "millones", "milioni", "milhões", "miljoen"), 6),
    **dict.fromkeys(("billion", "billions", "milliarde", "milliarden", "milliard", "milliards", "miljard"), 9),
}
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_WIDE_DATE = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(?:(\d{1,2})[日号])?")
_THOUSANDS = re.compile(r"^\d{1,3}(?:[,'’.]\d{3})+$")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|º|ª|er|ème)\b", re.IGNORECASE)
_LIST_MARKER = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_DOTTED_DAY = re.compile(rf"(?<=\d)\.\s+(?=(?:{'|'.join(_MONTH_NAMES[2].split())})\b)", re.IGNORECASE)
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_JOINED_DATE = re.compile(r"(?<=\d)\s+(?:of|de|del|di)\s+(?=[^\W\d_])", re.IGNORECASE)
_SCALED = re.compile(rf"(?<![\w.,])(\d+(?:[.,]\d+)?)[ -]?({'|'.join(sorted(_SCALES, key=len, reverse=True))})\b", re.I)


def spell_numbers(text: str) -> str:
    """Return `text` with dates as "1 May 2024", scaled numbers in digits, in digits of the West, without a list's mark.

    >>> spell_numbers("2. From 2024-05-01 they cost 1.5 million.")
    'From 1 May 2024 they cost 1500000.'
    """
    plain = _LIST_MARKER.sub("", unicodedata.normalize("NFKC", text))
    plain = _OTHER_DIGIT.sub(lambda match: str(unicodedata.digit(match.group())), plain)
    plain = _ISO_DATE.sub(_iso_date, plain)
    if "月" in plain:
        plain = _WIDE_DATE.sub(_wide_date, plain)
    return _SCALED.sub(_scaled, _JOINED_DATE.sub(" ", _DOTTED_DAY.sub(" ", _ORDINAL.sub("", plain))))


def number_of(token: str) -> str:
    """Return a number in digits by its value: no thousands separators, no leading or hollow zeros.

    >>> number_of("1,500"), number_of("09:30"), number_of("12.0")
    ('1500', '9.30', '12')
    """
    if _THOUSANDS.match(token):
        return re.sub(r"\D", "", token)
    whole, *rest = re.split(r"[.,:'’]", token)
    while len(rest) == 1 and not rest[0].strip("0"):
        rest.pop()
    return ".".join([whole.lstrip("0") or "0", *rest])


def number_word(word: str) -> str:
    """Return the number that `word`, case folded, stands for, as digits; empty when it is none."""
    return "" if word in _AMBIGUOUS else _NUMBERS.get(word, "")


def month_of(word: str) -> str:
    """Return "month-5" for May in any of the languages; empty for what is no month, as "may" in small letters.

    >>> month_of("May"), month_of("may"), month_of("mayo")
    ('month-5', '', 'month-5')
    """
    folded = word.casefold()
    other = not word[0].isupper() if folded in _CAPITALISED else folded == "mars" and word[0].isupper()
    return "" if other else _MONTHS.get(folded, "")


def _iso_date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{int(day)} {_month_name(month)} {year}"


def _wide_date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f" {int(day) if day else ''} {_month_name(month)} {year or ''} "


def _month_name(month: str) -> str:
    names = _MONTH_NAMES[0].split()
    return names[int(month) - 1].title() if 1 <= int(month) <= 12 else month


def _scaled(match: re.Match[str]) -> str:
    value = match.group(1).replace(",", ".")
    if value.count(".") and len(value.split(".")[1]) > _SCALES[match.group(2).lower()]:
        return match.group()
    whole, _, part = value.partition(".")
    return f"{whole}{part}".lstrip("0") + "0" * (_SCALES[match.group(2).lower()] - len(part))
