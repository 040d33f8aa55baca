"""By when a visitor should have an answer, and whether that time is over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BEFORE = (
    "'opened', 'taken', 'picked', 'released', 'closed', 'danger_raised', 'left', 'unreachable', 'forgotten',"
    " 'unanswered', 'away'"
)
#: Why each exists is written beside it in ``cases/tables.py``.
_CHECKS = {
    "case_clock_is_whole": (
        "(due_at IS NULL) = (warn_at IS NULL) AND (overdue_at IS NULL OR due_at IS NOT NULL)"
    ),
    "waiting_has_clock": "state <> 'waiting' OR due_at IS NOT NULL",
    "closed_has_no_clock": "state <> 'closed' OR due_at IS NULL",
}


def upgrade() -> None:
    for name in ("warn_at", "due_at", "overdue_at", "answered_at"):
        op.add_column("case", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    # Who waits already gets the full time of their level from now on, with the limits that hold by default:
    # an upgrade at night should not wake everybody.
    op.execute(
        'UPDATE "case" SET warn_at = now() + 0.75 * span, due_at = now() + span'
        " FROM (VALUES ('emergency', interval '2 minutes'), ('urgent', interval '15 minutes'),"
        " ('concern', interval '4 hours'), ('none', interval '24 hours')) AS clock (level, span)"
        " WHERE state = 'waiting' AND danger = level"
    )
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(name), "case", condition)
    op.create_index(
        "ix_case_due",
        "case",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL AND overdue_at IS NULL"),
    )
    _know(f"{_BEFORE}, 'overdue'")


def downgrade() -> None:
    op.execute("DELETE FROM message WHERE happened = 'overdue'")
    _know(_BEFORE)
    for name in _CHECKS:
        op.drop_constraint(op.f(name), "case", type_="check")
    op.drop_index("ix_case_due", "case")
    for name in ("warn_at", "due_at", "overdue_at", "answered_at"):
        op.drop_column("case", name)


def _know(happenings: str) -> None:
    name = op.f("message_happening_is_known")
    op.drop_constraint(name, "message", type_="check")
    op.create_check_constraint(name, "message", f"happened IN ({happenings})")
