"""What goes from the catalog: versions beyond the policy, and vectors of texts that nothing holds any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, or_, select

from ingestion.catalog.sql_schema import chunks, collections, documents, vectors, versions
from ingestion.catalog.sql_transactions import batches

VersionKey = tuple[str, str]  # the document's id and the version

_needed = (
    exists()
    .where(
        chunks.c.text_hash == vectors.c.text_hash,
        documents.c.id == chunks.c.document_id,
        collections.c.name == documents.c.collection,
        or_(collections.c.embedder == vectors.c.embedder, collections.c.next_embedder == vectors.c.embedder),
    )
    .correlate(vectors)
)


def hashes_of(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return the hashes of the texts in all versions of documents."""
    found: set[str] = set()
    for some in batches(ids):
        found.update(connection.execute(select(chunks.c.text_hash).where(chunks.c.document_id.in_(some))).scalars())
    return found


def remove_versions(connection: Connection, keys: Sequence[VersionKey]) -> None:
    """Remove versions of documents with their chunks."""
    if keys:
        one = (versions.c.document_id == bindparam("of_document")) & (versions.c.version == bindparam("of_version"))
        rows = [{"of_document": document_id, "of_version": version} for document_id, version in keys]
        connection.execute(delete(versions).where(one), rows)


def sweep_texts(connection: Connection, hashes: Collection[str]) -> None:
    """Remove the vectors of those of these texts that no chunk of a collection with their embedder holds."""
    for some in batches(sorted(hashes)):
        connection.execute(delete(vectors).where(vectors.c.text_hash.in_(some), ~_needed))


def sweep_embedder(connection: Connection, embedder: str) -> None:
    """Remove those of an embedder's vectors that no chunk of a collection with this embedder holds."""
    connection.execute(delete(vectors).where(vectors.c.embedder == embedder, ~_needed))


def outdated(
    connection: Connection, keep: int, replaced_before: float, ids: Sequence[str] | None = None
) -> list[VersionKey]:
    """Return the versions, of some or all documents, beyond the newest `keep` old ones or replaced before an instant.
    The current one is never among them."""
    if ids is None:
        return [(row[0], row[1]) for row in connection.execute(_outdated(keep, replaced_before))]
    found: list[VersionKey] = []
    for some in batches(ids):
        query = _outdated(keep, replaced_before, some)
        found += [(row[0], row[1]) for row in connection.execute(query)]
    return found


def _outdated(keep: int, replaced_before: float, ids: Sequence[str] | None = None) -> Select[str, str]:
    newest_first = (versions.c.version == documents.c.version).desc(), versions.c.ingested_at.desc()
    of_document = versions.c.document_id
    ranked = select(
        versions.c.document_id,
        versions.c.version,
        func.row_number().over(partition_by=of_document, order_by=newest_first).label("rank"),  # the current one is 1
        func.lag(versions.c.ingested_at).over(partition_by=of_document, order_by=newest_first).label("replaced_at"),
    ).join(documents, documents.c.id == of_document)
    if ids is not None:
        ranked = ranked.where(versions.c.document_id.in_(ids))
    aged = ranked.subquery()
    too_old = or_(aged.c.rank > keep + 1, aged.c.replaced_at < replaced_before)
    return select(aged.c.document_id, aged.c.version).where(aged.c.rank > 1, too_old)
