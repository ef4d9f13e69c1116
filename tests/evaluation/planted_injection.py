"""Attacks planted in passages and clean passages beside them, scored by cross-validation."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np
import pypdfium2

from validation.injection.injection_model import InjectionModels, LinearModel, injection_models
from validation.injection.passage_injection import find_planted
from validation.training import attack_seeds
from validation.training.open_sets import Labelled, attacks_and_near_misses, clean_passages, indirect_attacks, pieces
from validation.training.passage_fit import direct_attacks, fit_passages, plant, training_attacks

FOLDS = 5
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
PLACES = ("start", "middle", "end")
TASKS = frozenset({"Information Retrieval", "Content Creation", "Learning and Tutoring", "Programming Help"})
CARRIERS = ("email", "squad")
DIRECT = "deepset"
Scores = dict[str, list[float]]


def report_passages(data: Path) -> None:
    """Print detection by kind of attack and place, and false flags by kind of clean passage, at several thresholds."""
    carriers = clean_passages(data)
    attacks = {**indirect_attacks(data), **_direct(data)}
    for name, seeds in (
        ("", (*attack_seeds.PLANTED, *attack_seeds.QUESTIONS)),
        (", without what was written for training", ()),
    ):
        print(f"\nPlanted attacks, held out by category ({FOLDS} folds), in passages held out too{name}")
        _print_rates(_cross_validated(carriers, attacks, seeds))
    print(
        "\nNever trained on: 10-Q pages and web articles, both clean; jailbreaks (DAN and others) in SQuAD and e-mails"
    )
    model = fit_passages(carriers, training_attacks(data))
    unseen: Scores = defaultdict(list)
    unseen["clean web articles"] = [_score(text, model) for text in web_articles(data)]
    unseen["clean 10-Q"] = [_score(text, model) for text in quarterly_reports(data)]
    random = Random(0)
    hosts = [one.text for one in carriers if one.source in CARRIERS]
    jailbreaks = [one.text for one in attacks_and_near_misses(data) if one.attack and one.source == "jailbreak"]
    for number, text in enumerate(jailbreaks):
        planted = plant(random.choice(hosts), text, number % len(PLACES))
        unseen["jailbreak"].append(_score(planted.text, model, planted.span))
    _print_rates(unseen)


def _cross_validated(
    carriers: Sequence[Labelled], attacks: Mapping[str, Sequence[str]], seeds: Sequence[str]
) -> Scores:
    order = sorted(attacks, key=lambda category: crc32(category.encode()))
    fold_of = {category: place % FOLDS for place, category in enumerate(order)}
    found: Scores = defaultdict(list)
    for fold in range(FOLDS):
        known = [text for category, texts in attacks.items() if fold_of[category] != fold for text in texts]
        model = fit_passages([one for one in carriers if _fold(one) != fold], [*known, *seeds], fold)
        held = [one for one in carriers if _fold(one) == fold]
        for one in held:
            found[f"clean {one.source}"].append(_score(one.text, model))
        hosts = {source: [one.text for one in held if one.source == source] for source in CARRIERS}
        mine = [(category, text) for category, texts in attacks.items() if fold_of[category] == fold for text in texts]
        for names, score in _planted_scores(mine, hosts, model, Random(fold)):
            for name in names:
                found[name].append(score)
    return found


def _planted_scores(
    attacks: Sequence[tuple[str, str]], hosts: Mapping[str, Sequence[str]], model: LinearModel, random: Random
) -> Iterator[tuple[tuple[str, ...], float]]:
    for category, text in attacks:
        for source in CARRIERS:
            for place, place_name in enumerate(PLACES):
                planted = plant(random.choice(hosts[source]), text, place)
                kind = "task" if category in TASKS else "code" if "```" in text else "reply"
                names = (
                    (DIRECT,) if category.startswith(DIRECT) else (f"BIPIA {kind}", f"BIPIA in {source}, {place_name}")
                )
                yield names, _score(planted.text, model, planted.span)


def _direct(data: Path) -> dict[str, list[str]]:
    """Return deepset's short attacks in `FOLDS` groups, so that they are held out as BIPIA's categories are."""
    groups: dict[str, list[str]] = {f"{DIRECT} {group}": [] for group in range(FOLDS)}
    for text in direct_attacks(data):
        groups[f"{DIRECT} {crc32(text.encode()) % FOLDS}"].append(text)
    return groups


def _score(text: str, model: LinearModel, span: tuple[int, int] | None = None) -> float:
    """Return the highest score of a finding in the passage, of one that touches `span` where there is one."""
    models = injection_models()
    judged = InjectionModels(models.version, models.encoder, models.prompts, models.words, model, "")
    found = find_planted(text, 0.0, judged)
    return max((one.score for one in found if span is None or (one.start < span[1] and one.end > span[0])), default=0.0)


def _print_rates(scores: Scores) -> None:
    names = sorted(scores, key=lambda name: (name.startswith("clean"), name))
    print(f"  columns, in % of n: {' | '.join(f'{name} ({len(scores[name])})' for name in names)}")
    for threshold in THRESHOLDS:
        rates = (f"{100 * np.mean(np.array(scores[name]) >= threshold):.1f}" for name in names)
        print(f"  {threshold:.2f}: " + " | ".join(rates))


def quarterly_reports(data: Path) -> list[str]:
    """Return the text of the 10-Q filings, in pieces of a chunk's size."""
    found = []
    for path in sorted((data / "qa/sec10q/docs").glob("*.pdf"))[:4]:
        with pypdfium2.PdfDocument(path) as document:
            pages = [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]
        found += [piece for page in pages for piece in pieces(page) if len(piece) > 200]
    return found


def web_articles(data: Path) -> list[str]:
    """Return the main text of web pages, in pieces of a chunk's size."""
    pages = json.loads((data / "parse/article_html/ground-truth.json").read_text())
    return [piece for page in pages.values() for piece in pieces(page["articleBody"]) if len(piece) > 200]


def _fold(one: Labelled) -> int:
    return crc32(one.text[:200].encode()) % FOLDS
