"""Fits the model of answerability on one half of the titles of open sets, and says how it does on the other.

Run it with ``python -m validation.training.train_answerability DATA`` (some minutes; ``--vectors FILE`` keeps the
embeddings for the next run). It writes `validation/artefacts/answerability.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors
from validation.support.answerability import SIGNALS, family, signals
from validation.training.answerability_cases import Case, read_cases
from validation.training.kept_vectors import KeptVectors

_KEPT = 0.985  # of the answerable questions of each set: a refusal of one that could be answered costs most
_FEWEST = 100  # answerable questions of a set and a family of languages that may set a threshold
_ARTEFACT = Path(__file__).parents[1] / "artefacts" / "answerability.json"


def fit(
    rows: NDArray[np.float64], answerable: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[Vectors, float]:
    """Return the weights and the bias of a logistic regression; `weights` are those of the cases."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    scale = rows.std(axis=0) + 1e-9
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(rows / scale, answerable, weights)
    return fitted.coef_[0] / scale, float(fitted.intercept_[0])


def balanced(groups: Sequence[str], answerable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a weight per case, so that each set counts the same and answerable ones as much as the others."""
    keys = [f"{group} {kind}" for group, kind in zip(groups, answerable, strict=True)]
    names, counts = np.unique(keys, return_counts=True)
    sides = {True: sum(name.endswith("True") for name in names), False: sum(name.endswith("False") for name in names)}
    size = dict(zip(names, counts, strict=True))
    return np.array([1 / size[key] / sides[bool(kind)] for key, kind in zip(keys, answerable, strict=True)]) * len(keys)


def threshold_of(scores: NDArray[np.float64], groups: NDArray[np.str_], answerable: NDArray[np.bool_]) -> float:
    """Return the highest threshold that keeps enough of the answerable questions of every set."""
    # A handful of questions that look like another language's would set the threshold for all of it.
    names, counts = np.unique(groups[answerable], return_counts=True)
    per_set = [np.quantile(scores[(groups == group) & answerable], 1 - _KEPT) for group in names[counts >= _FEWEST]]
    return float(min(per_set))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--vectors", type=Path)
    given = arguments.parse_args()
    encode = KeptVectors(given.vectors)
    cases = list(read_cases(given.data, encode))
    encode.keep()
    rows = np.array([signals(case.question, case.hits) for case in cases])
    train = np.array([not case.held_out for case in cases])
    groups, answerable = np.array([case.group for case in cases]), np.array([case.answerable for case in cases])
    learned, bias = fit(rows[train], answerable[train], balanced(list(groups[train]), answerable[train]))
    scores = 1 / (1 + np.exp(-(rows @ learned + bias)))
    families = np.array([family(case.question) for case in cases])
    limits = {
        name: threshold_of(scores[chosen], groups[chosen], answerable[chosen])
        for name in np.unique(families).tolist()
        for chosen in (train & (families == name),)
    }
    stored = {"weights": dict(zip(SIGNALS, learned.round(4).tolist(), strict=True)), "bias": round(bias, 4)}
    rounded = {name: round(limit, 4) for name, limit in limits.items()}
    _ARTEFACT.write_text(json.dumps({**stored, "thresholds": rounded}, indent=1) + "\n")
    report(cases, scores >= np.array([limits[name] for name in families]))


def report(cases: Sequence[Case], passed: NDArray[np.bool_]) -> None:
    """Print, for the held-out half of each set, the share that is let through."""
    print("share let through, held-out titles")
    for group in sorted({case.group for case in cases}):
        for answerable in (True, False):
            chosen = [
                at
                for at, case in enumerate(cases)
                if case.group == group and case.answerable == answerable and case.held_out
            ]
            if chosen:
                kind = "answerable" if answerable else "unanswerable"
                print(f"  {group:<22}{kind:<14}{len(chosen):>5}{float(passed[chosen].mean()):>8.3f}")


if __name__ == "__main__":
    main()
