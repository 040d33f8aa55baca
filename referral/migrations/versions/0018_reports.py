"""Reports find the cases of a month without reading those of all years."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("ix_case_received", "case", ["received_at"])


def downgrade() -> None:
    op.drop_index("ix_case_received", "case")
