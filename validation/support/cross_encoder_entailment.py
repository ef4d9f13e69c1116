"""Entailment by a cross-encoder trained on natural language inference, through sentence-transformers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from contracts import ConfigurationError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 16  # pairs; more gain little on a CPU


class CrossEncoderEntailment:
    """Port `Entailment`. `model` is a hub id or a folder; it is loaded at the first use, and runs on a thread of its
    own. Which of its labels means entailment is read from its configuration; what is longer than its window is cut off.
    """

    def __init__(self, model: str, *, batch_size: int = _BATCH) -> None:
        self._name = model
        self._batch_size = batch_size
        self._executor = ThreadPoolExecutor(1, "entailment")
        self._model: CrossEncoder | None = None
        self._label = 0

    @property
    def name(self) -> str:
        """The model's name, part of a guard's version."""
        return self._name

    async def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return, for each (passage, sentence), the probability that the sentence follows from the passage. Raises
        ConfigurationError when the model cannot be loaded or was not trained for that."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._score, list(pairs))

    def _score(self, pairs: list[tuple[str, str]]) -> list[float]:
        if not pairs:
            return []
        if self._model is None:
            model = _open(self._name)
            self._label = entailment_label(self._name, model.config.id2label)
            self._model = model
        import torch

        logits = self._model.predict(
            pairs, batch_size=self._batch_size, show_progress_bar=False, activation_fn=torch.nn.Identity()
        )
        shares = np.exp(logits - np.max(logits, axis=1, keepdims=True))
        return [float(row[self._label] / row.sum()) for row in shares]


def entailment_label(name: str, labels: Mapping[int, str]) -> int:
    """Return the number of the label that means entailment among a model's `labels`. Raises ConfigurationError when
    none does.

    >>> entailment_label("m", {0: "contradiction", 1: "entailment", 2: "neutral"})
    1
    """
    for number, label in labels.items():
        plain = label.casefold().replace("_", " ")
        if plain.startswith(("entail", "supported", "consistent")):
            return int(number)
    raise ConfigurationError(
        f"The entailment model {name!r} has the labels {list(labels.values())!r}, and none of them says entailment. "
        "Set one that was trained on natural language inference, or leave it empty."
    )


def _open(name: str) -> CrossEncoder:
    from sentence_transformers import CrossEncoder
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    try:
        return CrossEncoder(name)
    except (OSError, ValueError, KeyError) as exc:  # what transformers raises for what is not there or not a model
        raise ConfigurationError(
            f"Cannot load the entailment model {name!r}: {exc}. "
            "Name the hub id or the folder of a cross-encoder for natural language inference, or leave it empty."
        ) from exc
