"""Scores rankings against judgements with ir_measures, which computes as trec_eval does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.evaluation.beir_dataset import Qrels

_MEASURES = {  # by the name under which they are shown: ir_measures' name, and how deep it looks
    "nDCG@10": ("nDCG@10", 10),
    "MAP": ("AP", 0),
    "MRR@10": ("RR@10", 10),
    "Recall@5": ("R@5", 5),
    "Recall@10": ("R@10", 10),
    "Recall@100": ("R@100", 100),
}
Scores = Mapping[str, Sequence[float]]  # by measure, one value per query


def measures(depth: int) -> tuple[str, ...]:
    """Return the names of the measures that can be computed from the first `depth` documents."""
    return tuple(name for name, (_, cutoff) in _MEASURES.items() if cutoff <= depth)


def score(rankings: Mapping[str, Sequence[str]], qrels: Qrels, names: Sequence[str]) -> Scores:
    """Return each measure's values for the queries of `qrels`, in their order; `rankings` are document ids by query,
    best first. nDCG has linear gains; MAP is over as many documents as were ranked."""
    import ir_measures

    parsed = {ir_measures.parse_measure(_MEASURES[name][0]): name for name in names}
    run = {query: {name: float(-rank) for rank, name in enumerate(ranked)} for query, ranked in rankings.items()}
    values: dict[str, dict[str, float]] = {name: {} for name in names}
    for each in ir_measures.iter_calc(list(parsed), {query: dict(grades) for query, grades in qrels.items()}, run):
        values[parsed[each.measure]][each.query_id] = each.value
    return {name: [found.get(query, 0.0) for query in qrels] for name, found in values.items()}
