"""Finds passages with judged queries below a folder, and brings them into BEIR's layout where they have another."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def judged_sets(data: Path, made: Path) -> Iterator[Path]:
    """Yield folders in BEIR's layout: those below `data` (itself among them), and new ones in `made` for each
    NAMEcorpus.jsonl beside a NAMEqa.jsonl, whose rows tell a `question` and the `gold_ids` or the `context_id` of the
    passages that answer it."""
    for corpus in sorted(data.rglob("*corpus.jsonl")):
        questions = corpus.with_name(corpus.name.replace("corpus.jsonl", "qa.jsonl"))
        if corpus.name == "corpus.jsonl" and any((corpus.parent / "qrels").glob("*.tsv")):
            yield corpus.parent
        elif questions.exists():
            name = corpus.name.removesuffix("corpus.jsonl").strip("_") or corpus.parent.name
            yield _converted(corpus, questions, made / name)


def without_prefix(queries: Path, prefix: str, made: Path) -> Path:
    """Write the queries without what each begins with; return the file."""
    made.mkdir(parents=True, exist_ok=True)
    rows = [{**row, "text": row["text"].removeprefix(prefix)} for row in _rows(queries)]
    return _write(made / queries.name, rows)


def _converted(corpus: Path, questions: Path, folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_bytes(corpus.read_bytes())
    rows = list(_rows(questions))
    _write(folder / "queries.jsonl", [{"_id": row["id"], "text": row["question"]} for row in rows])
    with (folder / "qrels" / "test.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["query-id", "corpus-id", "score"])
        for row in rows:
            writer.writerows([row["id"], gold, 1] for gold in row.get("gold_ids", [row.get("context_id")]))
    return folder


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
