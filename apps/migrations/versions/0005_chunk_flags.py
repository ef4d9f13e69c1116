"""Chunks have flags, and documents know how many of theirs have some; what was hidden until now is flagged as that."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chunks", sa.Column("flags", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("documents", sa.Column("flagged", sa.Integer(), nullable=False, server_default="0"))
    op.execute("""UPDATE chunks SET flags = '["hidden_text"]' WHERE hidden""")
    op.execute(
        """UPDATE documents SET flagged = (
             SELECT COUNT(*) FROM chunks
             WHERE chunks.document_id = documents.id AND chunks.version = documents.version AND chunks.hidden)
           WHERE id IN (SELECT document_id FROM chunks WHERE hidden)"""
    )


def downgrade() -> None:
    op.drop_column("documents", "flagged")
    op.drop_column("chunks", "flags")
