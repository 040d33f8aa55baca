"""What a desk asks for every second is found without reading the cases of years"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_case_due", table_name="case")
    op.create_index("ix_case_due", "case", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index(
        "ix_case_closer",
        "case",
        ["closer_id", "closed_at"],
        postgresql_where=sa.text("closer_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_case_closer", table_name="case")
    op.drop_index("ix_case_due", table_name="case")
    op.create_index(
        "ix_case_due",
        "case",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL AND overdue_at IS NULL"),
    )
