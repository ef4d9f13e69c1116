"""Fills a catalog with synthetic material, as ingestion would: each batch of documents is one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice

import numpy as np

from contracts import PUBLIC, Catalog, Chunk, Collections, Cutting, Document, EmbeddedVersion, SourceState, Vectors
from tests.benchmarks.search_material import CHUNKS_PER_DOCUMENT, Material

COLLECTION = "bench"
EMBEDDER = "known-vectors"
EVERYONE, TENTH, HUNDREDTH = "everyone", "tenth", "hundredth"  # readers of a collection that is not public
YEARS = 20  # each year has a twentieth of the documents
_BATCH = 200  # documents
_NAMED = "document-"


async def fill(collections: Collections, catalog: Catalog, material: Material, *, restricted: bool) -> int:
    """Store the material and return the number of documents. With `restricted` no document is public: a tenth and a
    hundredth of them have readers of their own besides those who read all."""
    await collections.ensure(COLLECTION, EMBEDDER, Cutting())
    made, stored = documents(material, restricted=restricted), 0
    while batch := list(islice(made, _BATCH)):
        await catalog.put(batch, EMBEDDER)
        stored += len(batch)
    return stored


def documents(material: Material, *, restricted: bool) -> Iterator[EmbeddedVersion]:
    """Yield the documents of the material; chunk i of the collection has row i of its vectors."""
    vectors = material.vectors
    with material.texts.open(encoding="utf-8") as lines:
        number = 0
        while texts := [line.rstrip("\n") for line in islice(lines, CHUNKS_PER_DOCUMENT)]:
            first = number * CHUNKS_PER_DOCUMENT
            yield document(number, texts, vectors[first : first + len(texts)], _readers(number, restricted))
            number += 1


def document(number: int, texts: list[str], vectors: Vectors, readers: tuple[str, ...] = (PUBLIC,)) -> EmbeddedVersion:
    """Return a document that is ready to be stored. No two chunks share a vector, whatever their texts are."""
    name = f"{_NAMED}{number:07}"
    version = _digest(name + "\n".join(texts))
    title = " ".join(texts[0].split()[:6])
    metadata = {"year": str(2000 + number // 10 % YEARS)}
    size = sum(map(len, texts))
    made = Document(name, COLLECTION, version, f"{name}.txt", title, "text/plain", size, metadata, readers)
    chunks, start = [], 0
    for position, text in enumerate(texts):
        key = _digest(f"{version}{position}")[:32]
        chunks.append(Chunk(key, name, version, position, text, (start, start + len(text))))
        start += len(text) + 2
    hashes = tuple(chunk.id for chunk in chunks)
    state = SourceState(made.source, version, "benchmark")
    return EmbeddedVersion(made, tuple(chunks), hashes, np.asarray(vectors), state)


def row_of(chunk: Chunk) -> int:
    """Return which row of the material a chunk is."""
    return int(chunk.document_id.removeprefix(_NAMED)) * CHUNKS_PER_DOCUMENT + chunk.position


def _readers(number: int, restricted: bool) -> tuple[str, ...]:
    if not restricted:
        return (PUBLIC,)
    mine = [EVERYONE]
    if number % 10 == 0:
        mine.append(TENTH)
    if number % 100 == 0:
        mine.append(HUNDREDTH)
    return tuple(mine)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
