"""How well questions that cannot be answered are refused before an answer is written, on the held-out titles.

Run it with ``python -m tests.evaluation.eval_answerability DATA [--vectors FILE]``: the folder of open data sets; SQuAD
2, ClapNQ and XQuAD in five languages. "elsewhere" asks of a collection without the question's title. The similarity
alone, at the floor that a search has by default, stands beside.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from validation.support.answerability import AnswerabilityModel, answerability, family
from validation.training.answerability_cases import Case, read_cases
from validation.training.kept_vectors import KeptVectors

_FLOOR = 0.25  # of cosine similarity, the default of `floor` in the settings of retrieval


def auc(scores: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Return how often an answerable question scores above one that is not."""
    above = scores[truth][:, None] - scores[~truth][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def report(name: str, cases: Sequence[Case]) -> None:
    """Print one line: kept and refused with the model, and with the floor alone."""
    truth = np.array([case.answerable for case in cases])
    scores = np.array([answerability(case.question, case.hits) for case in cases])
    cosines = np.array([max(hit.similarity or 0.0 for hit in case.hits) for case in cases])
    line = f"{name:<22}n {len(cases):<6}"
    thresholds = AnswerabilityModel.load().thresholds
    own = np.array([thresholds[family(case.question)] for case in cases])
    for values, limit in ((scores, own), (cosines, np.full(len(cases), _FLOOR))):
        refused = values < limit
        line += f"kept {(~refused[truth]).mean():.3f}  refused {refused[~truth].mean():.3f}  "
        line += f"precision {(~truth)[refused].mean() if refused.any() else 1.0:.3f}  AUC {auc(values, truth):.3f} | "
    print(line)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--vectors", type=Path, help="where embeddings are kept for the next run")
    given = arguments.parse_args()
    encode = KeptVectors(given.vectors)
    cases = [case for case in read_cases(given.data, encode) if case.held_out]
    encode.keep()
    print("answerable kept, others refused, precision of refusals | by similarity alone")
    for group in ("squad2", "clapnq"):
        report(group, [case for case in cases if case.group == group])
    for group in sorted({case.group for case in cases if case.group.endswith("elsewhere")}):
        here = [case for case in cases if case.group == group.removesuffix(" elsewhere") and case.answerable]
        report(group, [*here, *(case for case in cases if case.group == group)])


if __name__ == "__main__":
    main()
