"""The words of a few languages: which one a text is in, what in it says nothing, what denies, and stems.

Snowball's stemmers do Latin, Arabic, Cyrillic, Greek and Devanagari words. Chinese, Japanese, Thai and other scripts
without spaces have no words to stem: they are compared by pairs of characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

_FUNCTION_WORDS = {
    "english": """
        a about above after all also an and any are as at be been being below both but by can could did do does each
        every for from had has have he her here hers him his how i if in into is it its itself just may me might more
        most must my no nor not of off on once only or other our out over own per same shall she should so some such
        than that the their them then there these they this those through to too under until up upon very was we were
        what when where which while who whom whose why will with would you your yours cannot without never none neither
    """,
    "german": """
        aber alle als also am an auch auf aus bei beim bis da dann das dass dem den der des die dies diese dieser dieses
        du durch ein eine einem einen einer eines er es für hat haben hatte hatten hier ich ihr ihre im in ins ist kann
        kein keine keinen können man mit nach nicht noch nur oder ohne sein seine sich sie sind so über um und uns unter
        vom von vor war waren was weder wegen wenn wer werden wie wir wird wo worden wurde wurden zu zum zur zwischen
    """,
    "spanish": """
        a al ante como con cual cuál cuando cuándo de del desde donde dónde el ella en entre era es esta este esto está
        están fue fueron ha han hasta hay la las le les lo los más muy ni no o para pero por porque que qué quién se ser
        si sin sobre son su sus también tiene tienen un una unos unas y ya cuántos cuántas cómo
    """,
    "french": """
        a à au aux avec ce ces cette comme dans de des du elle en entre est et était étaient être il ils la le les leur
        lui mais même n'est ne non nous on ont ou où par pas plus pour qu que quel quelle qui sa sans se ses son sont
        sur un une y combien quand comment
    """,
    "italian": """
        a ai al alla alle anche che chi ci come con cosa da dal dalla dei del della delle di dove e è era gli ha hanno
        i il in la le lo ma nel nella nelle non o per più quale quando quanto quanti se si sono stata stato su sul sulla
        tra un una uno
    """,
    "portuguese": """
        a à ao aos as até com como da das de do dos e é ela ele em entre era essa esse esta este foi foram há mais mas
        na nas não no nos o os ou para pela pelo por qual quando que quem se sem ser são seu sua também um uma
    """,
    "dutch": """
        aan als bij dat de deze die dit door een en er haar heeft het hij hoe in is kan maar met naar niet nog of om
        onder ook op over te tot uit van veel voor waar wanneer was wat welke werd wie wordt zijn ze
    """,
}
_FILLERS = frozenset(
    """
    according absolutely answer based certainly context course document documents hello hi information mentioned okay
    passage please provided question source sources stated states sure text thank thanks therefore thus welcome
    laut quelle quellen gemäß antwort natürlich gerne bitte danke
    في من على إلى عن مع هذا هذه ذلك التي الذي أن إن كان كانت هو هي ما هل كم متى أين كيف و أو قد تم بين
    """.split()  # noqa: SIM905 (a list to read)
)
_DENIALS = {
    "english": r"not|no|never|none|nobody|nothing|neither|nor|without|cannot|hardly|\w+n['’]t",
    "german": r"nicht|nie|niemals|kein\w*|ohne|weder|nichts|niemand",
    "spanish": r"no|nunca|jamás|ningun[oa]|ningún|sin|tampoco|nadie|nada",
    "french": r"pas|jamais|aucune?|sans|n['’]\w+|ne",
    "italian": r"non|mai|senza|nessun[oa]?",
    "portuguese": r"não|nunca|jamais|nenhuma?|sem|ninguém",
    "dutch": r"niet|geen|nooit|zonder|niemand",
}
_OTHER_DENIALS = (
    r"|(?<!\w)(?:لا|لم|لن|ليس|ليست|ليسوا|بدون|دون)(?!\w)|没有|没|未|不是|不能|不会|不可|不允许|無|ません|ない"
)
_NO_DENIAL = re.compile(
    r"\bnot (?:only|just|merely|necessarily)\b|\bno (?:later|more|less|fewer|earlier|sooner|longer than) than\b"
    r"|\b(?:nicht nur|nicht zuletzt|no s[oó]lo|no solamente|pas seulement|non solo|niet alleen)\b",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]+")
_SCRIPTS = (
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("russian", re.compile(r"[\u0400-\u04ff]")),
    ("greek", re.compile(r"[\u0370-\u03ff]")),
    ("hindi", re.compile(r"[\u0900-\u097f]")),
)
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Character ranges of the scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana and ideographs."""

_PARTICLES = re.compile(r"[的了是在也都就而这那被把与及の はがをにで]")
_STOP_WORDS = {language: frozenset(words.split()) | _FILLERS for language, words in _FUNCTION_WORDS.items()}


@lru_cache(maxsize=4096)
def language_of(text: str) -> str:
    """Return the language of `text` by its most frequent function words: "english" where none tells.

    >>> language_of("Die Hütte öffnet am 1. Mai.")
    'german'
    """
    words = [word.casefold() for word in _LETTERS.findall(text[:1000])]
    counts = {language: sum(word in stop for word in words) for language, stop in _STOP_WORDS.items()}
    return max(counts, key=counts.__getitem__)


def says_nothing(word: str, language: str) -> bool:
    """Whether `word`, case folded, is a function word, or one that answers are padded with."""
    return word in _STOP_WORDS[language]


def denies(text: str, language: str) -> bool:
    """Whether `text` denies something: "not only" and "no later than" do not."""
    return bool(_denial(language).search(_NO_DENIAL.sub(" ", text)))


@lru_cache(maxsize=32768)
def stem(word: str, language: str) -> str:
    """Return the stem of `word`, by the rules of its script's language where it is not in Latin letters."""
    return _stemmer(next((name for name, script in _SCRIPTS if script.match(word)), language))(word)


def character_pairs(run: str) -> Iterator[str]:
    """Yield the pairs of neighbours in `run`, text of a script without spaces, as its words; a lone character is one.

    Particles part the run, so that no pair spans one.
    """
    for part in _PARTICLES.split(run):
        if len(part) == 1:
            yield part
        yield from (part[at : at + 2] for at in range(len(part) - 1))


@lru_cache(maxsize=16)
def _denial(language: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_DENIALS[language]})\b{_OTHER_DENIALS}", re.IGNORECASE)


@lru_cache(maxsize=16)
def _stemmer(language: str) -> Callable[[str], str]:
    import Stemmer

    word: Callable[[str], str] = Stemmer.Stemmer(language).stemWord
    return word
