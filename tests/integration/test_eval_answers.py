"""The evaluation of answers on a set of two documents, from files to the report, without a model server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.evaluation.eval_answers import main

pytestmark = pytest.mark.integration

_HUT = "The Falken hut was built in 1923 by the alpine club of Innsbruck. It has room for sixty guests in summer."
_TRAM = "The tram line to Morzg was opened in 1886. Its cars were painted green until the war."


def _squad(folder: Path) -> None:
    folder.mkdir(parents=True)
    passages = [{"_id": "a", "title": "Huts", "text": _HUT}, {"_id": "b", "title": "Trams", "text": _TRAM}]
    asked = [("When was the Falken hut built?", "a", ["1923"]), ("Who invented the telephone?", "b", [])]
    questions = [
        {
            "id": f"q{n}",
            "question": question,
            "context_id": context,
            "title": "x",
            "answers": answers,
            "is_impossible": not answers,
        }
        for n, (question, context, answers) in enumerate(asked)
    ]
    for name, rows in (("corpus.jsonl", passages), ("qa.jsonl", questions)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_two_questions_are_quoted_cited_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _squad(tmp_path / "qa" / "squad2")
    out = tmp_path / "out.jsonl"
    given = ["eval_answers", str(tmp_path), "--mode", "extractive", "--cache-dir", str(tmp_path), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", given)
    main()
    printed = capsys.readouterr().out
    rows = {(row["task"]["id"], row["control"]): row for row in map(json.loads, out.read_text().splitlines())}
    assert set(rows) == {(task, control) for task in ("q0", "q1") for control in ("rag", "oracle")}
    assert "1923" in rows["q0", "rag"]["reply"]
    assert [cited["gold"] for cited in rows["q0", "rag"]["cited"]] == [True]
    assert rows["q0", "oracle"]["loss"] == "right"
    assert rows["q1", "rag"]["refused"]
    assert "| right | 1 | 1 |" in printed
    assert "| gold found in the first 1 | 1.000, n=1 |  |" in printed
