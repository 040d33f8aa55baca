"""Documents that can be fetched by a link"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("token_key", sa.LargeBinary(), nullable=True))
    op.create_index(
        "outbox_token_key",
        "outbox",
        ["token_key"],
        unique=True,
        postgresql_where=sa.text("token_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("outbox_token_key", table_name="outbox", postgresql_where=sa.text("token_key IS NOT NULL"))
    op.drop_column("outbox", "token_key")
