"""Closed cases lose their words when their time is over; who they were about, child or parent, stays."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0045"

_BEFORE = (
    "'opened', 'taken', 'picked', 'released', 'closed', 'danger_raised', 'left', 'unreachable', 'forgotten',"
    " 'unanswered', 'away', 'passed_on', 'overdue', 'consent_revoked', 'set_aside', 'woken'"
)
_EMPTY = "forgotten_at IS NULL OR (card IS NULL AND conversation IS NULL AND state = 'closed')"


def upgrade() -> None:
    _replace("message", "message_happening_is_known", f"happened IN ({_BEFORE}, 'expired')")
    _replace("case", "forgotten_is_empty", _EMPTY)
    op.create_index(
        "ix_case_kept",
        "case",
        ["closed_at"],
        postgresql_where=sa.text("state = 'closed' AND forgotten_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_kept", "case")
    op.execute('UPDATE "case" SET role = NULL WHERE forgotten_at IS NOT NULL')
    _replace("case", "forgotten_is_empty", _EMPTY.replace("state", "role IS NULL AND state"))
    op.execute("DELETE FROM message WHERE happened = 'expired'")
    _replace("message", "message_happening_is_known", f"happened IN ({_BEFORE})")


def _replace(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, condition)
