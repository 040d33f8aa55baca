"""Cases that are set aside until a time; the way back wakes them and forgets that they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0041"

_BEFORE = (
    "'opened', 'taken', 'picked', 'released', 'closed', 'danger_raised', 'left', 'unreachable', 'forgotten',"
    " 'unanswered', 'away', 'passed_on', 'overdue', 'consent_revoked'"
)
_THENS = "'stay', 'release', 'close'"


def upgrade() -> None:
    for name in ("aside_until", "woken_at"):
        op.add_column("case", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("aside_is_held"),
        "case",
        "aside_until IS NULL OR (state = 'held' AND due_at IS NULL AND gone_at IS NULL)",
    )
    op.create_index(
        "ix_case_aside", "case", ["aside_until"], postgresql_where=sa.text("aside_until IS NOT NULL")
    )
    _know(f"{_BEFORE}, 'set_aside', 'woken'")
    _may_do(f"{_THENS}, 'aside'")


def downgrade() -> None:
    op.execute("UPDATE macro SET \"then\" = 'stay' WHERE \"then\" = 'aside'")
    _may_do(_THENS)
    op.execute("DELETE FROM message WHERE happened IN ('set_aside', 'woken')")
    _know(_BEFORE)
    op.drop_index("ix_case_aside", "case")
    op.drop_constraint(op.f("aside_is_held"), "case", type_="check")
    for name in ("woken_at", "aside_until"):
        op.drop_column("case", name)


def _know(happenings: str) -> None:
    name = op.f("message_happening_is_known")
    op.drop_constraint(name, "message", type_="check")
    op.create_check_constraint(name, "message", f"happened IN ({happenings})")


def _may_do(thens: str) -> None:
    name = op.f("macro_then_is_known")
    op.drop_constraint(name, "macro", type_="check")
    op.create_check_constraint(name, "macro", f'"then" IN ({thens})')
