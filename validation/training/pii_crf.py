"""A linear-chain CRF over sparse features, fitted by torch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import embedding_bag
from torch.nn.utils.rnn import pad_sequence

FORBIDDEN = -1e4
"""Score of a label that goes on with a kind that did not begin."""

_BATCH = 32
_DROPPED = 0.3  # share of features hidden at each step: no single one, such as a name seen in training, decides alone
_RATE = 0.1
_LEAST_SEEN = 4


@dataclass(frozen=True, slots=True)
class Example:
    """Feature hashes token by token, where each token's begin, and the label of each token."""

    hashes: NDArray[np.uint32]
    starts: NDArray[np.int64]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Known features and their weights of shape (features, labels), scores of moves between labels and of the first."""

    keys: NDArray[np.uint32]
    weights: NDArray[np.float32]
    moves: NDArray[np.float32]
    first: NDArray[np.float32]


def fit(examples: Sequence[Example], labels: Sequence[str], *, rounds: int, seed: int = 0) -> Fitted:
    """Return the CRF of greatest likelihood by AdaGrad, `rounds` times over the examples."""
    torch.manual_seed(seed)
    torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]  # AdaGrad would warn
    shuffled = random.Random(seed)
    keys, counts = np.unique(np.concatenate([example.hashes for example in examples]), return_counts=True)
    keys = keys[counts >= _LEAST_SEEN]
    rows = [_rows(keys, example.hashes) for example in examples]
    allowed = torch.tensor([[_allowed(a, b) for b in labels] for a in labels])
    blocked = torch.where(allowed, 0.0, FORBIDDEN)
    weights = torch.zeros(len(keys) + 1, len(labels), requires_grad=True)
    moves = torch.zeros(len(labels), len(labels), requires_grad=True)
    first = torch.zeros(len(labels), requires_grad=True)
    may_begin = torch.tensor([0.0 if label[0] != "I" else FORBIDDEN for label in labels])
    optimizer = torch.optim.Adagrad([weights, moves, first], lr=_RATE)
    for _ in range(rounds):
        for batch in _batches(examples, shuffled):
            loss = _loss(
                [examples[i] for i in batch], [rows[i] for i in batch], weights, moves + blocked, first + may_begin
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return Fitted(
        keys, weights.detach().numpy()[1:], (moves + blocked).detach().numpy(), (first + may_begin).detach().numpy()
    )


def _batches(examples: Sequence[Example], shuffled: random.Random) -> list[list[int]]:
    """Examples of about the same length together, in another order each time."""
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].labels) + 4 * shuffled.random())
    batches = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
    shuffled.shuffle(batches)
    return batches


def _rows(keys: NDArray[np.uint32], hashes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Row of each hash, from 1; 0 for one that is not known."""
    rows = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    return np.where(keys[rows] == hashes, rows + 1, 0).astype(np.int64)


def _loss(
    batch: Sequence[Example],
    rows: Sequence[NDArray[np.int64]],
    weights: torch.Tensor,
    moves: torch.Tensor,
    first: torch.Tensor,
) -> torch.Tensor:
    """Mean negative log-likelihood of the labels."""
    lengths = [len(example.labels) for example in batch]
    begins = np.cumsum([0, *(len(row) for row in rows[:-1])])
    offsets = np.concatenate([example.starts + begin for example, begin in zip(batch, begins, strict=True)])
    flat = torch.from_numpy(np.concatenate(rows))
    shown = ((torch.rand(len(flat)) > _DROPPED) & (flat > 0)).float() / (1 - _DROPPED)
    scores = embedding_bag(flat, weights, torch.from_numpy(offsets), mode="sum", per_sample_weights=shown, sparse=True)
    scores = pad_sequence(list(torch.split(scores, lengths)), batch_first=True)
    gold = pad_sequence([torch.from_numpy(example.labels) for example in batch], batch_first=True)
    inside = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    every = first + scores[:, 0]
    for at in range(1, scores.shape[1]):
        longer = torch.logsumexp(every[:, :, None] + moves[None], 1) + scores[:, at]
        every = torch.where(inside[:, at, None], longer, every)
    path = first[gold[:, 0]] + (scores.gather(2, gold[:, :, None])[:, :, 0] * inside).sum(1)
    path = path + (moves[gold[:, :-1], gold[:, 1:]] * inside[:, 1:]).sum(1)
    return (torch.logsumexp(every, 1) - path).mean()


def _allowed(before: str, label: str) -> bool:
    return label[0] != "I" or before[2:] == label[2:]
