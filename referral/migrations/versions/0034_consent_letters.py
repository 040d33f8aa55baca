"""Other systems are told that a visitor took their consent back."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"

_BEFORE = "'opened', 'danger_raised', 'taken', 'said', 'returned', 'closed', 'forgotten'"


def upgrade() -> None:
    _know(f"{_BEFORE}, 'consent_revoked'")


def downgrade() -> None:
    op.execute("DELETE FROM letter WHERE kind = 'consent_revoked'")
    _know(_BEFORE)


def _know(kinds: str) -> None:
    for table, name, condition in (
        ("letter", "letter_kind_is_known", f"kind IN ({kinds})"),
        ("connection", "connection_kinds_are_known", f"kinds <@ ARRAY[{kinds}]"),
    ):
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, condition)
