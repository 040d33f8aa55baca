"""Cases of children who do not exist: marked from birth, for good, and who is practising on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("case", sa.Column("rehearsal", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("case_rehearsal_is_slug"), "case", "rehearsal ~ '^[a-z0-9_]{1,40}$'")
    op.create_index(
        "ix_case_rehearsal", "case", ["closed_at"], postgresql_where=sa.text("rehearsal IS NOT NULL")
    )
    # A child must not be taken for a rehearsal by any mistake of ours, nor a rehearsal for a child.
    op.execute(
        """
        CREATE FUNCTION keep_rehearsal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a case stays what it was opened as' USING ERRCODE = 'check_violation';
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER case_rehearsal_stays BEFORE UPDATE OF rehearsal ON "case" FOR EACH ROW
        WHEN (OLD.rehearsal IS DISTINCT FROM NEW.rehearsal) EXECUTE FUNCTION keep_rehearsal()
        """
    )
    op.add_column(
        "session", sa.Column("rehearses", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )


def downgrade() -> None:
    op.drop_column("session", "rehearses")
    op.execute("""DELETE FROM "case" WHERE rehearsal IS NOT NULL""")
    op.execute("""DROP TRIGGER case_rehearsal_stays ON "case" """)
    op.execute("DROP FUNCTION keep_rehearsal")
    op.drop_index("ix_case_rehearsal", table_name="case")
    op.drop_constraint(op.f("case_rehearsal_is_slug"), "case")
    op.drop_column("case", "rehearsal")
