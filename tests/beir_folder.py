"""Writes small datasets in BEIR's layout for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

CORPUS = (
    {"_id": "ferry", "title": "Ferry", "text": "The ferry leaves the harbour at nine."},
    {"_id": "tram", "title": "Tram", "text": "The tram runs daily to the museum."},
    {"_id": "cable", "title": "Cable car", "text": "The cable car climbs the hill on sundays."},
    {"_id": "bus", "title": "", "text": "Night buses replace trains after midnight."},
)
QUERIES = (
    {"_id": "q1", "text": "when does the ferry leave the harbour"},
    {"_id": "q2", "text": "tram to the museum"},
    {"_id": "q3", "text": "buses after midnight"},
)
QRELS = "query-id\tcorpus-id\tscore\nq1\tferry\t2\nq1\tcable\t1\nq2\ttram\t1\nq3\tbus\t1\n"


def write_dataset(
    folder: Path,
    *,
    corpus: Sequence[Mapping[str, object]] | str = CORPUS,
    queries: Sequence[Mapping[str, object]] | str = QUERIES,
    **qrels: str,
) -> Path:
    """Write a dataset and return its folder; `qrels` are the judgements by split, where not those of `test`."""
    (folder / "qrels").mkdir(parents=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    for split, text in (qrels or {"test": QRELS}).items():
        (folder / "qrels" / f"{split}.tsv").write_text(text, encoding="utf-8")
    return folder
