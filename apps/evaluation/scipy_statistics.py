"""How sure a mean over queries is, and whether two ways to search differ, with scipy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 9_999
_BATCH_VALUES = 1 << 22  # that are held in memory at once


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with the bounds of its confidence interval; of a single query there are no bounds."""

    mean: float
    low: float | None
    high: float | None


def estimate(values: Sequence[float], seed: int, confidence: float = 0.95) -> Estimate:
    """Return the mean with its interval by the bootstrap over queries (percentile method)."""
    from scipy.stats import bootstrap

    array = np.asarray(values, dtype=float)
    mean = float(array.mean())
    if len(array) < 2:
        return Estimate(mean, None, None)
    interval = bootstrap(
        (array,),
        np.mean,
        confidence_level=confidence,
        method="percentile",
        n_resamples=_RESAMPLES,
        batch=_batch(array.size),
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high))


def p_value(values: Sequence[float], others: Sequence[float], seed: int) -> float:
    """Return how likely a difference of the means as large as this is by chance, two-sided: a paired randomisation test
    over queries (Smucker, Allan, Carterette, CIKM 2007)."""
    from scipy.stats import permutation_test

    differences = np.asarray(values, dtype=float) - np.asarray(others, dtype=float)
    if not differences.any():
        return 1.0
    tested = permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=_batch(differences.size),
        rng=np.random.default_rng(seed),
    )
    return float(tested.pvalue)


def _batch(size: int) -> int:
    return max(1, _BATCH_VALUES // size)
