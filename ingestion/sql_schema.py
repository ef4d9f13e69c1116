"""The catalog's tables, in SQLAlchemy Core; `apps/migrations` holds the migrations that create them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# Keys of chunks are FAISS ids: 64 bits, and never used again after a deletion.
_key_type = BigInteger().with_variant(Integer, "sqlite")

# One row: a random name that tells this catalog from every other one, also from one that stood in its place before.
identity = Table("identity", metadata, Column("name", String, primary_key=True))

collections = Table(
    "collections",
    metadata,
    Column("name", String, primary_key=True),
    Column("generation", BigInteger, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String, primary_key=True),
    Column("collection", String, ForeignKey("collections.name"), nullable=False),
    Column("source", String, nullable=False),
    Column("version", String, nullable=False),
    Column("title", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("embedder", String, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("ingested_at", Float, nullable=False),
    UniqueConstraint("collection", "source"),
    Index("documents_by_version", "version"),
)

document_readers = Table(
    "document_readers",
    metadata,
    Column("document_id", String, ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("reader", String, primary_key=True),
)

chunks = Table(
    "chunks",
    metadata,
    Column("key", _key_type, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("document_id", String, ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("version", String, nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("span_start", Integer, nullable=False),
    Column("span_end", Integer, nullable=False),
    Column("page", Integer),
    Column("boxes", JSON, nullable=False),
    Column("headings", JSON, nullable=False),
    Column("kind", String, nullable=False),
    UniqueConstraint("document_id", "position"),
    sqlite_autoincrement=True,
)

vectors = Table(
    "vectors",
    metadata,
    Column("chunk_key", _key_type, ForeignKey("chunks.key", ondelete="CASCADE"), primary_key=True),
    Column("embedder", String, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("collection", String, ForeignKey("collections.name"), primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("document_id", String, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("collection", String, nullable=False),
    Column("source", String, nullable=False),
    Column("path", String, nullable=False),
    Column("state", String, nullable=False),
    Column("document_id", String),
    Column("chunks", Integer, nullable=False),
    Column("reason", String),
    Column("message", Text),
    Column("worker", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index("jobs_by_state", "state", "created_at"),
)
