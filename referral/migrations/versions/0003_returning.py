"""What a case needs to come back to the line by itself: when words reached us, and who is at a page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BEFORE = (
    "'opened', 'taken', 'picked', 'released', 'closed', 'danger_raised', 'left', 'unreachable', 'forgotten'"
)


def upgrade() -> None:
    op.add_column("message", sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("operator", sa.Column("present_at", sa.DateTime(timezone=True), nullable=True))
    _know(f"{_BEFORE}, 'unanswered', 'away'")


def downgrade() -> None:
    op.execute("UPDATE message SET happened = 'released' WHERE happened IN ('unanswered', 'away')")
    _know(_BEFORE)
    op.drop_column("operator", "present_at")
    op.drop_column("message", "heard_at")


def _know(happenings: str) -> None:
    name = op.f("message_happening_is_known")
    op.drop_constraint(name, "message", type_="check")
    op.create_check_constraint(name, "message", f"happened IN ({happenings})")
