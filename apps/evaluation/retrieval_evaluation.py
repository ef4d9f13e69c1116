"""Compares ways to search on judged queries: runs each, scores it, and says how sure the figures are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from apps.evaluation.beir_dataset import Qrels
from apps.evaluation.ir_measures_scores import Scores, measures, score
from apps.evaluation.judged_runs import Run, Search, run_queries
from apps.evaluation.scipy_statistics import Estimate, estimate, p_value

COMPARED = (("hybrid", "dense"), ("hybrid", "sparse"), ("reranked", "hybrid"))
OnQuery = Callable[[str, int], None]  # hears which mode is under way, and how many queries are done


@dataclass(frozen=True, slots=True)
class ModeResult:
    """How one way to search did: `scores` by measure and query, `estimates` of their means."""

    run: Run
    scores: Scores
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `mode` is better by than `other`, as a difference of means, and the p-value of that."""

    mode: str
    other: str
    measure: str
    difference: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results by mode, over the same queries, each searched down to `depth` documents."""

    modes: Mapping[str, ModeResult]
    comparisons: tuple[Comparison, ...]
    depth: int
    seed: int


async def evaluate(
    searches: Mapping[str, Search],
    queries: Mapping[str, str],
    qrels: Qrels,
    *,
    depth: int = 100,
    seed: int = 0,
    on_query: OnQuery = lambda mode, done: None,
    compared: Sequence[tuple[str, str]] = COMPARED,
) -> Evaluation:
    """Run every way to search on the queries, which must be those of `qrels`, and score them. Of `compared`, the pairs
    are tested of which both are among `searches`."""
    modes: dict[str, ModeResult] = {}
    for mode, search in searches.items():
        on_query(mode, 0)
        run = await run_queries(search, queries, depth, functools.partial(on_query, mode))
        modes[mode] = _result(run, qrels, depth, seed)
    pairs = [(mode, other) for mode, other in compared if mode in modes and other in modes]
    comparisons = [each for mode, other in pairs for each in _compare(modes, mode, other, seed)]
    return Evaluation(modes, tuple(comparisons), depth, seed)


def _result(run: Run, qrels: Qrels, depth: int, seed: int) -> ModeResult:
    ranked = {query: [name for name, _ in found] for query, found in run.found.items()}
    scores = score(ranked, qrels, measures(depth))
    return ModeResult(run, scores, {name: estimate(values, seed) for name, values in scores.items()})


def _compare(modes: Mapping[str, ModeResult], mode: str, other: str, seed: int) -> list[Comparison]:
    better, than = modes[mode], modes[other]
    return [
        Comparison(
            mode,
            other,
            name,
            better.estimates[name].mean - than.estimates[name].mean,
            p_value(values, than.scores[name], seed),
        )
        for name, values in better.scores.items()
    ]
