"""Alembic's environment: runs the migrations on the connection that `apps.database` hands over."""

from __future__ import annotations

from alembic import context

from ingestion.catalog.sql_schema import metadata as catalog
from retrieval.sql_conversations import metadata as conversations

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=[catalog, conversations])
with context.begin_transaction():
    context.run_migrations()
