"""From the keys of chunks to what they stand for, in one statement that is made once: every search waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from contracts import Box, Chunk, Document, ElementKind
from ingestion.catalog.sql_schema import chunks, document_readers, documents, versions

_BETWEEN_READERS = "\x1f"  # no name holds this control character

_readers = (
    select(func.aggregate_strings(document_readers.c.reader, _BETWEEN_READERS))
    .where(document_readers.c.document_id == documents.c.id)
    .scalar_subquery()
)
_found = (
    select(
        *(chunks.c[name] for name in ("key", "id", "document_id", "version", "position", "text", "span_start")),
        *(chunks.c[name] for name in ("span_end", "page", "boxes", "headings", "kind", "focus", "hidden", "flags")),
        *(documents.c[name] for name in ("collection", "source")),
        *(versions.c[name] for name in ("title", "media_type", "size", "metadata")),
        _readers,
    )
    .join(documents, (documents.c.id == chunks.c.document_id) & (documents.c.version == chunks.c.version))
    .join(versions, (versions.c.document_id == documents.c.id) & (versions.c.version == documents.c.version))
    .where(chunks.c.key.in_(bindparam("keys", expanding=True)))
)


def passages_of(connection: Connection, keys: Sequence[int]) -> dict[int, tuple[Chunk, Document]]:
    """Return chunk and document by key; keys of chunks that are deleted or not of a current version are missing."""
    found: dict[int, tuple[Chunk, Document]] = {}
    owners: dict[str, Document] = {}
    for row in connection.execute(_found, {"keys": keys}):
        # By position: a search reads some twenty rows, and names would cost more than the database does.
        key, chunk_id, owner, version, position, text, start, end, page, *more = row
        boxes, path, kind, focus, hidden, flags, *rest = more
        if owner not in owners:
            collection, source, title, media_type, size, metadata, readers = rest
            names = tuple(sorted(readers.split(_BETWEEN_READERS))) if readers is not None else ()
            owners[owner] = Document(owner, collection, version, source, title, media_type, size, metadata, names)
        chunk = Chunk(
            id=chunk_id,
            document_id=owner,
            version=version,
            position=position,
            text=text,
            span=(start, end),
            page=page,
            boxes=tuple(Box(*box) for box in boxes),
            headings=tuple(path),
            kind=ElementKind(kind),
            focus=focus,
            hidden=hidden,
            flags=tuple(flags),
        )
        found[key] = (chunk, owners[owner])
    return found
