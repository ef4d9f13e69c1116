"""Makes one ranking of several: of the views of a collection, and of the ways a query was worded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Found = tuple[tuple[int, float], ...]
_Column = NDArray[np.float64]  # one number per candidate

DENSE = "dense"
_RANK_CONSTANT = 60  # Cormack et al. 2009
_LEAST_TOP = 0.3  # cosine; where even the best is below it, differences are noise and are not blown up


class FusionMethod(StrEnum):
    """How scores of different measures are brought together.

    `CONVEX`: a weighted sum, each measure by its best score. `THEORETICAL`: the same, but cosines count from −1 (TM2C2,
    Bruch et al. 2023). `WEIGHTED_SCORE`: each list by its own least and best, missing is 0 (the relative score of
    LlamaIndex and Weaviate). `Z_SCORE`: by mean and deviation. `RECIPROCAL_RANK`: ranks alone."""

    CONVEX = "convex"
    THEORETICAL = "theoretical"
    WEIGHTED_SCORE = "weighted_score"
    Z_SCORE = "z_score"
    RECIPROCAL_RANK = "reciprocal_rank"


# Best on average over sets of questions in and outside English; see tests/benchmarks/bench_retrieval_quality.py.
_DENSE_SHARES = {
    FusionMethod.CONVEX: 0.66,
    FusionMethod.THEORETICAL: 0.8,
    FusionMethod.WEIGHTED_SCORE: 0.55,
    FusionMethod.Z_SCORE: 0.6,
    FusionMethod.RECIPROCAL_RANK: 0.5,
}


@dataclass(frozen=True, slots=True)
class Fusion:
    """How rankings become one. `dense_share` is the weight of the dense view, the sparse one has the rest; None stands
    for the method's own. `unrelated` is the cosine that the embedder gives to texts that have nothing in common."""

    method: FusionMethod = FusionMethod.CONVEX
    dense_share: float | None = None
    unrelated: float = 0.0

    @property
    def share(self) -> float:
        """The weight of the dense view, between 0 and 1."""
        return _DENSE_SHARES[self.method] if self.dense_share is None else self.dense_share

    def weighted(self, weight: float) -> Fusion:
        """Return the same with the dense view's weight multiplied, as for a language that its embedder hardly knows."""
        dense = self.share * weight
        return replace(self, dense_share=dense / (dense + 1 - self.share))


@dataclass(frozen=True, slots=True)
class Ranking:
    """What one view, `dense` or `sparse`, found for one wording: (key, score) pairs, best first. `weight` says how much
    it counts among the rankings of its view."""

    view: str
    found: Found
    weight: float = 1.0


def fuse(rankings: Sequence[Ranking], similarities: Mapping[int, float], fusion: Fusion) -> list[tuple[int, float]]:
    """Return (key, score) pairs of all that was found, best first; the score is in the method's own measure.

    `similarities` are cosines to the query itself. They stand for the first dense ranking, so that what only words
    found has its cosine there too. A view that found nothing changes nothing.
    """
    keys = sorted({key for ranking in rankings for key, _ in ranking.found})
    if not keys:
        return []
    total = np.zeros(len(keys))
    for dense, share in ((True, fusion.share), (False, 1 - fusion.share)):
        view = [one for one in rankings if (one.view == DENSE) == dense and one.found]
        weight = sum(one.weight for one in view)
        for i, one in enumerate(view):
            if weight > 0:
                scores = similarities if dense and i == 0 and fusion.method in _FROM_COSINES else {}
                total += share * one.weight / weight * _scaled(one, keys, scores, fusion)
    closeness = np.array([similarities.get(key, -1.0) for key in keys])
    return [(keys[i], float(total[i])) for i in np.lexsort((np.array(keys), -closeness, -total))]


def _scaled(ranking: Ranking, keys: Sequence[int], similarities: Mapping[int, float], fusion: Fusion) -> _Column:
    """Return one number per key. Where the ranking has none, dense takes its least and sparse 0, which is as if no
    word matched."""
    if fusion.method is FusionMethod.RECIPROCAL_RANK:
        ranks = {key: rank for rank, (key, _) in enumerate(ranking.found, start=1)}
        return np.array([1 / (_RANK_CONSTANT + ranks[key]) if key in ranks else 0.0 for key in keys])
    scores = {**dict(ranking.found), **similarities}
    least = min(scores.values())
    if fusion.method is FusionMethod.WEIGHTED_SCORE:
        width = max(scores.values()) - least
        return np.array(
            [(scores[key] - least) / width if width and key in scores else float(key in scores) for key in keys]
        )
    dense = ranking.view == DENSE
    column = np.array([scores.get(key, least if dense else 0.0) for key in keys])
    return (_DENSE_SCALES if dense else _SPARSE_SCALES)[fusion.method](column, fusion.unrelated)


def _by_best_cosine(column: _Column, unrelated: float) -> _Column:
    return (column - unrelated) / max(float(column.max()) - unrelated, _LEAST_TOP * (1 - unrelated))


def _from_minus_one(column: _Column, _: float) -> _Column:
    return (column + 1) / max(float(column.max()) + 1, _TINY)


def _by_best(column: _Column, _: float) -> _Column:
    return column / max(float(column.max()), _TINY)


def _standardised(column: _Column, _: float) -> _Column:
    scaled: _Column = (column - column.mean()) / max(float(column.std()), _TINY)
    return scaled


_TINY = 1e-9
_DENSE_SCALES: dict[FusionMethod, Callable[[_Column, float], _Column]] = {
    FusionMethod.CONVEX: _by_best_cosine,
    FusionMethod.THEORETICAL: _from_minus_one,
    FusionMethod.Z_SCORE: _standardised,
}
_SPARSE_SCALES: dict[FusionMethod, Callable[[_Column, float], _Column]] = {
    FusionMethod.CONVEX: _by_best,
    FusionMethod.THEORETICAL: _by_best,
    FusionMethod.Z_SCORE: _standardised,
}
_FROM_COSINES = frozenset(_DENSE_SCALES)
