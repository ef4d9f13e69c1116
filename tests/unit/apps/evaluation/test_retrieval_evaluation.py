"""Ways to search, run on judged queries: ranks of documents, figures, comparisons and what is kept of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apps.evaluation.beir_dataset import read_dataset
from apps.evaluation.evaluation_record import evaluation_json, run_metrics, write_per_query
from apps.evaluation.judged_runs import Found, Search, by_document, document_search, run_queries
from apps.evaluation.retrieval_evaluation import Evaluation, evaluate
from contracts import Caller, Hit, Query, Retrieved, SearchMode
from tests.beir_folder import write_dataset
from tests.library import hit

QUERIES = {"q1": "ferry", "q2": "tram"}
QRELS = {"q1": {"ferry": 1}, "q2": {"tram": 1}}


class Shelf:
    """A retriever that finds the same hits for every query, as many as are asked for."""

    recipe = "shelf"

    def __init__(self, hits: Sequence[Hit]) -> None:
        self.hits = tuple(hits)
        self.asked: list[Query] = []

    async def generation(self, collection: str, caller: Caller) -> int:
        return 1

    async def retrieve(self, query: Query) -> Retrieved:
        self.asked.append(query)
        return Retrieved(self.hits[: query.top_k], 1)


def always(*names: str) -> Search:
    """Return a search that finds these documents."""

    async def search(text: str, depth: int) -> Found:
        return tuple((name, 1 / rank) for rank, name in enumerate(names, start=1))[:depth]

    return search


async def judged(**searches: Search) -> Evaluation:
    return await evaluate(searches, QUERIES, QRELS, depth=10)


def test_a_document_has_the_rank_and_score_of_its_best_chunk() -> None:
    hits = [hit("a", "one", 0.9), hit("b", "two", 0.8), hit("a", "three", 0.7), hit("c", "four", 0.6)]
    assert by_document(hits) == (("a", 0.9), ("b", 0.8), ("c", 0.6))


async def test_a_search_goes_on_until_there_are_enough_documents() -> None:
    chunks = [hit(f"d{number // 5}", f"chunk {number}") for number in range(100)]
    shelf = Shelf(chunks)
    search = document_search(shelf, "evaluation", SearchMode.SPARSE, chunks_per_document=1.0)
    assert [name for name, _ in await search("x", 10)] == [f"d{number}" for number in range(10)]
    assert [query.top_k for query in shelf.asked] == [10, 20, 40, 80]
    assert {(query.mode, query.collection) for query in shelf.asked} == {(SearchMode.SPARSE, "evaluation")}


async def test_a_search_ends_where_nothing_more_is_found() -> None:
    shelf = Shelf([hit("a", "one"), hit("a", "two")])
    search = document_search(shelf, "evaluation", SearchMode.DENSE, chunks_per_document=2.0)
    assert [name for name, _ in await search("x", 10)] == ["a"]
    assert [query.top_k for query in shelf.asked] == [20]


async def test_the_first_search_is_not_timed() -> None:
    asked: list[str] = []

    async def search(text: str, depth: int) -> Found:
        asked.append(text)
        return ()

    done: list[int] = []
    run = await run_queries(search, QUERIES, 10, done.append)
    assert asked == ["ferry", "ferry", "tram"]
    assert len(run.seconds) == 2
    assert done == [1, 2]


async def test_figures_are_means_over_the_queries() -> None:
    result = await judged(dense=always("ferry", "tram"), sparse=always("nothing"))
    assert result.modes["dense"].estimates["MRR@10"].mean == pytest.approx((1 + 1 / 2) / 2)
    assert result.modes["sparse"].estimates["MRR@10"].mean == 0
    assert result.comparisons == ()


async def test_pairs_of_modes_that_were_run_are_compared() -> None:
    result = await judged(hybrid=always("ferry", "tram"), dense=always("x", "tram"), reranked=always("tram", "ferry"))
    assert {(each.mode, each.other) for each in result.comparisons} == {("hybrid", "dense"), ("reranked", "hybrid")}
    recall = next(each for each in result.comparisons if each.measure == "Recall@5" and each.other == "dense")
    assert recall.difference == pytest.approx(0.5)
    assert recall.p_value == 1.0  # one query of two: chance does that every time


async def test_what_is_kept_is_json_and_names_that_mlflow_takes(tmp_path: Path) -> None:
    result = await judged(hybrid=always("ferry", "tram"), sparse=always("tram"))
    told = json.loads(json.dumps(evaluation_json(result)))
    assert told["modes"]["hybrid"]["metrics"]["MAP"]["mean"] == pytest.approx(0.75)
    assert {"low", "high"} <= set(told["modes"]["hybrid"]["metrics"]["MAP"])
    metrics = run_metrics(result)
    assert metrics["hybrid/nDCG_at_10_low"] <= metrics["hybrid/nDCG_at_10"] <= metrics["hybrid/nDCG_at_10_high"]
    assert metrics["hybrid_over_sparse/MAP"] == pytest.approx(0.75 - 0.5)
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. /")
    assert all(set(name) <= allowed for name in metrics)


async def test_each_query_is_written_with_what_was_found_for_it(tmp_path: Path) -> None:
    dataset = replace(read_dataset(write_dataset(tmp_path / "d")), queries=QUERIES, qrels=QRELS)
    write_per_query(tmp_path / "out.jsonl", await judged(hybrid=always("x", "ferry"), dense=always("tram")), dataset)
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [(row["query_id"], row["mode"]) for row in rows] == [
        ("q1", "hybrid"),
        ("q1", "dense"),
        ("q2", "hybrid"),
        ("q2", "dense"),
    ]
    assert rows[0]["metrics"]["MRR@10"] == 0.5
    assert rows[0]["judged"] == {"ferry": 1}
    assert rows[0]["found"] == [
        {"id": "x", "score": 1.0, "grade": None},
        {"id": "ferry", "score": 0.5, "grade": 1},
    ]
