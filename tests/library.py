"""A small library for tests: documents and chunks by the line, on a real SQLite catalog."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import Engine

from apps.database import open_database
from contracts import PUBLIC, Caller, Chunk, Document, Hit
from ingestion.sql_catalog import SqlCatalog
from ingestion.sql_views import SqlChangeFeed, SqlPassages
from retrieval.hashing_embedder import HashingEmbedder

EMBEDDER = HashingEmbedder()
ALICE = Caller("alice")
BOB = Caller("bob", groups=("staff",))


def open_engine(folder: Path) -> Engine:
    """Return a fresh catalog database in `folder`."""
    return open_database(f"sqlite:///{folder / 'catalog.sqlite'}")


def document(
    name: str, text: str, *, collection: str = "default", readers: tuple[str, ...] = (PUBLIC,), **metadata: str
) -> tuple[Document, list[Chunk]]:
    """Return a document called `name` with a chunk per line of `text`."""
    version = hashlib.sha256(text.encode()).hexdigest()
    made = Document(name, collection, version, name, name.title(), "text/plain", len(text), metadata, readers)
    chunks, start = [], 0
    for position, line in enumerate(text.splitlines()):
        digest = hashlib.sha256(f"{version}{position}{line}".encode()).hexdigest()[:32]
        chunks.append(Chunk(digest, name, version, position, line, (start, start + len(line)), page=position + 1))
        start += len(line) + 1
    return made, chunks


def hit(name: str, text: str, score: float = 0.9) -> Hit:
    """Return a hit on a one-chunk document."""
    made, chunks = document(name, text)
    return Hit(chunks[0], made, score)


class Shelf:
    """A catalog with what reads it."""

    def __init__(self, folder: Path) -> None:
        engine = open_engine(folder)
        self.engine = engine
        self.catalog = SqlCatalog(engine)
        self.feed = SqlChangeFeed(engine)
        self.passages = SqlPassages(engine)

    async def put(
        self, name: str, text: str, *, collection: str = "default", readers: tuple[str, ...] = (PUBLIC,), **more: str
    ) -> int:
        """Store a document with a chunk per line and return the generation."""
        made, chunks = document(name, text, collection=collection, readers=readers, **more)
        vectors = await EMBEDDER.embed([chunk.text for chunk in chunks])
        return await self.catalog.put(made, chunks, vectors, EMBEDDER.name)
