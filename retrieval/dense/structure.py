"""What every structure over the rows of an index can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from contracts import Vectors
from retrieval.dense.faiss_exact import Scores
from retrieval.dense.faiss_threads import load_faiss
from retrieval.dense.index_contents import Contents, Flags, Proceed
from retrieval.dense.index_policy import Kind
from retrieval.dense.masks import Mask
from retrieval.dense.vector_rows import Slots


class Structure(Protocol):
    """What names candidates. It covers the slots below `covers`, and was laid out for `trained_on` rows."""

    kind: Kind
    covers: int
    trained_on: int

    def candidates(self, query: Scores, k: int, mask: Mask) -> Slots:
        """Return selected slots among which the k nearest to the query are, at least k; fewer mean that it did not get
        to the others."""
        ...

    def extended(self, contents: Contents, proceed: Proceed) -> Structure:
        """Return a structure that holds nothing of what died since, and all that came."""
        ...

    def clean(self, alive: Flags) -> bool:
        """Return whether it holds nothing of a dead slot."""
        ...

    def save(self, path: Path) -> None:
        """Write it to a file. Raises OSError."""
        ...


def sample(contents: Contents, count: int) -> Vectors:
    """Return up to `count` of the vectors, always the same ones."""
    slots = np.flatnonzero(contents.alive)
    if count < len(slots):
        slots = np.sort(np.random.default_rng(0).choice(slots, count, replace=False))
    return contents.take(slots)


def real(found: Slots) -> Slots:
    """Return what was found without the -1 with which FAISS fills up."""
    return found[found >= 0]


def changeable_copy(index: Any) -> Any:
    """Return a copy of a FAISS index that can be changed, which a clone of a mapped one cannot."""
    faiss = load_faiss()
    return faiss.deserialize_index(faiss.serialize_index(index))


def save(index: Any, path: Path) -> None:
    """Write a FAISS index to a file. Raises OSError."""
    try:
        load_faiss().write_index(index, str(path))
    except RuntimeError as exc:
        raise OSError(f"{path}: {exc}") from exc
