"""Authenticator apps, recovery codes, passkeys, accounts elsewhere; sessions in a list; lock-outs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_SCOPES = "'browser', 'pair', 'address', 'name', 'second_step'"


def upgrade() -> None:
    op.add_column("operator", sa.Column("email", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("operator_email_is_lower_case"), "operator", "email = lower(email) AND email LIKE '%@%'"
    )
    op.create_index("uq_operator_email", "operator", ["email"], unique=True)
    _sessions()
    _throttles()
    op.create_table(
        "authenticator",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (last_step IS NULL)", name=op.f("authenticator_confirmed_by_code")
        ),
        _of_operator("authenticator"),
        sa.PrimaryKeyConstraint("operator_id", name=op.f("pk_authenticator")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _of_operator("recovery_code"),
        sa.PrimaryKeyConstraint("operator_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("passkey_has_name")),
        sa.CheckConstraint("sign_count >= 0", name=op.f("passkey_count_is_natural")),
        _of_operator("passkey"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_operator_id"), "passkey", ["operator_id"])
    op.create_table(
        "identity",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        _of_operator("identity"),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identity")),
        sa.UniqueConstraint("operator_id", name=op.f("uq_identity_operator_id")),
    )
    op.create_table(
        "spent_ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spent_ticket")),
    )


def downgrade() -> None:
    for table in ("spent_ticket", "identity", "passkey", "recovery_code", "authenticator"):
        op.drop_table(table)
    op.execute("DELETE FROM throttle")
    op.drop_column("throttle", "name_key")
    op.drop_column("throttle", "scope")
    for column in ("number", "browser", "second_factor"):
        op.drop_column("session", column)
    op.drop_column("operator", "email")


def _sessions() -> None:
    op.add_column(
        "session",
        sa.Column("number", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
    )
    op.create_unique_constraint(op.f("uq_session_number"), "session", ["number"])
    op.add_column("session", sa.Column("browser", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "session",
        sa.Column("second_factor", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def _throttles() -> None:
    # The old counts were of names alone and live for an hour: whoever had to wait may try again.
    op.execute("DELETE FROM throttle")
    op.add_column("throttle", sa.Column("scope", sa.Text(), nullable=False))
    op.add_column("throttle", sa.Column("name_key", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(op.f("throttle_scope_is_known"), "throttle", f"scope IN ({_SCOPES})")
    op.create_check_constraint(
        op.f("throttle_is_of_a_name"), "throttle", "(scope = 'address') = (name_key IS NULL)"
    )
    op.create_index(op.f("ix_throttle_name_key"), "throttle", ["name_key"])


def _of_operator(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["operator_id"],
        ["operator.id"],
        name=op.f(f"fk_{table}_operator_id"),
        ondelete="CASCADE",
    )
