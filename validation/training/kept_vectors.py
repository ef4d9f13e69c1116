"""Vectors of texts, kept in a file from one run of a script to the next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contracts import Vectors
from validation.training.sentence_transformers_encoder import encode


class KeptVectors:
    """Encodes texts that `file` does not hold yet. Without a file nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._vectors: dict[str, Vectors] = {}
        if file and file.exists():
            with np.load(file) as stored:
                self._vectors = dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), rows of unit length."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if missing:
            self._vectors.update(zip(missing, encode(missing), strict=True))
        return np.stack([self._vectors[text] for text in texts])

    def keep(self) -> None:
        """Write all vectors to the file."""
        if self._file:
            np.savez(self._file, texts=np.array(list(self._vectors)), vectors=np.stack(list(self._vectors.values())))
