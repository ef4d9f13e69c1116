"""Questions with gold answers and gold passages, as answers are measured with them, and how a sample is drawn."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from contracts import Message

Kind = Literal["answerable", "unanswerable", "underspecified", "partial"]
Half = Literal["all", "tune", "report"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that a question was made from. `document` is the name of the file that holds it."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """A question. `evidence` are the passages it was made from, which for an unanswerable one hold no answer;
    `documents` are the files that hold the answer, where no passages are known. `group` is what it is about: tasks of
    one group are drawn, or held back, together. `history` is what was said before."""

    id: str
    question: str
    kind: Kind
    group: str
    answers: tuple[str, ...] = ()
    evidence: tuple[Passage, ...] = ()
    documents: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether an answer is expected: partial ones can be answered in part."""
        return self.kind in ("answerable", "partial")


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """Tasks over files: `files` maps names to texts or to files as they are. `short` answers are words or names, which
    exact match makes sense for; the others are sentences. Answers are compared in `language`."""

    name: str
    tasks: tuple[Task, ...]
    files: Mapping[str, str | Path]
    short: bool
    language: str = "en"

    @property
    def digest(self) -> str:
        """Sixteen hex digits that stand for the files."""
        hashed = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            hashed.update(name.encode())
            hashed.update(content.read_bytes() if isinstance(content, Path) else content.encode())
        return hashed.hexdigest()[:16]

    def sample(self, count: int, seed: int) -> AnswerSet:
        """Return the same with `count` tasks: of each kind its share, of each kind from every group in turn."""
        if count >= len(self.tasks):
            return self
        strata: dict[Kind, list[Task]] = defaultdict(list)
        for task in self.tasks:
            strata[task.kind].append(task)
        draw = random.Random(seed)
        drawn = [
            task
            for kind, share in zip(strata, _shares([len(each) for each in strata.values()], count), strict=True)
            for task in _in_turn(strata[kind], draw)[:share]
        ]
        return replace(self, tasks=tuple(draw.sample(drawn, len(drawn))))

    def half(self, half: Half) -> AnswerSet:
        """Return the tasks of one half of the groups, drawn by their names: to tune on one and report on the other."""
        if half == "all":
            return self
        wanted = 0 if half == "tune" else 1
        kept = [task for task in self.tasks if hashlib.sha256(task.group.encode()).digest()[0] % 2 == wanted]
        return replace(self, tasks=tuple(kept))


def _shares(sizes: Sequence[int], count: int) -> list[int]:
    """Return how many of `count` each stratum gives, by largest remainders, at least one of each."""
    exact = [size * count / sum(sizes) for size in sizes]
    shares = [max(1, int(part)) for part in exact]
    by_remainder = sorted(range(len(sizes)), key=lambda i: exact[i] - shares[i], reverse=True)
    for i in by_remainder:
        if sum(shares) >= count:
            break
        shares[i] += 1
    return shares


def _in_turn(tasks: Sequence[Task], draw: random.Random) -> list[Task]:
    """Return the tasks shuffled, one of each group in turn."""
    groups: dict[str, list[Task]] = defaultdict(list)
    for task in draw.sample(list(tasks), len(tasks)):
        groups[task.group].append(task)
    piles = list(groups.values())
    return [pile[turn] for turn in range(max(map(len, piles), default=0)) for pile in piles if turn < len(pile)]
