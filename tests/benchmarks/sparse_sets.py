"""Judged sets for lexical search, as they lie in a data folder: BEIR layouts, question lists and XQuAD."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Documents as (title, text) by id, queries by id, and the grades of documents by query."""

    name: str
    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    measures: tuple[str, ...] = field(default=("nDCG@10",))


def judged_sets(data: Path) -> Iterator[JudgedSet]:
    """Yield the sets below `data` as far as they are there."""
    for name, measures in (("vaswani", ("AP", "nDCG@10")), ("cranfield", ("nDCG@10",))):
        folder = data / "retrieval" / name
        if folder.is_dir():
            queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
            yield JudgedSet(name, _documents(folder), queries, _qrels(folder / "qrels" / "test.tsv"), measures)
    folder = data / "multiturn" / "mtrag_clapnq"
    if folder.is_dir():
        rows = _rows(folder / "queries_rewrite.jsonl")
        queries = {row["_id"]: row["text"].removeprefix("|user|: ") for row in rows}
        yield JudgedSet("mtrag clapnq", _documents(folder), queries, _qrels(folder / "qrels" / "human_covered.tsv"))
    for name in ("hotpot", "musique"):
        folder = data / "retrieval" / "multihop"
        if folder.is_dir():
            rows = _rows(folder / f"{name}_qa.jsonl")
            qrels = {row["id"]: dict.fromkeys(row["gold_ids"], 1) for row in rows}
            questions = {row["id"]: row["question"] for row in rows}
            yield JudgedSet(name, _documents(folder, f"{name}_corpus"), questions, qrels, ("R@5",))
    folder = data / "qa" / "squad2"
    if folder.is_dir():
        rows = [row for row in _rows(folder / "qa.jsonl") if not row["is_impossible"]]
        qrels = {row["id"]: {row["context_id"]: 1} for row in rows}
        questions = {row["id"]: row["question"] for row in rows}
        yield JudgedSet("squad2", _documents(folder), questions, qrels, ("Success@1", "Success@5"))
    for file in sorted((data / "qa" / "xquad").glob("xquad.*.json")):
        yield _xquad(file)


def _xquad(file: Path) -> JudgedSet:
    articles = json.loads(file.read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    documents = {str(n): ("", paragraph["context"]) for n, paragraph in enumerate(paragraphs)}
    asked = [(str(n), row) for n, paragraph in enumerate(paragraphs) for row in paragraph["qas"]]
    queries = {row["id"]: row["question"] for _, row in asked}
    qrels = {row["id"]: {n: 1} for n, row in asked}
    return JudgedSet(f"xquad {file.suffixes[-2][1:]}", documents, queries, qrels, ("Success@1", "Success@5", "RR@10"))


def _documents(folder: Path, name: str = "corpus") -> dict[str, tuple[str, str]]:
    return {row["_id"]: (row.get("title", ""), row["text"]) for row in _rows(folder / f"{name}.jsonl")}


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for query, document, grade in list(csv.reader(file, delimiter="\t"))[1:]:
            found.setdefault(query, {})[document] = int(grade)
    return {query: grades for query, grades in found.items() if any(grade > 0 for grade in grades.values())}


def _rows(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
