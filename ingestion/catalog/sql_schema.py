"""The catalog's tables, in SQLAlchemy Core; `apps/migrations` holds the migrations that create them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

metadata = MetaData()

# One row: a random name that tells this catalog from every other one, also from one that stood in its place before.
identity = Table("identity", metadata, Column("name", String, primary_key=True))

# A deleted collection keeps its row, so that its generations never come again.
collections = Table(
    "collections",
    metadata,
    Column("name", String, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("embedder", String, nullable=False),
    Column("next_embedder", String, nullable=False),
    Column("strategy", String, nullable=False),
    Column("chunk_tokens", Integer, nullable=False),
    Column("overlap_tokens", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("readers", JSON, nullable=False, server_default='["*"]'),
    Column("cached", Boolean, nullable=False, server_default=true()),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String, primary_key=True),
    Column("collection", String, ForeignKey("collections.name"), nullable=False),
    Column("source", String, nullable=False),
    Column("version", String, nullable=False),  # the current one
    Column("generation", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False, server_default="0"),  # of the current version
    Column("flagged", Integer, nullable=False, server_default="0"),  # of these, those with flags
    UniqueConstraint("collection", "source"),
    Index("documents_by_collection", "collection"),  # reads a whole collection in the order of its rows
)

versions = Table(
    "versions",
    metadata,
    Column("document_id", String, ForeignKey("documents.id", onupdate="CASCADE", ondelete="CASCADE"), primary_key=True),
    Column("version", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("ingested_at", Float, nullable=False),
    Index("versions_by_version", "version"),
)

document_readers = Table(
    "document_readers",
    metadata,
    Column("document_id", String, ForeignKey("documents.id", onupdate="CASCADE", ondelete="CASCADE"), primary_key=True),
    Column("reader", String, primary_key=True),
)

chunks = Table(
    "chunks",
    metadata,
    # FAISS ids: 64 bits, and never used again after a deletion.
    Column("key", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("document_id", String, nullable=False),
    Column("version", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("page", Integer),
    Column("boxes", JSON, nullable=False),
    Column("headings", JSON, nullable=False),
    Column("kind", String, nullable=False),
    Column("focus", Text, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("text_hash", String, nullable=False),
    Column("flags", JSON, nullable=False, server_default="[]"),
    ForeignKeyConstraint(
        ["document_id", "version"],
        ["versions.document_id", "versions.version"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    UniqueConstraint("document_id", "version", "position"),
    Index("chunks_by_text_hash", "text_hash"),
    sqlite_autoincrement=True,
)

# One vector per text and embedder, whichever chunks hold that text.
vectors = Table(
    "vectors",
    metadata,
    Column("text_hash", String, primary_key=True),
    Column("embedder", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

source_states = Table(
    "source_states",
    metadata,
    Column("collection", String, ForeignKey("collections.name"), primary_key=True),
    Column("source", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("recipe", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("container", String, nullable=False),
    Column("reason", String),
    Column("message", Text),
    Column("checked_at", Float, nullable=False),
    Index("source_states_by_container", "collection", "container"),
)

# The last change of each document, also of those that are gone.
changes = Table(
    "changes",
    metadata,
    Column("collection", String, ForeignKey("collections.name"), primary_key=True),
    Column("document_id", String, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Index("changes_by_generation", "collection", "generation"),
)
