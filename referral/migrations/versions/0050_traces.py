"""An event remembers in which trace it came about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    op.add_column("event", sa.Column("trace", sa.Text()))


def downgrade() -> None:
    op.drop_column("event", "trace")
