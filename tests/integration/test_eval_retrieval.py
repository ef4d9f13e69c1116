"""`footnote eval retrieval` as its users run it: the real catalog, indexes and retriever, with a small encoder."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from apps.cli.main import app
from tests.beir_folder import CORPUS, QRELS, write_dataset
from tests.small_cross_encoder import make_small_cross_encoder
from tests.small_encoder import make_small_encoder

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
CLOSED = "http://127.0.0.1:9"  # nothing listens on the discard port
MEASURES = {"nDCG@10", "MAP", "MRR@10", "Recall@5", "Recall@10", "Recall@100"}


class Evaluations:
    """The command, with a data folder of its own."""

    def __init__(self, data: Path, encoder: Path) -> None:
        self.data = data
        self.env = {
            "FOOTNOTE_DATA_DIR": str(data),
            "FOOTNOTE_EMBEDDING__MODEL": str(encoder),
            "FOOTNOTE_OBSERVABILITY__MLFLOW_URL": CLOSED,
        }

    def __call__(self, dataset: Path, *options: object, code: int = 0) -> Result:
        arguments = ["eval", "retrieval", "--dataset", str(dataset), *map(str, options)]
        done = CliRunner().invoke(app, arguments, env=self.env)
        assert done.exit_code == code, done.output
        return done

    def told(self, dataset: Path, *options: object) -> Any:
        """Return what it prints for programs."""
        return json.loads(self(dataset, *options, "--json").stdout)

    def stored(self) -> int:
        """Return how many documents lie in catalogs of evaluations."""
        catalogs = list(self.data.glob("evaluation/*/catalog.sqlite"))
        return sum(_count(catalog) for catalog in catalogs)


def _count(catalog: Path) -> int:
    with closing(sqlite3.connect(catalog)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])
        except sqlite3.OperationalError:  # it is being made
            return 0


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder") / "small"
    make_small_encoder(folder, seed=0)
    return folder


@pytest.fixture
def evaluations(tmp_path: Path, encoder: Path) -> Evaluations:
    return Evaluations(tmp_path / "data", encoder)


def test_modes_are_measured_and_the_second_run_embeds_nothing(evaluations: Evaluations, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "trams")
    first, second = evaluations.told(dataset), evaluations.told(dataset)
    assert list(first["modes"]) == ["dense", "sparse", "hybrid"]
    assert all(set(mode["metrics"]) == MEASURES for mode in first["modes"].values())
    assert first["modes"]["sparse"]["metrics"]["MRR@10"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert {(each["mode"], each["other"]) for each in first["comparisons"]} == {
        ("hybrid", "dense"),
        ("hybrid", "sparse"),
    }
    assert first["dataset"]["documents"] == first["index"]["embedded"] == 4
    assert second["index"] == {**first["index"], "embedded": 0}
    assert [mode["metrics"] for mode in second["modes"].values()] == [
        mode["metrics"] for mode in first["modes"].values()
    ]
    assert evaluations.told(dataset, "--fresh", "--modes", "sparse")["index"]["embedded"] == 4


def test_a_person_is_shown_a_table_and_what_was_left_out(evaluations: Evaluations, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "trams", test=QRELS + "q2\tnowhere\t1\n")
    done = evaluations(dataset, "--top-k", 10)
    assert all(measure in done.stdout for measure in MEASURES - {"Recall@100"})
    assert "Recall@100" not in done.stdout
    assert "hybrid over sparse" in done.stdout
    assert "not in the corpus, which count as not found: 1" in done.stderr
    assert "no reranker is configured" in done.stderr
    assert "MLflow does not answer" in done.stderr


def test_each_query_is_written_and_the_library_stays_empty(evaluations: Evaluations, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    evaluations(write_dataset(tmp_path / "trams"), "--modes", "sparse, hybrid", "--per-query", dump)
    rows = [json.loads(line) for line in dump.read_text().splitlines()]
    assert [(row["query_id"], row["mode"]) for row in rows[:2]] == [("q1", "sparse"), ("q1", "hybrid")]
    assert rows[0]["found"][0] == {"id": "ferry", "score": rows[0]["found"][0]["score"], "grade": 2}
    assert evaluations.stored() == len(CORPUS)
    assert _count(evaluations.data / "catalog.sqlite") == 0


def test_a_long_document_counts_once_at_its_best_chunk(evaluations: Evaluations, tmp_path: Path) -> None:
    long = " ".join(f"The harbour has a ferry number {number}." for number in range(400))
    dataset = write_dataset(tmp_path / "d", corpus=[{"_id": "long", "title": "", "text": long}, *CORPUS])
    dump = tmp_path / "dump.jsonl"
    told = evaluations.told(dataset, "--per-query", dump)
    assert told["index"]["chunks"] > 10
    for row in map(json.loads, dump.read_text().splitlines()):
        found = [hit["id"] for hit in row["found"]]
        assert len(found) == len(set(found))
        if row["mode"] == "dense":
            assert len(found) == 5


def test_a_reranker_is_measured_against_the_hybrid_without_it(evaluations: Evaluations, tmp_path: Path) -> None:
    evaluations.env["FOOTNOTE_RETRIEVAL__RERANKER"] = str(make_small_cross_encoder(tmp_path / "judge"))
    dump = tmp_path / "dump.jsonl"
    told = evaluations.told(write_dataset(tmp_path / "trams"), "--modes", "hybrid,reranked", "--per-query", dump)
    assert {(each["mode"], each["other"]) for each in told["comparisons"]} == {("reranked", "hybrid")}
    found = {(row["query_id"], row["mode"]): row["found"] for row in map(json.loads, dump.read_text().splitlines())}
    assert found["q1", "hybrid"] != found["q1", "reranked"]
    assert str(tmp_path / "judge") in told["retriever"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--modes", "fast"), "'fast' is no mode; choose from dense, sparse, hybrid, reranked."),
        (("--modes", "reranked"), "no reranker is configured"),
        (("--split", "dev"), "There is no split 'dev'; choose one with --split: test."),
        (("--queries", "nowhere.jsonl"), "There is no file 'nowhere.jsonl'."),
        (("--per-query", "/nowhere/dump.jsonl"), "'/nowhere/dump.jsonl' cannot be written"),
    ],
)
def test_a_mistake_is_one_line(evaluations: Evaluations, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done = evaluations(write_dataset(tmp_path / "trams"), *options, code=1)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_ctrl_c_broke_off_goes_on(evaluations: Evaluations, tmp_path: Path) -> None:
    many = [
        {"_id": f"d{number}", "title": "", "text": f"Passage {number} says {number * 7}."} for number in range(6000)
    ]
    dataset = write_dataset(tmp_path / "many", corpus=[*CORPUS, *many])
    argv = [sys.executable, "-m", "apps.cli.main", "eval", "retrieval", "--dataset", str(dataset), "--modes", "sparse"]
    running = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **evaluations.env}, stderr=subprocess.PIPE, text=True)
    try:
        _until(lambda: evaluations.stored() > 0 or running.poll() is not None)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert "the same command goes on from there" in errors
    kept = evaluations.stored()
    assert 0 < kept < len(many)
    assert evaluations.told(dataset, "--modes", "sparse")["index"]["embedded"] == 6000 + len(CORPUS) - kept


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
