"""The language of a text, by py3langid: a model of 5 MB that travels in its package."""

from __future__ import annotations

from functools import lru_cache

from retrieval.sparse.snowball_stems import SNOWBALL

_SAMPLE = 400  # characters; more do not make it surer
_SURE = 0.5
_SAME = {"nb": "no", "nn": "no"}
LANGUAGES = (
    *SNOWBALL,
    "zh",
    "ja",
    "ko",
    "th",
    "he",
    "uk",
    "bg",
    "sk",
    "sl",
    "hr",
    "lv",
    "vi",
    "ur",
    "bn",
    "ka",
)  # ISO 639-1


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language that the text begins in; English where it is hard to say."""
    sample = text[:_SAMPLE]
    if not any(map(str.isalpha, sample)):
        return "en"
    language, probability = _classify(sample)
    return _SAME.get(language, language) if probability >= _SURE else "en"


def _classify(text: str) -> tuple[str, float]:
    found: tuple[str, float] = _identifier().classify(text)
    return found


@lru_cache
def _identifier():  # type: ignore[no-untyped-def]
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = set(identifier.labels)
    identifier.set_languages(known & {*LANGUAGES, *_SAME})
    return identifier
