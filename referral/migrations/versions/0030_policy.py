"""Rules that supervisors set while the desk runs, with every change of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0022"

_BOUNDS = {
    "clock_emergency_minutes": (1, 60),
    "clock_urgent_minutes": (1, 1440),
    "clock_concern_minutes": (1, 10080),
    "clock_none_minutes": (1, 43200),
    "answer_within_minutes": (1, 1440),
    "report_hide_below": (5, 50),
}
_WITHIN = " OR ".join(
    f"(rule = '{rule}' AND value BETWEEN {lowest} AND {highest})"
    for rule, (lowest, highest) in _BOUNDS.items()
)
_RULES = ", ".join(f"'{rule}'" for rule in _BOUNDS)


def upgrade() -> None:
    op.create_table(
        "policy_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint(f"rule IN ({_RULES})", name=op.f("policy_rule_is_known")),
        sa.CheckConstraint(f"value IS NULL OR {_WITHIN}", name=op.f("policy_value_is_within_bounds")),
        sa.ForeignKeyConstraint(["changed_by"], ["operator.id"], name=op.f("fk_policy_change_changed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_change")),
    )
    op.create_index("ix_policy_change_rule", "policy_change", ["rule", "id"])


def downgrade() -> None:
    op.drop_table("policy_change")
