"""Classes that answer together"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_room",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("pupils", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(closed_at IS NULL) = (code IS NOT NULL)", name="open_has_code"),
        sa.CheckConstraint("(closed_at IS NULL) = (salt IS NOT NULL)", name="open_has_salt"),
        sa.ForeignKeyConstraint(["owner_id"], ["conversation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index("class_room_owner", "class_room", ["owner_id", "opened_at"], unique=False)
    op.create_table(
        "class_count",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["class_room.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "question", "answer"),
    )
    op.create_table(
        "class_pupil",
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["class_room.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "token"),
    )
    op.create_table(
        "class_try",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("class_try_conversation", "class_try", ["conversation_id", "tried_at"], unique=False)


def downgrade() -> None:
    op.drop_table("class_try")
    op.drop_table("class_pupil")
    op.drop_table("class_count")
    op.drop_table("class_room")
