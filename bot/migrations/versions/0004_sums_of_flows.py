"""Sums of how the flows are used"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flow_sum",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("number > 0", name="sum_is_of_something"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month_is_month"),
        sa.PrimaryKeyConstraint("month", "what", "flow", "node", "locale"),
    )


def downgrade() -> None:
    op.drop_table("flow_sum")
