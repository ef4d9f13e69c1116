"""Collections have readers; documents know how many chunks they have."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("collections", sa.Column("readers", sa.JSON(), nullable=False, server_default='["*"]'))
    op.add_column("documents", sa.Column("chunks", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("documents_by_collection", "documents", ["collection"])
    op.execute(
        """UPDATE documents SET chunks = (
             SELECT COUNT(*) FROM chunks
             WHERE chunks.document_id = documents.id AND chunks.version = documents.version)"""
    )


def downgrade() -> None:
    op.drop_index("documents_by_collection", "documents")
    op.drop_column("documents", "chunks")
    op.drop_column("collections", "readers")
