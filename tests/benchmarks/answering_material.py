"""Passages that Footnote has ingested, and questions about them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.running_stack import ROOT

NOBODY = "http://127.0.0.1:9"


def prepare(corpus: Sequence[Path], asked: Path, passages: int, work: Path) -> list[str]:
    """Return the questions in a random but repeatable order. Passages are in `work`: ingested in `data`, and as a list
    in corpus.json. Both files hold a JSON object a line: passages with `title` and `text`, questions with
    `question`."""
    folder = work / "files"
    if not folder.exists():
        folder.mkdir(parents=True)
        rows = [json.loads(line) for path in corpus for line in path.read_text("utf-8").splitlines()]
        texts = [f"{row['title']}\n\n{row['text']}" for row in rows][:passages]
        for number, text in enumerate(texts):
            (folder / f"{number:05}.txt").write_text(text, encoding="utf-8")
        (work / "corpus.json").write_text(json.dumps(texts), encoding="utf-8")
        env = {**os.environ, "FOOTNOTE_DATA_DIR": str(work / "data"), "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": NOBODY}
        ingest = [sys.executable, "-m", "apps.cli.main", "ingest", str(folder)]
        subprocess.run(ingest, env=env, cwd=ROOT, check=True, capture_output=True)
    questions = [json.loads(line)["question"] for line in asked.read_text("utf-8").splitlines()]
    questions = list(dict.fromkeys(questions))
    random.Random(0).shuffle(questions)
    return questions
