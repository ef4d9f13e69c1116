"""Questions for a semantic cache: which are cached, which are asked, and which cached ones may answer each."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cache.question_vocabulary import FUNCTION_WORDS


@dataclass(frozen=True)
class Asked:
    """Texts that are asked of a cache that holds others; `may_serve(asked, cached)` takes their places."""

    name: str
    cached: list[str]
    asked: list[str]
    may_serve: Callable[[int, int], bool]


def gptcache_pairs(path: Path) -> Asked:
    """Return GPTCache's own benchmark: each text is asked for in other words. Equal texts are one entry of a cache."""
    pairs = json.loads(path.read_text("utf-8"))
    cached = [pair["origin"] for pair in pairs]
    same = [text.strip() for text in cached]
    return Asked("GPTCache's pairs", cached, [pair["similar"] for pair in pairs], lambda i, j: same[i] == same[j])


def intents(path: Path, cached: int = 5000, asked: int = 1000) -> Asked:
    """Return Banking77's questions: one of the same intent may serve, none of another."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(lines)]
    random.Random(0).shuffle(rows)
    kept, new = rows[:cached], rows[cached : cached + asked]
    return Asked(
        "Banking77, by intent", [t for t, _ in kept], [t for t, _ in new], lambda i, j: new[i][1] == kept[j][1]
    )


def same_passages(path: Path) -> Asked:
    """Return half of SQuAD 2's questions asked of the other half, about the same passages: where the answers differ or
    there is none, so do the questions."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    random.Random(0).shuffle(rows)
    half = len(rows) // 2
    kept, new = rows[:half], rows[half : half + 1000]

    def may_serve(i: int, j: int) -> bool:
        return not {a.lower() for a in new[i]["answers"]}.isdisjoint(a.lower() for a in kept[j]["answers"])

    return Asked("SQuAD 2, by answer", [r["question"] for r in kept], [r["question"] for r in new], may_serve)


def changed(path: Path, count: int = 400) -> Asked:
    """Return SQuAD 2's questions, each asked with one thing changed: its number, a name, a negation, its order. None
    may be served."""
    rows = [json.loads(line)["question"].strip() for line in path.read_text("utf-8").splitlines()]
    random.Random(1).shuffle(rows)
    kept = rows[:count]
    names = sorted({name for text in rows for name in _names(text)})
    asked = [each for text in kept for each in _changes(text, names, random.Random(text)) if each not in kept]
    return Asked("SQuAD 2, one thing changed", kept, asked, lambda i, j: False)


def _names(text: str) -> list[str]:
    return [name for name in re.findall(r"(?<=[a-z] )[A-Z][a-z]{3,}\b", text) if name.lower() not in FUNCTION_WORDS]


def _changes(text: str, names: list[str], drawn: random.Random) -> Iterator[str]:
    if number := re.search(r"\d+", text):
        yield text[: number.start()] + str(int(number[0]) + drawn.randint(1, 9)) + text[number.end() :]
    if own := _names(text):
        yield text.replace(own[0], drawn.choice([name for name in names if name not in own]))
    if (
        "not " not in text
        and "n't" not in text
        and (auxiliary := re.search(r"\b(is|are|was|were|did|does|can|could|has|have)\b", text))
    ):
        yield text[: auxiliary.end()] + " not" + text[auxiliary.end() :]
    if len(set(own)) > 1 and re.search(rf"{own[0]}\b.* [a-z]+ .*\b{own[-1]}", text):
        turned = {own[0]: own[-1], own[-1]: own[0]}
        yield re.sub(rf"\b({own[0]}|{own[-1]})\b", lambda found: turned[found[0]], text)
