"""Operators choose the language in which they read the console."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("operator", sa.Column("language", sa.Text(), nullable=True))
    # When the visitor's page last told that they write, and that they see what was written.
    op.add_column("case", sa.Column("visitor_writes_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("case", sa.Column("visitor_saw_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("case", "visitor_saw_at")
    op.drop_column("case", "visitor_writes_at")
    op.drop_column("operator", "language")
