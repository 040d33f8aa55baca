"""Who outside of the desk is still to hear of an overdue case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "page",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("danger", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('webhook', 'telegram', 'email')", name=op.f("page_channel_is_known")),
        sa.CheckConstraint(
            "danger IN ('none', 'concern', 'urgent', 'emergency')", name=op.f("page_danger_is_known")
        ),
        sa.CheckConstraint("sent_at IS NULL OR dropped_at IS NULL", name=op.f("page_ends_once")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_page_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
        sa.UniqueConstraint("case_id", "danger", "channel", name="uq_page_step"),
    )
    op.create_index(
        "ix_page_open",
        "page",
        ["channel", "next_try_at"],
        postgresql_where=sa.text("sent_at IS NULL AND dropped_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("page")
