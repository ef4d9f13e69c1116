"""Documents have versions, vectors belong to texts, collections have settings, sources have states; no more jobs."""

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ROWS = 1000
_OLD = ("vectors", "chunks", "document_readers", "documents", "changes", "collections")


def _columns(*plain: str) -> list[sa.ColumnClause[Any]]:
    return [sa.column(name) for name in plain]


def _json() -> list[sa.ColumnClause[Any]]:
    return [sa.column("boxes", sa.JSON()), sa.column("headings", sa.JSON())]


_CHUNK = ("key", "id", "document_id", "version", "position", "text", "span_start", "span_end", "page", "kind")
_collections = sa.table("collections", *_columns("name", "embedder"))
_chunks = sa.table("chunks", *_columns(*_CHUNK, "focus", "hidden", "text_hash"), *_json())
_vectors = sa.table("vectors", *_columns("text_hash", "embedder", "vector"))
_old_documents = sa.table("old_documents", *_columns("id", "collection", "title"))
_old_chunks = sa.table("old_chunks", *_columns(*_CHUNK), *_json())
_old_vectors = sa.table("old_vectors", *_columns("chunk_key", "embedder", "vector"))


def upgrade() -> None:
    op.drop_index("jobs_by_state", table_name="jobs")
    op.drop_table("jobs")
    op.drop_index("documents_by_version", table_name="documents")
    for table in _OLD:
        op.rename_table(table, f"old_{table}")
    _create()
    _copy_documents()
    _copy_chunks()
    for table in _OLD:
        op.drop_table(f"old_{table}")


def _create() -> None:
    op.create_table(
        "collections",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("embedder", sa.String(), nullable=False),
        sa.Column("next_embedder", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("chunk_tokens", sa.Integer(), nullable=False),
        sa.Column("overlap_tokens", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.name"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("collection", "source"),
    )
    op.create_table(
        "versions",
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("ingested_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], onupdate="CASCADE", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_id", "version"),
    )
    op.create_index("versions_by_version", "versions", ["version"])
    op.create_table(
        "document_readers",
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], onupdate="CASCADE", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_id", "reader"),
    )
    op.create_table(
        "chunks",
        sa.Column("key", _KEY, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=False),
        sa.Column("span_end", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("boxes", sa.JSON(), nullable=False),
        sa.Column("headings", sa.JSON(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("focus", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id", "version"],
            ["versions.document_id", "versions.version"],
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("document_id", "version", "position"),
        sqlite_autoincrement=True,
    )
    op.create_index("chunks_by_text_hash", "chunks", ["text_hash"])
    op.create_table(
        "vectors",
        sa.Column("text_hash", sa.String(), nullable=False),
        sa.Column("embedder", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("text_hash", "embedder"),
    )
    op.create_table(
        "source_states",
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("recipe", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("container", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.name"]),
        sa.PrimaryKeyConstraint("collection", "source"),
    )
    op.create_index("source_states_by_container", "source_states", ["collection", "container"])
    op.create_table(
        "changes",
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.name"]),
        sa.PrimaryKeyConstraint("collection", "document_id"),
    )
    op.create_index("changes_by_generation", "changes", ["collection", "generation"])


def _copy_documents() -> None:
    """A collection's embedder is that of most of its documents; one without documents takes its settings anew. Sources
    have no recipe yet: they are read again when they are next ingested, and texts that are the same keep their vectors.
    """
    for statement in (
        """INSERT INTO collections
           SELECT name, generation, COALESCE((
                SELECT embedder FROM old_documents WHERE collection = name
                GROUP BY embedder ORDER BY COUNT(*) DESC, embedder LIMIT 1), ''), '', 'structural', 180, 24,
                NOT EXISTS (SELECT 1 FROM old_documents WHERE collection = name)
           FROM old_collections""",
        "INSERT INTO documents SELECT id, collection, source, version, generation FROM old_documents",
        """INSERT INTO versions
           SELECT id, version, title, media_type, size, metadata, ingested_at FROM old_documents""",
        "INSERT INTO document_readers SELECT document_id, reader FROM old_document_readers",
        """INSERT INTO changes
           SELECT collection, document_id, MAX(generation) FROM old_changes GROUP BY collection, document_id""",
        """INSERT INTO source_states
           SELECT collection, source, version, '', '', '', NULL, NULL, ingested_at FROM old_documents""",
    ):
        op.execute(statement)


def _copy_chunks() -> None:
    connection = op.get_bind()
    last = -1
    while rows := connection.execute(_read(), {"last": last}).mappings().all():
        connection.execute(sa.insert(_chunks), [_chunk(row) for row in rows])
        found = {_text_hash(row): row for row in rows if row["vector"] is not None}
        known = sa.select(_vectors.c.text_hash).where(_vectors.c.text_hash.in_(found))
        for text_hash in connection.execute(known).scalars():
            del found[text_hash]
        if found:
            connection.execute(sa.insert(_vectors), [_vector(name, row) for name, row in found.items()])
        last = rows[-1]["key"]
    _keep_counting(connection)


def _read() -> sa.Select[Any]:
    """Chunks with their vector, if it is of the collection's embedder."""
    vector = (_old_vectors.c.chunk_key == _old_chunks.c.key) & (_old_vectors.c.embedder == _collections.c.embedder)
    return (
        sa.select(_old_chunks, _old_documents.c.title, _collections.c.embedder, _old_vectors.c.vector)
        .join(_old_documents, _old_documents.c.id == _old_chunks.c.document_id)
        .join(_collections, _collections.c.name == _old_documents.c.collection)
        .outerjoin(_old_vectors, vector)
        .where(_old_chunks.c.key > sa.bindparam("last"))
        .order_by(_old_chunks.c.key)
        .limit(_ROWS)
    )


def _text_hash(row: sa.RowMapping) -> str:
    """The hash of what was embedded: title, heading path and text."""
    path = " > ".join(dict.fromkeys((row["title"], *row["headings"])))
    return hashlib.sha256(f"{path}\n{row['text']}".encode()).hexdigest()[:32]


def _chunk(row: sa.RowMapping) -> dict[str, Any]:
    kept = {column.name: row[column.name] for column in _old_chunks.columns}
    return {**kept, "focus": "", "hidden": False, "text_hash": _text_hash(row)}


def _vector(text_hash: str, row: sa.RowMapping) -> dict[str, Any]:
    return {"text_hash": text_hash, "embedder": row["embedder"], "vector": row["vector"]}


def _keep_counting(connection: sa.Connection) -> None:
    """Keys go on where they were, also after those of chunks that are gone."""
    if connection.dialect.name == "sqlite":
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'chunks'")
        op.execute("INSERT INTO sqlite_sequence SELECT 'chunks', seq FROM sqlite_sequence WHERE name = 'old_chunks'")
    else:
        following = "nextval(pg_get_serial_sequence('old_chunks', 'key'))"
        op.execute(f"SELECT setval(pg_get_serial_sequence('chunks', 'key'), {following}, false)")


def downgrade() -> None:
    raise NotImplementedError("The catalog cannot go back to the schema before versions: restore a copy of it.")
