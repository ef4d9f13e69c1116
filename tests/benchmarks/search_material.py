"""Synthetic collections to search: clustered vectors, and passages put together from the sentences of real ones."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contracts import Vectors

DIMENSION = 384
CHUNKS_PER_DOCUMENT = 10
_WORDS = 100  # in a chunk, about
_LATENT = 96  # directions in which vectors differ; the spread of what a sentence encoder makes is about as wide
_CLOSENESS = 0.8  # deviation of a member from the middle of its cluster, that of the middles being 1
_NOISE = 0.02
_MEMBERS = 100  # of a cluster
_BLOCK = 50_000
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Material:
    """The files of a collection below `folder`: a text per line, a vector per row, and queries in the same way."""

    folder: Path

    @property
    def texts(self) -> Path:
        """A chunk per line; every ten lines are a document."""
        return self.folder / "texts.txt"

    @property
    def queries(self) -> list[str]:
        """What is searched for."""
        return (self.folder / "queries.txt").read_text("utf-8").splitlines()

    @property
    def vectors(self) -> Vectors:
        """A unit vector per chunk, mapped from the file."""
        found: Vectors = np.load(self.folder / "vectors.npy", mmap_mode="r")
        return found

    @property
    def query_vectors(self) -> Vectors:
        """A unit vector per query."""
        found: Vectors = np.load(self.folder / "query_vectors.npy")
        return found


def make_material(texts: Sequence[Path], size: int, folder: Path, seed: int = 1) -> Material:
    """Make a collection of `size` chunks from the corpora below `texts`, which are in BEIR's layout; one that lies in
    `folder` is used again."""
    material = Material(folder)
    if (folder / "query_vectors.npy").exists():
        return material
    folder.mkdir(parents=True, exist_ok=True)
    queries = read_queries(texts)
    (folder / "queries.txt").write_text("\n".join(queries), "utf-8")
    with material.texts.open("w", encoding="utf-8") as file:
        file.writelines(text + "\n" for text in islice(passages(texts, random.Random(seed)), size))
    np.save(folder / "query_vectors.npy", _write_vectors(folder / "vectors.npy", size, len(queries), seed))
    return material


def read_queries(texts: Sequence[Path]) -> list[str]:
    """Return the last line of every query below `texts`, each once, in a shuffled order that is always the same."""
    found: dict[str, None] = {}
    for path in _files(texts, "*queries*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            last = json.loads(line)["text"].splitlines()[-1]
            found[" ".join(last.removeprefix("|user|:").split())] = None
    queries = sorted(found)
    random.Random(0).shuffle(queries)
    return queries


def passages(texts: Sequence[Path], chance: random.Random) -> Iterator[str]:
    """Yield passages without end: sentences of two passages of one corpus, so that words stand with their likes and
    as often as they do there."""
    corpora = [corpus for path in _files(texts, "*corpus.jsonl") if (corpus := _sentences(path))]
    if not corpora:
        raise SystemExit(f"No *corpus.jsonl below {[str(folder) for folder in texts]}.")
    weights = [len(corpus) for corpus in corpora]
    while True:
        corpus = chance.choices(corpora, weights)[0]
        sentences: list[str] = []
        words = 0
        while words < _WORDS:
            both = chance.choice(corpus) + chance.choice(corpus)
            some = chance.sample(both, min(len(both), 4))
            sentences += some
            words += sum(sentence.count(" ") + 1 for sentence in some)
        yield " ".join(sentences)


def _files(folders: Sequence[Path], pattern: str) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob(pattern))


def _sentences(corpus: Path) -> list[list[str]]:
    with corpus.open(encoding="utf-8") as lines:
        texts = (" ".join(json.loads(line)["text"].split()) for line in lines)
        return [_SENTENCE.split(text) for text in texts if text]


def _write_vectors(path: Path, size: int, queries: int, seed: int) -> Vectors:
    """Write a mixture of Gaussians on the unit sphere; return vectors near some of its members."""
    chance = np.random.default_rng(seed)
    basis = np.linalg.qr(chance.standard_normal((DIMENSION, _LATENT)))[0].T.astype(np.float32)
    middles = chance.standard_normal((max(10, size // _MEMBERS), _LATENT), dtype=np.float32)
    written = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(size, DIMENSION))
    for start in range(0, size, _BLOCK):
        rows = min(_BLOCK, size - start)
        near = middles[chance.integers(len(middles), size=rows)]
        written[start : start + rows] = _around(near, basis, chance)
    members = written[np.sort(chance.integers(size, size=queries))]
    written.flush()
    offset = chance.standard_normal((queries, _LATENT), dtype=np.float32) @ basis
    return _unit(members + offset * (0.5 / np.sqrt(_LATENT)))


def _around(middles: Vectors, basis: Vectors, chance: np.random.Generator) -> Vectors:
    latent = middles + _CLOSENESS * chance.standard_normal(middles.shape, dtype=np.float32)
    spread = latent @ basis
    return _unit(spread + _NOISE * chance.standard_normal(spread.shape, dtype=np.float32))


def _unit(rows: NDArray[np.float32]) -> Vectors:
    scaled: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled
