"""How well injection is found, and what is blocked for nothing: prompts and passages, by cross-validation on open data.

Run it with ``python -m tests.evaluation.eval_injection DATA_FOLDER``. Nothing is scored by a model that was trained on
it: prompts are split into five folds, planted attacks by category and the passages that carry them by passage. With
``--vectors FILE`` the prompts' vectors, which take minutes, are kept from one run to the next.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors
from tests.evaluation.planted_injection import report_passages
from tests.evaluation.signs_injection import report_signs
from validation.injection.injection_patterns import find_injection
from validation.training.open_sets import Labelled
from validation.training.prompt_fit import (
    SEED,
    PromptSet,
    fit_prompts,
    is_question,
    open_prompts,
    prompt_set,
    seed_prompts,
)

FOLDS = 5
SHIPPED = 0.4  # the threshold of the validator
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
Scores = tuple[NDArray[np.float64], NDArray[np.float64]]  # with vectors, by words alone


def embed(texts: Sequence[str], kept: Path | None) -> Vectors:
    from retrieval.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder

    known: dict[str, NDArray[np.float32]] = {}
    if kept is not None and kept.exists():
        with np.load(kept, allow_pickle=False) as stored:
            known = dict(zip(stored["texts"].tolist(), stored["vectors"].astype(np.float32), strict=True))
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        known.update(zip(missing, asyncio.run(SentenceTransformersEmbedder().embed(missing)), strict=True))
        if kept is not None:
            np.savez(kept, texts=np.array(list(known)), vectors=np.array(list(known.values()), np.float16))
    return np.array([known[text] for text in texts], np.float32)


def folds(prompts: Sequence[Labelled]) -> NDArray[np.int64]:
    """Return the fold of each prompt; each set is spread evenly, and what was written for training is in none."""
    fold = np.full(len(prompts), -1)
    random = np.random.default_rng(0)
    kinds = np.array([f"{one.source} {one.attack}" for one in prompts])
    for kind in np.unique([kind for kind in kinds if not kind.startswith(SEED)]):
        places = random.permutation(np.flatnonzero(kinds == kind))
        fold[places] = np.arange(len(places)) % FOLDS
    return fold


def held_out(rows: PromptSet, fold: NDArray[np.int64], left_out: Sequence[str] = ()) -> Scores:
    """Return each prompt's scores by models that were trained on the other folds, and on no set that is `left_out`."""
    usable = np.array([one.source not in left_out for one in rows.prompts])
    found = np.zeros(len(fold)), np.zeros(len(fold))
    for part in range(FOLDS):
        together, words = fit_prompts(rows, usable & (fold != part))
        mine = fold == part
        found[0][mine] = rows.best(together.scores(rows.pieces, rows.vectors))[mine]
        found[1][mine] = rows.best(words.scores(rows.pieces))[mine]
    return found


def report_prompts(rows: PromptSet) -> None:
    fold = folds(rows.prompts)
    known = np.array([find_injection(one.text) is not None for one in rows.prompts])
    table = partial(print_table, rows.prompts)
    print("\nPatterns alone (they were written with an eye on deepset's training half, so its figures flatter them)")
    table(known, "patterns")
    scores = held_out(rows, fold)
    for name, column in (("patterns or classifier", scores[0]), ("patterns or classifier by words alone", scores[1])):
        print(f"\n{name}, {FOLDS} folds")
        for threshold in THRESHOLDS:
            table(known | (column >= threshold), f"{threshold:.2f}")
    for left_out in (("jailbreak", "notinject"), ("deepset",)):
        print(f"\nPatterns or classifier, trained without {' and '.join(left_out)}")
        column = held_out(rows, fold, left_out)[0]
        for threshold in (0.3, 0.4, 0.5):
            table(known | (column >= threshold), f"{threshold:.2f}")
    wrong = [
        one for one, flag in zip(rows.prompts, known | (scores[0] >= SHIPPED), strict=True) if flag and not one.attack
    ]
    print(f"\nHarmless prompts that {SHIPPED} blocks:")
    for one in wrong:
        print(f"  {one.source}: {one.text[:110]!r}")


def print_table(prompts: Sequence[Labelled], flags: NDArray[np.bool_], name: str) -> None:
    def share(chosen: Callable[[Labelled], bool], flags: NDArray[np.bool_] = flags) -> str:
        mine = np.array([one.source != SEED and chosen(one) for one in prompts])
        return f"{100 * flags[mine].mean():5.1f}% of {mine.sum()}"

    attack = np.array([one.attack for one in prompts])
    print(
        f"  {name:<9} deepset right {share(lambda one: one.source == 'deepset', flags == attack)}, "
        f"attacks {share(lambda one: one.source == 'deepset' and one.attack)}, "
        f"harmless {share(lambda one: one.source == 'deepset' and not one.attack)} | "
        f"jailbreaks {share(lambda one: one.source == 'jailbreak')} | blocked for nothing: "
        f"NotInject {share(lambda one: one.source == 'notinject')}, questions {share(is_question)}, "
        f"pasted texts {share(lambda one: one.source == 'texts')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with the open data")
    parser.add_argument("--vectors", type=Path, help="keep the prompts' vectors in this .npz file")
    given = parser.parse_args()
    print(f"$ python -m tests.evaluation.eval_injection {' '.join(sys.argv[1:])}")
    report_prompts(prompt_set([*open_prompts(given.data), *seed_prompts()], lambda texts: embed(texts, given.vectors)))
    report_passages(given.data)
    report_signs(given.data)


if __name__ == "__main__":
    main()
