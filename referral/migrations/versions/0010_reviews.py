"""How closed talks were judged: marks by another operator, and no words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_DIMENSIONS = ("opening", "listening", "safety", "language", "help", "closing")


def upgrade() -> None:
    op.create_table(
        "review",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.SmallInteger(), nullable=True) for name in _DIMENSIONS),
        sa.CheckConstraint("reviewer_id <> operator_id", name=op.f("review_is_by_another")),
        sa.CheckConstraint(f"num_nonnulls({', '.join(_DIMENSIONS)}) > 0", name=op.f("review_has_marks")),
        *(
            sa.CheckConstraint(f"{name} BETWEEN 1 AND 3", name=op.f(f"review_{name}_is_known"))
            for name in _DIMENSIONS
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_review_case_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["operator.id"], name=op.f("fk_review_reviewer_id")),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_review_operator_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_operator", "review", ["operator_id"])


def downgrade() -> None:
    op.drop_table("review")
