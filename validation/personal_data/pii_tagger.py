"""The tagger of names, places, addresses, firms and professions: a linear-chain CRF over hashed features.

Its weights are made by `python -m validation.training.train_pii`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from validation.personal_data.pii_features import FEATURES_VERSION, Token, TokenFeatures, tokens_of
from validation.personal_data.pii_kinds import Finding, PiiKind
from validation.personal_data.pii_patterns import find_patterns

OUTSIDE = "O"
ARTEFACT = f"pii-{FEATURES_VERSION}.npz"
_WINDOW = 512  # tokens judged together, so that memory does not grow with the text


class Tagger:
    """Marks the learned kinds in a text.

    `keys` are the sorted hashes of the known features, `weights` a row of int8 for each, of shape (features, labels),
    to be multiplied by `scale`; `moves[a, b]` is the score of label b after a, `first[b]` that of beginning with it.
    A label is "O", or "B-" or "I-" with the kind that begins or goes on.
    """

    def __init__(
        self,
        *,
        labels: Sequence[str],
        keys: NDArray[np.uint32],
        weights: NDArray[np.int8],
        scale: float,
        moves: NDArray[np.float32],
        first: NDArray[np.float32],
        features: TokenFeatures,
    ) -> None:
        self._labels = tuple(labels)
        self._keys = np.append(keys, np.uint32(0xFFFFFFFF))
        self._weights = np.vstack([weights, np.zeros((1, weights.shape[1]), np.int8)])
        self._scale = scale
        self._moves, self._first = moves, first
        self._features = features

    def find(self, text: str) -> list[Finding]:
        """Return what was found in order of position, without overlaps."""
        tokens = tokens_of(text)
        taken = taken_by_patterns(text, tokens)
        found: list[Finding] = []
        for start in range(0, len(tokens), _WINDOW):
            window = tokens[start : start + _WINDOW]
            labels = self._best_labels(window, taken[start : start + _WINDOW])
            found += _spans(window, [self._labels[label] for label in labels])
        return found

    def _best_labels(self, tokens: Sequence[Token], taken: Sequence[str]) -> list[int]:
        """Viterbi over the scores of the tokens."""
        scores = self._scores(tokens, taken)
        best = self._first + scores[0]
        back: list[NDArray[np.intp]] = []
        for row in scores[1:]:
            paths = best[:, None] + self._moves
            back.append(paths.argmax(axis=0))
            best = paths.max(axis=0) + row
        labels = [int(best.argmax())]
        for pointers in reversed(back):
            labels.append(int(pointers[labels[-1]]))
        return labels[::-1]

    def _scores(self, tokens: Sequence[Token], taken: Sequence[str]) -> NDArray[np.float32]:
        hashes, starts = self._features.of(tokens, taken)
        rows = np.searchsorted(self._keys, hashes)
        rows[self._keys[rows] != hashes] = len(self._keys) - 1
        sums = np.add.reduceat(self._weights[rows], starts, axis=0, dtype=np.int32)
        return (sums * np.float32(self._scale)).astype(np.float32)


def taken_by_patterns(text: str, tokens: Sequence[Token]) -> list[str]:
    """Return, for each token, the kind of what has a form of its own there, or an empty string."""
    taken = [""] * len(tokens)
    at = 0
    for finding in sorted(find_patterns(text), key=lambda finding: finding.start):
        while at and tokens[at - 1].end > finding.start:
            at -= 1
        while at < len(tokens) and tokens[at].start < finding.end:
            if tokens[at].end > finding.start and not taken[at]:
                taken[at] = finding.kind.value
            at += 1
    return taken


@cache
def shipped_tagger() -> Tagger:
    """Return the shipped tagger, read once. Raises ValueError when it belongs to other features."""
    path = files("validation") / "artefacts" / ARTEFACT
    with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
        if int(held["version"]) != FEATURES_VERSION:
            raise ValueError(f"{ARTEFACT!r} was made for other features; run `python -m validation.training.train_pii`")
        lexicon = dict(zip(held["lexicon_keys"].tolist(), held["lexicon_values"].tolist(), strict=True))
        return Tagger(
            labels=[str(label) for label in held["labels"]],
            keys=held["keys"],
            weights=held["weights"],
            scale=float(held["scale"]),
            moves=held["moves"],
            first=held["first"],
            features=TokenFeatures(lexicon),
        )


def _spans(tokens: Sequence[Token], labels: Sequence[str]) -> list[Finding]:
    found: list[Finding] = []
    before = OUTSIDE
    for token, label in zip(tokens, labels, strict=True):
        if label != OUTSIDE:
            kind = PiiKind(label[2:])
            if label[0] == "I" and before[2:] == label[2:]:
                found[-1] = Finding(kind, found[-1].start, token.end)
            else:
                found.append(Finding(kind, token.start, token.end))
        before = label
    return found
