"""The catalog on SQL: what is written together, with its generation, is one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, delete, select, update

from contracts import (
    Chunk,
    Document,
    DocumentSummary,
    EmbeddedVersion,
    InvalidInputError,
    SourceState,
    StaleEmbedderError,
    VersionSummary,
)
from ingestion.catalog import sql_reads
from ingestion.catalog.sql_puts import check, put_versions, replace_readers
from ingestion.catalog.sql_reads import no_document, used_versions
from ingestion.catalog.sql_removals import hashes_of, outdated, remove_versions, sweep_texts
from ingestion.catalog.sql_schema import collections, documents, versions
from ingestion.catalog.sql_transactions import batches, compact, fold_log, in_thread, reading, writing
from ingestion.catalog.sql_whole_versions import read_version
from ingestion.catalog.sql_writes import (
    contained_in,
    count_up,
    no_collection,
    note_changes,
    remove_states,
    store_states,
)

T = TypeVar("T")

_DAY_S = 86_400.0


class SqlCatalog:
    """Port `Catalog` on an SQLAlchemy engine (SQLite or PostgreSQL).

    Of each document `keep_versions` old versions are kept, each for `keep_days` after it was replaced.
    """

    def __init__(self, engine: Engine, *, keep_versions: int = 10, keep_days: float = 90.0) -> None:
        self._engine = engine
        self._keep_versions = keep_versions
        self._keep_s = keep_days * _DAY_S

    async def put(self, versions: Sequence[EmbeddedVersion], embedder: str) -> int:
        """Store documents of one collection in a new current version, or in the same one cut anew, with their states;
        return the generation. Raises NotFoundError, and StaleEmbedderError when the vectors are not of the collection's
        embedder any more."""
        collection = check(versions)
        new = {each.document.id: each for each in versions}

        def work() -> int:
            with writing(self._engine) as connection:
                generation, expected = count_up(connection, collection)
                if embedder != expected:
                    raise StaleEmbedderError(f"Collection {collection!r} uses {expected!r} by now: embed again.")
                replaced, loose = put_versions(connection, list(new.values()), embedder, generation)
                self._prune(connection, replaced)
                sweep_texts(connection, loose)
                store_states(connection, collection, [each.state for each in new.values()])
                note_changes(connection, collection, generation, new)
                return generation

        return await in_thread(work)

    async def delete(self, collection: str, document_ids: Sequence[str]) -> int:
        """Remove documents with all their versions, and the states of their sources and of all that is inside these;
        ids that are gone are passed over. Return the generation. Raises NotFoundError."""

        def work() -> int:
            with writing(self._engine) as connection:
                sources = _sources(connection, collection, document_ids)
                if not sources:
                    return _generation(connection, collection)
                generation, _ = count_up(connection, collection)
                ids, hashes = list(sources), hashes_of(connection, list(sources))
                for some in batches(ids):
                    connection.execute(delete(documents).where(documents.c.id.in_(some)))
                sweep_texts(connection, hashes)
                inside = contained_in(connection, collection, list(sources.values()))
                remove_states(connection, collection, [*sources.values(), *inside])
                note_changes(connection, collection, generation, ids)
            fold_log(self._engine)
            return generation

        return await in_thread(work)

    async def move(self, collection: str, document_id: str, new: Document, state: SourceState) -> int:
        """Store a document under the id, source, title and readers of `new`, with its versions; return the generation.
        Raises NotFoundError, and InvalidInputError when another document is in that place."""

        def work() -> int:
            with writing(self._engine) as connection:
                generation, _ = count_up(connection, collection)
                sources = _sources(connection, collection, [document_id, new.id])
                if document_id not in sources:
                    raise no_document(collection, document_id)
                if new.id != document_id and new.id in sources:
                    raise InvalidInputError(f"There is a document {new.source!r} already: delete it first.")
                _rename(connection, document_id, new, generation)
                remove_states(connection, collection, [sources[document_id]])
                store_states(connection, collection, [state])
                note_changes(connection, collection, generation, {document_id, new.id})
                return generation

        return await in_thread(work)

    async def prune(self) -> tuple[str, ...]:
        """Remove the old versions, of all documents, that the policy keeps no longer; return those of them that no
        document has any more."""

        def work() -> tuple[str, ...]:
            with writing(self._engine) as connection:
                gone = self._prune(connection)
                gone -= used_versions(connection, sorted(gone))
            fold_log(self._engine)
            return tuple(sorted(gone))

        return await in_thread(work)

    def _prune(self, connection: Connection, ids: Sequence[str] | None = None) -> set[str]:
        old = outdated(connection, self._keep_versions, time.time() - self._keep_s, ids)
        hashes = hashes_of(connection, sorted({document_id for document_id, _ in old}))
        remove_versions(connection, old)
        sweep_texts(connection, hashes)
        return {version for _, version in old}

    async def find(self, collection: str, document_id: str) -> DocumentSummary | None:
        """Return the document, or None."""
        return await self._read(lambda connection: sql_reads.find_document(connection, collection, document_id))

    async def list(self, collection: str, *, limit: int = 100, after: str = "") -> tuple[DocumentSummary, ...]:
        """Return documents ordered by source, then id, starting after the document with the id `after`. Raises
        NotFoundError when that one is gone."""
        return await self._read(lambda connection: sql_reads.list_documents(connection, collection, limit, after))

    async def flagged(self, collection: str, *, limit: int = 100, after: str = "") -> tuple[DocumentSummary, ...]:
        """Return documents with flagged chunks in their current version, in the order of `list`. Raises NotFoundError
        when the document `after` is gone."""
        return await self._read(
            lambda connection: sql_reads.list_documents(connection, collection, limit, after, flagged=True)
        )

    async def versions(self, collection: str, document_id: str) -> tuple[VersionSummary, ...]:
        """Return the kept versions of a document, newest first. Raises NotFoundError."""
        return await self._read(lambda connection: sql_reads.list_versions(connection, collection, document_id))

    async def kept_versions(self, collection: str, document_ids: Sequence[str]) -> frozenset[str]:
        """Return every version, current or kept, of these documents; of those that are gone there is none."""
        return await self._read(lambda connection: sql_reads.versions_of(connection, collection, document_ids))

    async def chunks(self, collection: str, document_id: str, version: str = "") -> tuple[Chunk, ...]:
        """Return the chunks of a document's version (default: the current one) in reading order. Raises
        NotFoundError."""
        return await self._read(lambda connection: sql_reads.list_chunks(connection, collection, document_id, version))

    async def read(self, collection: str, document_id: str, version: str, embedder: str) -> EmbeddedVersion:
        """Return a kept version whole, as it was put. Raises NotFoundError."""
        return await self._read(lambda connection: read_version(connection, collection, document_id, version, embedder))

    async def unused(self, versions: Sequence[str]) -> frozenset[str]:
        """Return those of these versions that no document, in any collection, has, current or kept."""
        return await self._read(lambda connection: frozenset(versions) - used_versions(connection, versions))

    async def known_vectors(self, hashes: Sequence[str], embedder: str) -> Mapping[str, NDArray[np.float32]]:
        """Return the vectors that are stored for these texts, by hash."""
        return await self._read(lambda connection: sql_reads.find_vectors(connection, hashes, embedder))

    async def compact(self) -> None:
        """Give the space of what was deleted back to the disk."""
        await in_thread(lambda: compact(self._engine))

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await in_thread(lambda: reading(self._engine, work))


def read_identity(engine: Engine) -> str:
    """Return the random name of this catalog."""
    return reading(engine, sql_reads.read_identity)


def _generation(connection: Connection, collection: str) -> int:
    query = select(collections.c.generation).where(collections.c.name == collection, ~collections.c.deleted)
    generation: int | None = connection.execute(query).scalar()
    if generation is None:
        raise no_collection(collection)
    return generation


def _sources(connection: Connection, collection: str, ids: Sequence[str]) -> dict[str, str]:
    """Return the sources of those of these documents that are there, by id."""
    found: dict[str, str] = {}
    for some in batches(ids):
        query = select(documents.c.id, documents.c.source)
        query = query.where(documents.c.collection == collection, documents.c.id.in_(some))
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def _rename(connection: Connection, document_id: str, new: Document, generation: int) -> None:
    place = {"id": new.id, "source": new.source, "generation": generation}
    moved = update(documents).where(documents.c.id == document_id).values(place).returning(documents.c.version)
    current = connection.execute(moved).scalar_one()
    title = update(versions).where(versions.c.document_id == new.id, versions.c.version == current)
    connection.execute(title.values(title=new.title))
    replace_readers(connection, [new], [new.id])
