"""When people are there, and whom each of them serves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"

_SKILLS = ("locales", "countries", "roles")


def upgrade() -> None:
    op.create_table(
        "opening_hours",
        sa.Column("single", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("week", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("single", name=op.f("opening_hours_are_one")),
        sa.CheckConstraint("cardinality(week) = 7", name=op.f("opening_hours_week_is_whole")),
        sa.ForeignKeyConstraint(["changed_by"], ["operator.id"], name=op.f("fk_opening_hours_changed_by")),
        sa.PrimaryKeyConstraint("single", name=op.f("pk_opening_hours")),
    )
    op.create_table(
        "special_date",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spans", sa.Text(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("special_date_has_name")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_special_date")),
    )
    for name in _SKILLS:
        op.add_column(
            "operator",
            sa.Column(name, sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        )


def downgrade() -> None:
    for name in _SKILLS:
        op.drop_column("operator", name)
    op.drop_table("special_date")
    op.drop_table("opening_hours")
