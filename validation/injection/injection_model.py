"""The trained classifiers for injection: linear in hashed words and dense features, computed with numpy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contracts import ConfigurationError, Vectors
from validation.injection.injection_features import lexical_rows, plain, windows

ARTEFACT = Path(__file__).parent.with_name("artefacts") / "injection-1.npz"


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A logistic regression: `dense` has one weight per dense feature, `lexical` one per bucket of hashed words."""

    dense: NDArray[np.float32]
    lexical: NDArray[np.float32]
    bias: float

    def scores(self, texts: Sequence[str], features: Sequence[Sequence[float]] | Vectors | None = None) -> list[float]:
        """Return the probability, 0 to 1, for each text; `features` are its dense ones, of shape (texts, dense)."""
        words = np.array(
            [self.lexical[row].sum() / np.sqrt(max(1, len(row))) for row in lexical_rows(texts)], np.float32
        )
        margins = words + self.bias
        if features is not None:
            margins = margins + np.asarray(features, np.float32) @ self.dense
        return [float(score) for score in 1 / (1 + np.exp(-np.clip(margins, -50, 50)))]


@dataclass(frozen=True, slots=True)
class InjectionModels:
    """What one artefact holds: a model of prompts over words and the vectors of `encoder`, one of prompts over words
    alone, and one of the sentences of passages. `trained_on` names the data's files with their SHA-256."""

    version: str
    encoder: str
    prompts: LinearModel
    words: LinearModel
    passages: LinearModel
    trained_on: str

    def pieces(self, text: str) -> list[str]:
        """Return the parts of a prompt that are judged, each no longer than an encoder reads."""
        return windows(plain(text))

    def score(self, pieces: Sequence[str], vectors: Vectors | None = None) -> float:
        """Return how likely it is, 0 to 1, that a prompt with these pieces steers the model; `vectors` are the
        encoder's, one a piece. Without them the words alone decide."""
        model = self.words if vectors is None else self.prompts
        return max(model.scores(pieces, vectors))


@cache
def injection_models(path: Path = ARTEFACT) -> InjectionModels:
    """Return the models in the artefact, read once. Raises ConfigurationError when it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return InjectionModels(
                version=str(stored["version"]),
                encoder=str(stored["encoder"]),
                prompts=_model(stored, "prompts"),
                words=_model(stored, "words"),
                passages=_model(stored, "passages"),
                trained_on=str(stored["trained_on"]),
            )
    except (OSError, KeyError, ValueError) as exc:
        raise ConfigurationError(
            f"Cannot read the injection classifier {path.name!r}: {exc}. Install the package again, or train it with "
            "`python -m validation.training.train_injection`."
        ) from exc


def _model(stored: np.lib.npyio.NpzFile, name: str) -> LinearModel:
    dense, lexical = (stored[f"{name}_{part}"].astype(np.float32) for part in ("dense", "lexical"))
    return LinearModel(dense, lexical, float(stored[f"{name}_bias"]))
