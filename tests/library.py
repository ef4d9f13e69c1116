"""A small library for tests: documents and chunks by the line, on a real SQLite catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from apps.database import open_database
from contracts import PUBLIC, Caller, Chunk, Cutting, Document, EmbeddedVersion, Embedder, Hit, SourceState
from ingestion.catalog.sql_builds import SqlBuilds
from ingestion.catalog.sql_catalog import SqlCatalog
from ingestion.catalog.sql_collections import SqlCollections
from ingestion.catalog.sql_source_states import SqlSourceStates
from ingestion.catalog.sql_views import SqlChangeFeed, SqlPassages
from retrieval.embedding.hashing_embedder import HashingEmbedder

EMBEDDER = HashingEmbedder()
ALICE = Caller("alice")
BOB = Caller("bob", groups=("staff",))


def open_engine(folder: Path) -> Engine:
    """Return the catalog database in `folder`."""
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


def text_hash(text: str) -> str:
    """Return the name of a text in the catalog."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


async def embedded(made: Document, chunks: Sequence[Chunk], embedder: Embedder = EMBEDDER) -> EmbeddedVersion:
    """Return a document that is ready to be stored."""
    texts = [chunk.text for chunk in chunks]
    state = SourceState(made.source, made.version, "recipe")
    return EmbeddedVersion(made, tuple(chunks), tuple(map(text_hash, texts)), await embedder.embed(texts), state)


class Shelf:
    """A catalog with what reads it; in SQLite in `folder`, unless an engine is given."""

    def __init__(self, folder: Path, engine: Engine | None = None) -> None:
        engine = engine or open_engine(folder)
        self.engine = engine
        self.catalog = SqlCatalog(engine)
        self.collections = SqlCollections(engine)
        self.states = SqlSourceStates(engine)
        self.builds = SqlBuilds(engine)
        self.feed = SqlChangeFeed(engine)
        self.passages = SqlPassages(engine)

    async def put(
        self,
        name: str,
        text: str,
        *,
        collection: str = "default",
        readers: tuple[str, ...] = (PUBLIC,),
        flags: tuple[str, ...] = (),
        **more: str,
    ) -> int:
        """Store a document with a chunk per line and return the generation; make the collection if there is none."""
        made, chunks = document(name, text, collection=collection, readers=readers, **more)
        chunks = [replace(chunk, flags=flags) for chunk in chunks]
        await self.collections.ensure(collection, EMBEDDER.name, Cutting())
        return await self.catalog.put([await embedded(made, chunks)], EMBEDDER.name)
