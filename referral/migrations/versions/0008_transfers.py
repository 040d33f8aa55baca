"""A case can be passed to a colleague."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

_BEFORE = (
    "'opened', 'taken', 'picked', 'released', 'closed', 'danger_raised', 'left', 'unreachable', 'forgotten',"
    " 'unanswered', 'away', 'overdue'"
)


def upgrade() -> None:
    _know(f"{_BEFORE}, 'passed_on'")


def downgrade() -> None:
    op.execute("UPDATE message SET happened = 'picked' WHERE happened = 'passed_on'")
    _know(_BEFORE)


def _know(happenings: str) -> None:
    name = op.f("message_happening_is_known")
    op.drop_constraint(name, "message", type_="check")
    op.create_check_constraint(name, "message", f"happened IN ({happenings})")
