"""Trains the injection classifiers on the open data: ``python -m validation.training.train_injection DATA_FOLDER``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.injection.injection_model import ARTEFACT, LinearModel
from validation.training.open_sets import clean_passages, digests
from validation.training.passage_fit import fit_passages, training_attacks
from validation.training.prompt_fit import Encode, fit_prompts, open_prompts, prompt_set, seed_prompts
from validation.training.sentence_transformers_encoder import ENCODER, encode

VERSION = "injection-1"


def train(data: Path, encode: Encode) -> dict[str, NDArray[Any]]:
    """Return the arrays of the artefact."""
    rows = prompt_set([*open_prompts(data), *seed_prompts()], encode)
    prompts, words = fit_prompts(rows, np.ones(len(rows.prompts), bool))
    passages = fit_passages(clean_passages(data), training_attacks(data))
    stored = {
        "version": np.array(VERSION),
        "encoder": np.array(ENCODER),
        "trained_on": np.array(json.dumps(digests(data))),
    }
    for name, model in (("prompts", prompts), ("words", words), ("passages", passages)):
        stored |= _arrays(name, model)
    return stored


def _arrays(name: str, model: LinearModel) -> dict[str, NDArray[Any]]:
    return {
        f"{name}_dense": model.dense,
        f"{name}_lexical": model.lexical.astype(np.float16),  # half the size; scores change in the fourth decimal
        f"{name}_bias": np.array(model.bias),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with the open data")
    parser.add_argument("--out", type=Path, default=ARTEFACT)
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(given.out, allow_pickle=False, **train(given.data, encode))
    print(f"wrote {given.out} ({given.out.stat().st_size / 1000:.0f} KB)")


if __name__ == "__main__":
    main()
