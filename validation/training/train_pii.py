"""Trains the tagger of names from Presidio's generated sentences, made-up ones and ordinary text.

    python -m validation.training.train_pii DATA

DATA is the folder of open data. The artefact is written into `validation/artefacts/`; the same data give the same file.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from validation.personal_data.pii_features import FEATURES_VERSION, TokenFeatures, tokens_of, word_hash
from validation.personal_data.pii_kinds import LEARNED_KINDS, PiiKind
from validation.personal_data.pii_tagger import ARTEFACT, OUTSIDE, Tagger, taken_by_patterns
from validation.training.pii_crf import Example, Fitted, fit
from validation.training.pii_sentences import MadeUpSentences, Sentence

KIND_OF = {
    "PERSON": PiiKind.PERSON,
    "PREFIX": PiiKind.PERSON,
    "LOCATION": PiiKind.LOCATION,
    "ADDRESS": PiiKind.ADDRESS,
    "ORGANIZATION": PiiKind.ORGANIZATION,
    "TITLE": PiiKind.JOB_TITLE,
}
"""Learned kind of each type of Presidio's set."""

LABELS = (OUTSIDE, *(f"{place}-{kind}" for kind in sorted(LEARNED_KINDS) for place in "BI"))
_PASSAGES = (
    "retrieval/multihop/hotpot_corpus.jsonl",
    "retrieval/multihop/musique_corpus.jsonl",
    "multiturn/mtrag_clapnq/corpus.jsonl",
)
_ROUNDS, _FILLED, _ORDINARY, _SWAPS, _SWAPPED = 5, 6, 2000, 1, 0.6
_LEAST_SEEN = 4  # times a word occurs in ordinary text to be in the lexicon
_FAINT = 6  # of 127: a feature whose every weight is at most this is left out
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How common words are, by `word_hash`, and ordinary words to make names of."""

    commonness: Mapping[int, int]
    words: Sequence[str]


def ordinary_texts(data: Path) -> list[str]:
    """Return passages and questions in which nothing is marked."""
    texts = []
    for name in _PASSAGES:
        texts += [json.loads(line)["text"] for line in (data / name).read_text("utf-8").splitlines()]
    with (data / "cache/banking77_train.csv").open(encoding="utf-8", newline="") as file:
        texts += [row["text"] for row in csv.DictReader(file)]
    return texts


def lexicon_of(texts: Iterable[str]) -> Lexicon:
    """Return how common each word of `texts` is, and how often it has a capital where no sentence begins."""
    small, capital = Counter[str](), Counter[str]()
    for text in texts:
        for match in _WORD.finditer(text):
            word = match.group()
            if word[0].islower():
                small[word] += 1
            elif text[max(0, match.start() - 2) : match.start()][:1] not in ("", *'.!?:"\n'):
                capital[word.casefold()] += 1
    commonness = {
        word_hash(word): _commonness(small[word], capital[word])
        for word in sorted(set(small) | set(capital))
        if small[word] + capital[word] >= _LEAST_SEEN
    }
    words = [word for word, count in small.most_common(9000) if len(word) > 3 and count > max(20, 20 * capital[word])]
    return Lexicon(commonness, words)


def _commonness(small: int, capital: int) -> int:
    """1 to 12: four steps of how often it has a capital, three each of how common it is."""
    share, count = capital / (small + capital), small + capital
    return 1 + 3 * sum(share >= step for step in (0.05, 0.4, 0.9)) + sum(count >= step for step in (10, 60))


def ordinary_sentences(texts: Sequence[str], lexicon: Lexicon, count: int) -> list[Sentence]:
    """Return sentences without capitals or digits after a common first word, in which there can hardly be names."""
    chosen: list[Sentence] = []
    choice = random.Random(3)
    while len(chosen) < count:
        sentence = choice.choice(re.split(r"(?<=[.?!])\s+", choice.choice(texts)))
        first = _WORD.search(sentence)
        plain = not re.search(r"(?<=\s)[\"(]?[A-Z][a-z]|[A-Z]{2}|\d", sentence[1:])
        common = first and lexicon.commonness.get(word_hash(first.group()), 0) in (2, 3, 5, 6)
        if common and plain and 3 < len(sentence.split()) < 45:
            chosen.append(Sentence(sentence, ()))
    return chosen


def annotated(rows: Iterable[Mapping[str, object]]) -> list[Sentence]:
    """Return rows of Presidio's set with the spans of learned kinds."""
    return [
        Sentence(
            str(row["full_text"]),
            tuple(
                sorted(
                    (span["start_position"], span["end_position"], KIND_OF[span["entity_type"]])
                    for span in row["spans"]  # type: ignore[attr-defined]
                    if span["entity_type"] in KIND_OF
                )
            ),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Course:
    """What a tagger is taught with besides annotated sentences; made once for all folds."""

    lexicon: Lexicon
    made_up: MadeUpSentences
    extra: Sequence[Sentence]

    @classmethod
    def of(cls, data: Path) -> Course:
        """Return the course on the open data in the folder `data`."""
        texts = ordinary_texts(data)
        lexicon = lexicon_of(texts)
        made_up = MadeUpSentences(lexicon.words)
        return cls(lexicon, made_up, [*made_up.make(_FILLED), *ordinary_sentences(texts, lexicon, _ORDINARY)])

    def teach(self, sentences: Sequence[Sentence]) -> Fitted:
        """Return what was learned from the annotated `sentences`, the same with other names, and the rest."""
        swapped = [self.made_up.swap(sentence, _SWAPPED) for _ in range(_SWAPS) for sentence in sentences]
        features = TokenFeatures(self.lexicon.commonness)
        examples = [_example(sentence, features) for sentence in (*sentences, *swapped, *self.extra)]
        return fit([example for example in examples if len(example.labels)], LABELS, rounds=_ROUNDS)


def tagger_of(fitted: Fitted, lexicon: Lexicon) -> Tagger:
    """Return the tagger as it is shipped."""
    packed = packed_weights(fitted)
    return Tagger(labels=LABELS, features=TokenFeatures(lexicon.commonness), **packed)  # type: ignore[arg-type]


def packed_weights(fitted: Fitted) -> dict[str, object]:
    """Return weights as bytes with their scale, without faint features."""
    scale = float(np.quantile(np.abs(fitted.weights).max(axis=1), 0.999)) / 127
    weights = np.clip(np.round(fitted.weights / scale), -127, 127).astype(np.int8)
    kept = np.abs(weights.astype(np.int16)).max(axis=1) > _FAINT
    return {
        "keys": fitted.keys[kept],
        "weights": weights[kept],
        "scale": scale,
        "moves": fitted.moves.astype(np.float32),
        "first": fitted.first.astype(np.float32),
    }


def save(path: Path, fitted: Fitted, lexicon: Lexicon) -> None:
    """Write the artefact; it is read without pickle."""
    words = sorted(lexicon.commonness.items())
    np.savez_compressed(
        path,
        version=np.int64(FEATURES_VERSION),
        labels=np.array(LABELS),
        lexicon_keys=np.array([key for key, _ in words], np.uint32),
        lexicon_values=np.array([value for _, value in words], np.uint8),
        **packed_weights(fitted),  # type: ignore[arg-type]
    )


def _example(sentence: Sentence, features: TokenFeatures) -> Example:
    tokens = tokens_of(sentence.text)
    hashes, starts = features.of(tokens, taken_by_patterns(sentence.text, tokens))
    labels = [0] * len(tokens)
    for start, end, kind in sentence.spans:
        inside = [at for at, token in enumerate(tokens) if token.start < end and token.end > start]
        for at in inside:
            labels[at] = LABELS.index(f"{'B' if at == inside[0] else 'I'}-{kind}")
    return Example(hashes, starts, np.array(labels, np.int64))


def main() -> None:
    """Train on everything and write the artefact."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    data: Path = arguments.parse_args().data
    course = Course.of(data)
    rows = json.loads((data / "guard/pii/generated_large.json").read_text("utf-8"))
    path = Path(__file__).parent.parent / "artefacts" / ARTEFACT
    path.parent.mkdir(exist_ok=True)
    save(path, course.teach(annotated(rows)), course.lexicon)
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
