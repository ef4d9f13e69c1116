"""Trains the classifier of orders in passages, on attacks planted in clean ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from validation.injection.injection_model import LinearModel
from validation.injection.orders import find_orders
from validation.training import attack_seeds, benign_passages
from validation.training.linear_fit import fit_linear
from validation.training.open_sets import Labelled, attacks_and_near_misses, indirect_attacks

_SENTENCE_END = re.compile(r"[.!?]\s+|\n")
_SHORT_CHARS = 150
_TIMES_WRITTEN = 5  # how often each passage written for training counts; those of the open data are mostly plain prose
_ROUNDS = 9  # how often each attack is planted for training
_ATTACKS_PER_CLEAN = 0.25  # what all planted orders weigh beside all clean ones
_CARRIERS = ("email", "squad", "xquad_de", "clapnq", "xquad_en", "email", "squad", "anthropic")


@dataclass(frozen=True, slots=True)
class Planted:
    """A passage and, where an attack was planted in it, the attack's range."""

    text: str
    span: tuple[int, int] | None = None


def plant(passage: str, attack: str, place: int) -> Planted:
    """Return the passage with the attack on a line of its own: 0 at the start, 1 in the middle, 2 at the end."""
    ends = [match.end() for match in _SENTENCE_END.finditer(passage)] or [len(passage)]
    middle = min(ends, key=lambda end: abs(end - len(passage) / 2))
    cut = (0, middle, len(passage))[place]
    before, after = passage[:cut].rstrip(), passage[cut:]
    lead = f"{before}\n" if before else ""
    return Planted(f"{lead}{attack}\n{after}".rstrip(), (len(lead), len(lead) + len(attack.rstrip())))


def training_attacks(data: Path) -> list[str]:
    """Return the attacks of the open data and those written for training."""
    indirect = (text for texts in indirect_attacks(data).values() for text in texts)
    return [*indirect, *direct_attacks(data), *attack_seeds.PLANTED, *attack_seeds.QUESTIONS]


def direct_attacks(data: Path) -> list[str]:
    """Return deepset's short attacks; of long ones many sentences are harmless by themselves."""
    attacks = (one.text for one in attacks_and_near_misses(data) if one.attack and one.source == "deepset")
    return [text for text in attacks if len(text) <= _SHORT_CHARS]


def fit_passages(carriers: Sequence[Labelled], attacks: Sequence[str], seed: int = 0) -> LinearModel:
    """Return the model of orders: those inside planted attacks against those of the clean passages."""
    random = Random(seed)
    by_source = {source: [one.text for one in carriers if one.source == source] for source in _CARRIERS}
    by_source["written"] = list(benign_passages.PASSAGES)
    planted = [
        plant(random.choice(by_source[random.choice((*_CARRIERS, "written"))]), attack, turn % 3)
        for attack in attacks
        for turn in range(_ROUNDS)
    ]
    clean = [*(one.text for one in carriers), *benign_passages.PASSAGES * _TIMES_WRITTEN]
    rows = [*_orders(planted), *_orders([Planted(text) for text in clean])]
    labels = np.array([attack for _, _, attack in rows])
    heavier = _ATTACKS_PER_CLEAN * len(rows) / max(1, int(labels.sum()))
    marks = np.array([marks for _, marks, _ in rows], np.float32)
    return fit_linear([text for text, _, _ in rows], labels, np.where(labels, heavier, 1.0), dense=marks)


def _orders(passages: Sequence[Planted]) -> Iterator[tuple[str, tuple[float, ...], bool]]:
    """Yield text, marks and whether it is an attack: all orders of clean passages, only the attacks of others."""
    for passage in passages:
        for order in find_orders(passage.text):
            if passage.span is None:
                yield passage.text[order.start : order.end], order.marks, False
            elif order.start < passage.span[1] and order.end > passage.span[0]:
                yield passage.text[order.start : order.end], order.marks, True
