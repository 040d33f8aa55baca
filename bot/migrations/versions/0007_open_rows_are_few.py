"""What is still to be done is found without reading what is done"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A web page fetches its messages itself: nobody has to deliver them, yet they stood among what is open.
    op.execute("""
        UPDATE outbox SET done_at = outbox.created_at FROM conversation AS c
        WHERE c.id = outbox.conversation_id AND c.channel = 'web' AND outbox.lane = 'channel'
          AND outbox.done_at IS NULL
    """)
    op.create_index("inbox_parked", "inbox", ["id"], postgresql_where=sa.text("parked IS NOT NULL"))
    op.create_index("outbox_parked", "outbox", ["id"], postgresql_where=sa.text("parked IS NOT NULL"))


def downgrade() -> None:
    op.drop_index("outbox_parked", table_name="outbox")
    op.drop_index("inbox_parked", table_name="inbox")
