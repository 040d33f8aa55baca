"""The audit log, chained and kept by the table itself, and auditors, who see nothing else.

The way back refuses while there is an auditor, and throws the log away: export it first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("about_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("act ~ '^[a-z_]{3,40}$'", name=op.f("audit_act_is_slug")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    for column in ("at", "operator_id", "case_id"):
        op.create_index(f"ix_audit_{column}", "audit", [column])
    op.create_table(
        "audit_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=True),
        sa.Column("about_id", sa.Uuid(), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_draft")),
    )
    # Whoever adds a row waits until the one before is committed or gone: its hash is part of the new one. The
    # lock's number is any, and the SELECT after it sees what was committed meanwhile.
    op.execute(
        r"""
        CREATE FUNCTION chain_audit() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            last_seq bigint;
            last_hash bytea;
        BEGIN
            PERFORM pg_advisory_xact_lock(7013904218);
            SELECT seq, hash INTO last_seq, last_hash FROM audit ORDER BY seq DESC LIMIT 1;
            NEW.seq := coalesce(last_seq, 0) + 1;
            NEW.previous := coalesce(last_hash, decode(repeat('00', 32), 'hex'));
            NEW.hash := sha256(convert_to(concat_ws(E'\n',
                NEW.seq::text,
                encode(NEW.previous, 'hex'),
                to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                NEW.act,
                coalesce(NEW.operator_id::text, ''),
                coalesce(NEW.about_id::text, ''),
                coalesce(NEW.case_id::text, '')), 'UTF8'));
            RETURN NEW;
        END;
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER chain_audit BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION chain_audit()"
    )
    op.execute(
        """
        CREATE FUNCTION enter_audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit (at, act, operator_id, about_id, case_id)
            VALUES (NEW.at, NEW.act, NEW.operator_id, NEW.about_id, NEW.case_id);
            DELETE FROM audit_draft WHERE id = NEW.id;
            RETURN NULL;
        END;
        $$
        """
    )
    # At commit, so that the chain is held for no longer than that takes, whatever else the transaction does.
    op.execute(
        "CREATE CONSTRAINT TRIGGER enter_audit AFTER INSERT ON audit_draft"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION enter_audit()"
    )
    op.execute(
        """
        CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'insufficient_privilege';
        END;
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER keep_audit BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_audit()"
    )
    _know("'operator', 'supervisor', 'editor', 'auditor'")


def downgrade() -> None:
    _know("'operator', 'supervisor', 'editor'")
    op.drop_table("audit_draft")
    op.drop_table("audit")
    op.execute("DROP FUNCTION chain_audit")
    op.execute("DROP FUNCTION enter_audit")
    op.execute("DROP FUNCTION keep_audit")


def _know(roles: str) -> None:
    name = op.f("operator_role_is_known")
    op.drop_constraint(name, "operator", type_="check")
    op.create_check_constraint(name, "operator", f"role IN ({roles})")
