"""Other systems that are told of cases, and the letters to them; no words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0010"

_KINDS = "'opened', 'danger_raised', 'taken', 'said', 'returned', 'closed', 'forgotten'"
_OPEN = "delivered_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "connection",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed_because", sa.Text(), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.CheckConstraint("name ~ '^[a-z0-9_]{1,40}$'", name=op.f("connection_name_is_slug")),
        sa.CheckConstraint(f"kinds <@ ARRAY[{_KINDS}]", name=op.f("connection_kinds_are_known")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_because IS NULL)", name=op.f("connection_end_has_reason")
        ),
        sa.CheckConstraint(
            "(failures > 0) = (failed_because IS NOT NULL)", name=op.f("connection_failure_has_reason")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_connection")),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("letter_kind_is_known")),
        sa.CheckConstraint("(kind = 'forgotten') = (entry_id IS NULL)", name=op.f("letter_has_entry")),
        sa.CheckConstraint(
            "num_nonnulls(delivered_at, parked_at, dropped_at) <= 1", name=op.f("letter_ends_once")
        ),
        sa.CheckConstraint("parked_at IS NULL OR reason IS NOT NULL", name=op.f("parked_letter_has_reason")),
        sa.CheckConstraint("length(reason) <= 80", name=op.f("letter_reason_is_short")),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_letter_connection")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
    )
    op.create_index("uq_letter_seq", "letter", ["seq"], unique=True)
    op.create_index("uq_letter_entry", "letter", ["connection", "case_id", "entry_id"], unique=True)
    op.create_index(
        "ix_letter_open", "letter", ["connection", "case_id", "seq"], postgresql_where=sa.text(_OPEN)
    )
    op.create_index("ix_letter_case_id", "letter", ["case_id"])
    op.create_table(
        "foreign_case",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["connection"], ["connection.name"], name=op.f("fk_foreign_case_connection")),
        sa.PrimaryKeyConstraint("connection", "case_id", name=op.f("pk_foreign_case")),
    )
    op.create_index("uq_foreign_case_reference", "foreign_case", ["connection", "reference"], unique=True)
    op.create_table(
        "endpoint",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("with_words", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("creator_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("audience IN ('helpline', 'others')", name=op.f("endpoint_audience_is_known")),
        sa.ForeignKeyConstraint(["name"], ["connection.name"], name=op.f("fk_endpoint_name")),
        sa.ForeignKeyConstraint(["creator_id"], ["operator.id"], name=op.f("fk_endpoint_creator_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_endpoint")),
    )


def downgrade() -> None:
    for table in ("endpoint", "foreign_case", "letter", "connection"):
        op.drop_table(table)
