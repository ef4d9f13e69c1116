"""Passages with judged queries, read from folders in BEIR's layout, and how well a ranking of them does."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Qrels = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Passages:
    """Texts by file name; queries by id; and, by query, the grades of the files that answer it."""

    files: dict[str, str]
    queries: dict[str, str]
    qrels: Qrels


def read_passages(data: Path, count: int) -> Passages:
    """Return the first `count` passages below `data`: those of folders with qrels/test.tsv first, then whatever else
    lies there as *corpus.jsonl. Queries whose answers are not among them are left out."""
    corpora = sorted(data.rglob("*corpus.jsonl"), key=lambda path: (not _qrels_file(path).exists(), path))
    files: dict[str, str] = {}
    queries: dict[str, str] = {}
    qrels: Qrels = {}
    for corpus in corpora:
        names: dict[str, str] = {}
        for key, text in _texts(corpus):
            if len(files) < count:
                names[key] = f"{len(files):05}.txt"
                files[names[key]] = text
        if _qrels_file(corpus).exists():
            prefix = f"{corpus.parent.name} "
            judged = _judged(_qrels_file(corpus), names)
            asked = dict(_texts(corpus.with_name("queries.jsonl")))
            queries |= {prefix + query: asked[query] for query in judged}
            qrels |= {prefix + query: grades for query, grades in judged.items()}
    if len(files) < count:
        raise SystemExit(f"{str(data)!r} holds {len(files)} passages, not {count}.")
    return Passages(files, queries, qrels)


def write_passages(passages: Passages, folder: Path) -> None:
    """Write each passage as a text file."""
    folder.mkdir(parents=True)
    for name, text in passages.files.items():
        (folder / name).write_text(text, encoding="utf-8")


def mean_ndcg(ranked: Mapping[str, Sequence[str]], qrels: Qrels, k: int = 10) -> float:
    """Return nDCG@k with linear gain, as trec_eval computes it; `ranked` are file names by query, best first."""
    return sum(_ndcg(ranked[query], grades, k) for query, grades in qrels.items()) / max(1, len(qrels))


def _ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    got = [max(0, grades.get(name, 0)) for name in list(dict.fromkeys(ranked))[:k]]
    return _gain(got) / _gain(best)


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 2) for rank, grade in enumerate(grades))


def _qrels_file(corpus: Path) -> Path:
    return corpus.parent / "qrels" / "test.tsv"


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            title, text = row.get("title", "").strip(), row["text"].strip()
            whole = text if text.startswith(title) else f"{title}\n\n{text}"
            if whole:
                yield row["_id"], whole


def _judged(path: Path, names: Mapping[str, str]) -> Qrels:
    found: Qrels = {}
    with path.open(encoding="utf-8", newline="") as file:
        for query, document, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            if document in names and int(grade) > 0:
                found.setdefault(query, {})[names[document]] = int(grade)
    return found
