"""How well groundedness tells attributable sentences, on BEGIN, and what of wrong answers in right words, on SQuAD 2.

Run it with ``python -m tests.evaluation.eval_groundedness DATA [--encoder] [--entailment MODEL] [--every 3]``: the
folder of open data sets. `--encoder` compares with the cosine similarity of the closest sentence of the passage, alone
and joined by a logistic regression in cross-validation. Thresholds are chosen by cross-validation too.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from validation.support.citations import settle
from validation.support.cross_encoder_entailment import CrossEncoderEntailment
from validation.support.groundedness import groundedness
from validation.support.quotes import sentence_spans
from validation.training.kept_vectors import KeptVectors

_FOLDS = 5
_MIN_SUPPORT = 0.6  # what the validator lets through by default
_NAME = re.compile(r"(?<=\w\s)[A-Z][\w'’-]+(?:\s(?:of\s|the\s)?[A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """A response, what it was made from, and whether people found it fully attributable to that."""

    response: str
    knowledge: str
    attributable: bool


def read_begin(path: Path) -> list[Judged]:
    """Return the rows of one BEGIN file."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [Judged(row["response"], row["knowledge"], row["begin_label"] == "Fully attributable") for row in rows]


def auc(scores: Floats, truth: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: how often a true one scores above a false one."""
    above = scores[truth][:, None] - scores[~truth][None, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def at_threshold(scores: Floats, truth: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return accuracy and F1 at thresholds that other folds choose by accuracy, and the mean threshold."""
    order = np.random.default_rng(0).permutation(len(scores))
    said, chosen = np.zeros(len(scores), bool), []
    for fold in np.array_split(order, _FOLDS):
        rest = np.setdiff1d(order, fold)
        best = max(np.unique(scores[rest]), key=lambda t: ((scores[rest] >= t) == truth[rest]).mean())
        said[fold] = scores[fold] >= best
        chosen.append(float(best))
    hits = int((said & truth).sum())
    return float((said == truth).mean()), 2 * hits / max(1, int(said.sum() + truth.sum())), float(np.mean(chosen))


def similarity(rows: Sequence[Judged], encode: KeptVectors) -> Floats:
    """Return, for each row, the best cosine similarity of the response to a sentence of its knowledge."""
    parts = [[row.knowledge[start:end] for start, end in sentence_spans(row.knowledge)] for row in rows]
    encode([text for row, sentences in zip(rows, parts, strict=True) for text in (row.response, *sentences)])
    pairs = zip(rows, parts, strict=True)
    return np.array([float((encode(sentences) @ encode([row.response])[0]).max()) for row, sentences in pairs])


def joined(columns: Floats, truth: NDArray[np.bool_]) -> Floats:
    """Return the probabilities of a logistic regression over the columns, each row's from the other folds."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # type: ignore[import-untyped]

    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    fitted = cross_val_predict(LogisticRegression(), columns, truth, cv=folds, method="predict_proba")
    return np.asarray(fitted[:, 1])


def report(name: str, scores: Floats, truth: NDArray[np.bool_]) -> None:
    """Print one line of figures."""
    accuracy, f1, threshold = at_threshold(scores, truth)
    print(f"  {name:<24}AUC {auc(scores, truth):.3f}  accuracy {accuracy:.3f}  F1 {f1:.3f}  at {threshold:.2f}")


def swapped(data: Path, every: int) -> Iterator[tuple[str, str, str, str]]:
    """Yield (kind, sentence, the same with its answer exchanged for another of the passage, passage) from SQuAD 2."""
    rng = random.Random(0)
    folder = data / "qa" / "squad2"
    corpus = {row["_id"]: row for row in map(json.loads, (folder / "corpus.jsonl").read_text().splitlines())}
    rows = [row for row in map(json.loads, (folder / "qa.jsonl").read_text().splitlines()) if row["answers"]]
    for row in rows[::every]:
        text, answer = corpus[row["context_id"]]["text"], row["answers"][0]
        kind, pattern = ("number", _NUMBER) if answer[0].isdigit() else ("name", _NAME)
        said = next((text[start:end] for start, end in sentence_spans(text) if answer in text[start:end]), "")
        others = sorted({one for one in pattern.findall(text) if one not in said and one not in row["question"]})
        if said and others and (kind == "number" or answer[0].isupper()):
            wrong = said.replace(answer, rng.choice(others), 1)
            yield kind, said, wrong, f"{corpus[row['context_id']]['title']}\n{text}"


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--encoder", action="store_true")
    arguments.add_argument("--entailment", help="hub id or folder of a cross-encoder for natural language inference")
    arguments.add_argument("--vectors", type=Path, help="where embeddings are kept for the next run")
    arguments.add_argument("--every", type=int, default=1, help="take every n-th question of SQuAD 2")
    given = arguments.parse_args()
    for path in sorted((given.data / "guard" / "grounding_begin").glob("*.tsv")):
        rows = read_begin(path)
        truth = np.array([row.attributable for row in rows])
        print(f"{path.stem}: {len(rows)} responses, {int(truth.sum())} fully attributable")
        words = np.array([groundedness(row.response, row.knowledge) for row in rows])
        report("words", words, truth)
        if given.encoder:
            encode = KeptVectors(given.vectors)
            cosines = similarity(rows, encode)
            encode.keep()
            report("encoder", cosines, truth)
            report("words, in folds", joined(words[:, None], truth), truth)
            report("words and encoder", joined(np.stack([words, cosines], axis=1), truth), truth)
        if given.entailment:
            model = CrossEncoderEntailment(given.entailment)
            scores = await model.score([(row.knowledge, row.response) for row in rows])
            report("entailment", np.array(scores), truth)
    _report_swapped(list(swapped(given.data, given.every)))


def _report_swapped(cases: Sequence[tuple[str, str, str, str]]) -> None:
    print(f"SQuAD 2, sentences let out at {_MIN_SUPPORT}: as they stand, and with their answer exchanged")
    taken = []
    for kind in ("number", "name"):
        chosen = [case for case in cases if case[0] == kind]
        kept = [0, 0]
        for _, right, wrong, passage in chosen:
            for at, sentence in enumerate((right, wrong)):
                start = time.process_time()
                kept[at] += settle(sentence, (passage,), _MIN_SUPPORT) is not None
                taken.append(time.process_time() - start)
        shares = [count / max(1, len(chosen)) for count in kept]
        print(f"  {kind:<8}n {len(chosen):<6}right {shares[0]:.3f}  wrong {shares[1]:.3f}")
    p50, p95 = np.percentile(np.array(taken) * 1e6, [50, 95])
    print(f"  CPU microseconds a sentence against one passage, half of them new: p50 {p50:.0f}, p95 {p95:.0f}")


if __name__ == "__main__":
    asyncio.run(main())
