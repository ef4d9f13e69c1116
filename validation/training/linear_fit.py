"""Fits the linear models of the injection classifiers with scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors
from validation.injection.injection_features import BUCKETS, lexical_rows
from validation.injection.injection_model import LinearModel

_STRENGTH = 10.0  # C of the regression, chosen among 3, 10, 30, 100 by cross-validation; it matters little
_MOST_STEPS = 500


def fit_linear(
    texts: Sequence[str],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64],
    *,
    dense: Vectors | None = None,
    lexical_scale: float = 1.0,
) -> LinearModel:
    """Return a logistic regression over the texts' words, times `lexical_scale`, and their dense features."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    rows = lexical_rows(texts)
    lengths = np.array([len(row) for row in rows])
    values = np.repeat(lexical_scale / np.sqrt(np.maximum(1, lengths)), lengths)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    words = sparse.csr_matrix((values, np.concatenate(rows), ends), shape=(len(texts), BUCKETS))
    features = words if dense is None else sparse.hstack([words, sparse.csr_matrix(dense)]).tocsr()
    fitted = LogisticRegression(C=_STRENGTH, max_iter=_MOST_STEPS).fit(features, labels, weights)
    learned = fitted.coef_[0].astype(np.float32)
    return LinearModel(learned[BUCKETS:], learned[:BUCKETS] * np.float32(lexical_scale), float(fitted.intercept_[0]))
