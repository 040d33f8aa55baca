"""How far each conversation in Chatwoot has been read; no words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0034"


def upgrade() -> None:
    op.create_table(
        "chatwoot_talk",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("conversation", sa.BigInteger(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("read_to >= 0", name=op.f("chatwoot_talk_read_is_a_number")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case.id"], name=op.f("fk_chatwoot_talk_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_chatwoot_talk")),
    )
    op.create_index("uq_chatwoot_talk_conversation", "chatwoot_talk", ["conversation"], unique=True)
    op.create_index(
        "ix_chatwoot_talk_rung",
        "chatwoot_talk",
        ["rung_at"],
        postgresql_where=sa.text("rung_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("chatwoot_talk")
