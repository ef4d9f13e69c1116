"""How document versions are written: all rows of a table with one statement."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import chain

from sqlalchemy import Connection, delete, insert

from contracts import Document, EmbeddedVersion
from ingestion.catalog.sql_removals import hashes_of, remove_versions
from ingestion.catalog.sql_rows import chunk_rows, current_documents, reader_rows, vector_rows, version_row
from ingestion.catalog.sql_schema import chunks, document_readers, documents, vectors, versions
from ingestion.catalog.sql_transactions import Row, batches, upsert


def check(new: Sequence[EmbeddedVersion]) -> str:
    """Return the collection of these versions. Raises ValueError when they do not belong or fit together."""
    names = {each.document.collection for each in new}
    if len(names) != 1:
        raise ValueError(f"versions of one collection are stored together, not of {sorted(names)}")
    for each in new:
        if not len(each.chunks) == len(each.hashes) == len(each.vectors):
            counts = f"{len(each.chunks)} chunks but {len(each.vectors)} vectors and {len(each.hashes)} hashes"
            raise ValueError(f"{each.document.source!r} has {counts}")
    return names.pop()


def put_versions(
    connection: Connection, new: Sequence[EmbeddedVersion], embedder: str, generation: int
) -> tuple[list[str], set[str]]:
    """Store versions, each as its document's current one. Return the ids of the documents that were there, and the
    hashes of the texts that they may not hold any more."""
    before = _current_versions(connection, [each.document.id for each in new])
    loose = hashes_of(connection, list(before))
    remove_versions(connection, [(each.document.id, each.document.version) for each in new])
    upsert(connection, documents, [_document_row(each, generation) for each in new])
    replace_readers(connection, [each.document for each in new], list(before))
    connection.execute(insert(versions), _version_rows(new, before))
    if rows := list(chain.from_iterable(map(chunk_rows, new))):
        connection.execute(insert(chunks), rows)
    rows = list(chain.from_iterable(vector_rows(embedder, each.hashes, each.vectors) for each in new))
    upsert(connection, vectors, rows, keep=True)
    return list(before), loose


def replace_readers(connection: Connection, new: Sequence[Document], before: Sequence[str]) -> None:
    """Store who may read documents; `before` are the ids of those that have readers now."""
    for some in batches(before):
        connection.execute(delete(document_readers).where(document_readers.c.document_id.in_(some)))
    if rows := list(chain.from_iterable(map(reader_rows, new))):
        connection.execute(insert(document_readers), rows)


def _current_versions(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, float]]:
    """Return the current version of each document that is there, and since when."""
    found: dict[str, tuple[str, float]] = {}
    for some in batches(ids):
        for row in connection.execute(current_documents().where(documents.c.id.in_(some))).mappings():
            found[row["id"]] = row["version"], row["ingested_at"]
    return found


def _version_rows(new: Sequence[EmbeddedVersion], before: Mapping[str, tuple[str, float]]) -> list[Row]:
    """A version that is only cut anew stays current since when it was."""
    now, rows = time.time(), []
    for each in new:
        version, since = before.get(each.document.id, ("", now))
        rows.append(version_row(each.document, since if version == each.document.version else now))
    return rows


def _document_row(new: EmbeddedVersion, generation: int) -> Row:
    document = new.document
    return {
        "id": document.id,
        "collection": document.collection,
        "source": document.source,
        "version": document.version,
        "generation": generation,
        "chunks": len(new.chunks),
        "flagged": sum(bool(chunk.flags) for chunk in new.chunks),
    }
