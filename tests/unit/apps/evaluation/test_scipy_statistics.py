"""Intervals and tests: the same for the same seed, and what a textbook would say."""

import numpy as np
import pytest

from apps.evaluation.scipy_statistics import estimate, p_value

VALUES = np.random.default_rng(7).normal(0.5, 0.2, 400)


def test_an_interval_is_that_of_the_normal_approximation() -> None:
    got = estimate(VALUES.tolist(), seed=1)
    margin = 1.96 * VALUES.std() / np.sqrt(len(VALUES))
    assert got.mean == pytest.approx(VALUES.mean())
    assert got.low == pytest.approx(VALUES.mean() - margin, abs=margin / 10)
    assert got.high == pytest.approx(VALUES.mean() + margin, abs=margin / 10)


def test_the_seed_decides_the_draw() -> None:
    assert estimate(VALUES.tolist(), seed=1) == estimate(VALUES.tolist(), seed=1)
    assert estimate(VALUES.tolist(), seed=1) != estimate(VALUES.tolist(), seed=2)
    others = (VALUES + np.random.default_rng(3).normal(0.01, 0.1, 400)).tolist()
    assert p_value(VALUES.tolist(), others, seed=1) == p_value(VALUES.tolist(), others, seed=1)


def test_one_query_has_no_interval_and_equal_ones_a_narrow_one() -> None:
    assert (estimate([0.4], 0).low, estimate([0.4], 0).high) == (None, None)
    same = estimate([0.5, 0.5, 0.5], 0)
    assert (same.mean, same.low, same.high) == (0.5, 0.5, 0.5)


def test_a_difference_is_judged_by_how_often_chance_makes_it() -> None:
    assert p_value([0.1, 0.2], [0.1, 0.2], 0) == 1.0
    assert p_value([1.0] * 5, [0.0] * 5, 0) == pytest.approx(2 / 2**5)  # exact: both signs of one arrangement in 32
    assert p_value((VALUES + 0.1).tolist(), VALUES.tolist(), 0) < 0.001
    noise = np.random.default_rng(5).normal(0, 0.2, 400)
    assert p_value((VALUES + noise - noise.mean()).tolist(), VALUES.tolist(), 0) > 0.5


def test_many_queries_fit_in_memory() -> None:
    many = np.linspace(0, 1, 3000).tolist()
    assert estimate(many, 0).low == pytest.approx(0.5, abs=0.02)
