"""How well the sample documents are searched and answered by the whole stack with the default models."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from rich.console import Console

from tests.evaluation.samples_report import Gold, Outcome, load_questions, render, score, summarise

pytestmark = pytest.mark.integration

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NOT_DOCUMENTS = {"README.md", "questions.jsonl"}
TOP_K = 5
INGESTION_TIMEOUT_S = 300


@pytest.fixture(scope="module")
def client(stack: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def collection(client: httpx.Client) -> str:
    """A collection of its own that holds the sample documents and nothing else."""
    name = f"samples-{uuid4().hex[:8]}"
    paths = sorted(path for path in SAMPLES.glob("[!.]*") if path.name not in NOT_DOCUMENTS)
    uploads = [("files", (path.name, path.read_bytes())) for path in paths]
    jobs = _ok(client.post(f"/v1/collections/{name}/documents", files=uploads))["jobs"]
    ended = [_ended(client, job["id"]) for job in jobs]
    assert [(job["source"], job["message"]) for job in ended if job["state"] != "done"] == []
    return name


Outcomes = dict[str, list[Outcome]]
# `unseen` was written after the prompt and every setting were chosen, and is never to be tuned on.
SETS = {
    "samples": SAMPLES / "questions.jsonl",
    "unseen": Path(__file__).parents[1] / "evaluation/unseen_questions.jsonl",
}


@pytest.fixture(scope="module")
def outcomes(client: httpx.Client, collection: str, pytestconfig: pytest.Config) -> Outcomes:
    """Every question asked once; the tables go to the terminal."""
    found = {name: [_ask(client, collection, gold) for gold in load_questions(path)] for name, path in SETS.items()}
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        for name, table in found.items():
            Console(width=160).print("", name, render(table))
    return found


# The bounds lie below what was measured, by about two questions: the model's numerics differ between machines.
@pytest.mark.parametrize(
    ("name", "measure", "bound"),
    [
        ("samples", "document found", 0.9),
        ("samples", "document and page found", 0.9),
        ("samples", "document found first", 0.8),
        ("samples", "answer right", 0.75),
        ("samples", "right document cited", 0.8),
        ("samples", "unanswerable refused", 0.3),
        ("unseen", "document found", 0.85),
        ("unseen", "answer right", 0.45),
        ("unseen", "unanswerable refused", 0.5),
    ],
)
def test_the_documents_are_searched_and_answered(outcomes: Outcomes, name: str, measure: str, bound: float) -> None:
    tally = summarise(outcomes[name])[measure]
    assert tally.share >= bound, f"{name}, {measure}: {tally}"


def test_the_first_question_is_answered_with_a_citation(outcomes: Outcomes) -> None:
    first = outcomes["samples"][0]
    assert (first.right, first.cited) == (True, True), first


def _ask(client: httpx.Client, collection: str, gold: Gold) -> Outcome:
    search = {"query": gold.question, "collection": collection, "top_k": TOP_K}
    hits = _ok(client.post("/v1/search", json=search))["hits"]
    query = {"collection": collection, "conversation_id": f"{collection}-{gold.id}"}
    for earlier in gold.history:
        _ok(client.post("/v1/query", json={**query, "question": earlier}))
    began = time.monotonic()
    reply = _ok(client.post("/v1/query", json={**query, "question": gold.question}))
    return score(gold, hits, reply, time.monotonic() - began)


def _ended(client: httpx.Client, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + INGESTION_TIMEOUT_S
    while time.monotonic() < deadline:
        job = _ok(client.get(f"/v1/jobs/{job_id}"))
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.2)
    pytest.fail(f"job {job_id} was still {job['state']} after {INGESTION_TIMEOUT_S} s")


def _ok(response: httpx.Response) -> dict[str, Any]:
    assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
    body: dict[str, Any] = response.json()
    return body
