"""An evaluation as it is kept: as JSON, query by query, and as parameters and metrics of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from apps.evaluation.beir_dataset import Dataset
from apps.evaluation.retrieval_evaluation import Evaluation, ModeResult
from contracts import StoreUnavailableError


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an evaluation for programs."""
    return {
        "depth": evaluation.depth,
        "seed": evaluation.seed,
        "modes": {name: _mode_json(mode) for name, mode in evaluation.modes.items()},
        "comparisons": [asdict(each) for each in evaluation.comparisons],
    }


def dataset_json(dataset: Dataset) -> dict[str, Any]:
    """Return what was evaluated on."""
    return {
        "name": dataset.name,
        "corpus": str(dataset.corpus),
        "digest": dataset.digest,
        "split": dataset.split,
        "documents": dataset.documents,
        "queries": len(dataset.queries),
        "judgements": sum(map(len, dataset.qrels.values())),
        "left_out": {name: count for name, count in dataset.left_out.items() if count},
    }


def run_metrics(evaluation: Evaluation) -> dict[str, float]:
    """Return the figures under names that MLflow accepts, such as `hybrid/nDCG_at_10`."""
    metrics: dict[str, float] = {}
    for name, mode in evaluation.modes.items():
        for measure, estimate in mode.estimates.items():
            key = f"{name}/{_plain(measure)}"
            bounds = {"low": estimate.low, "high": estimate.high}
            metrics[key] = estimate.mean
            metrics |= {f"{key}_{bound}": value for bound, value in bounds.items() if value is not None}
        metrics[f"{name}/queries_per_second"] = mode.run.queries_per_second
        metrics[f"{name}/p50_ms"] = mode.run.p50_ms
    for each in evaluation.comparisons:
        key = f"{each.mode}_over_{each.other}/{_plain(each.measure)}"
        metrics |= {key: each.difference, f"{key}_p": each.p_value}
    return metrics


def write_per_query(path: Path, evaluation: Evaluation, dataset: Dataset) -> None:
    """Write a line of JSON per query and mode: its measures, the judgements, and what was found. Raises
    StoreUnavailableError."""
    try:
        with path.open("w", encoding="utf-8") as file:
            for row in _per_query(evaluation, dataset):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as exc:
        raise StoreUnavailableError(f"{str(path)!r} cannot be written: {exc}.") from exc


def _per_query(evaluation: Evaluation, dataset: Dataset) -> Iterator[dict[str, Any]]:
    for place, (query, grades) in enumerate(dataset.qrels.items()):
        for name, mode in evaluation.modes.items():
            yield {
                "query_id": query,
                "query": dataset.queries[query],
                "mode": name,
                "metrics": {measure: values[place] for measure, values in mode.scores.items()},
                "judged": grades,
                "found": [
                    {"id": document, "score": value, "grade": grades.get(document)}
                    for document, value in mode.run.found[query]
                ],
            }


def _mode_json(mode: ModeResult) -> dict[str, Any]:
    return {
        "metrics": {measure: asdict(estimate) for measure, estimate in mode.estimates.items()},
        "queries_per_second": mode.run.queries_per_second,
        "p50_ms": mode.run.p50_ms,
    }


def _plain(measure: str) -> str:
    return measure.replace("@", "_at_")
