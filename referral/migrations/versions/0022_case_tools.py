"""Replies, macros, mentions, files to give, consent that can be taken back, and what visitors say afterwards.

The way back forgets them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_BEFORE = (
    "'opened', 'taken', 'picked', 'released', 'closed', 'danger_raised', 'left', 'unreachable', 'forgotten',"
    " 'unanswered', 'away', 'passed_on', 'overdue'"
)
_LOCALES = "'en', 'ru', 'be', 'bn'"
_OUTCOMES = (
    "'advice_given', 'emergency_services', 'child_protection', 'law_enforcement', 'healthcare', 'school',"
    " 'other_organisation', 'visitor_silent', 'not_for_us'"
)


def upgrade() -> None:
    _know(f"{_BEFORE}, 'consent_revoked'")
    _replies()
    _macros()
    _files()
    _mentions()
    op.add_column("case", sa.Column("consent_revoked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("case", sa.Column("rated", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "rating",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("face", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("face IN ('good', 'so_so', 'bad')", name=op.f("rating_face_is_known")),
        sa.CheckConstraint("number > 0", name=op.f("rating_counts")),
        sa.PrimaryKeyConstraint("month", "locale", "face", name=op.f("pk_rating")),
    )


def downgrade() -> None:
    op.drop_table("rating")
    op.drop_column("case", "rated")
    op.drop_column("case", "consent_revoked_at")
    op.drop_table("mention")
    op.drop_constraint(op.f("given_by_operator"), "message", type_="check")
    for column in ("document", "file_id", "key"):
        op.drop_column("message", column)
    for table in ("library_file", "macro", "reply"):
        op.drop_table(table)
    op.execute("DELETE FROM message WHERE happened = 'consent_revoked'")
    _know(_BEFORE)


def _replies() -> None:
    op.create_table(
        "reply",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("template", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *_changed(),
        sa.CheckConstraint(f"locale IN ({_LOCALES})", name=op.f("reply_locale_is_known")),
        sa.CheckConstraint("hidden OR (title <> '' AND text <> '')", name=op.f("reply_says_something")),
        sa.ForeignKeyConstraint(["changed_by_id"], ["operator.id"], name=op.f("fk_reply_changed_by_id")),
        sa.PrimaryKeyConstraint("slug", "locale", name=op.f("pk_reply")),
    )


def _macros() -> None:
    op.create_table(
        "macro",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("then", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        *_changed(),
        sa.CheckConstraint("\"then\" IN ('stay', 'release', 'close')", name=op.f("macro_then_is_known")),
        sa.CheckConstraint(f"outcome IN ({_OUTCOMES})", name=op.f("macro_outcome_is_known")),
        sa.CheckConstraint(
            "hidden OR (\"then\" = 'close') = (outcome IS NOT NULL)",
            name=op.f("macro_closing_has_outcome"),
        ),
        sa.ForeignKeyConstraint(["changed_by_id"], ["operator.id"], name=op.f("fk_macro_changed_by_id")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_macro")),
    )


def _files() -> None:
    op.create_table(
        "library_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added_by_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("form IN ('pdf', 'png')", name=op.f("library_form_is_known")),
        sa.CheckConstraint(
            "(content IS NULL) = (removed_at IS NOT NULL)", name=op.f("library_content_or_removed")
        ),
        sa.ForeignKeyConstraint(["added_by_id"], ["operator.id"], name=op.f("fk_library_file_added_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_file")),
    )
    op.add_column("message", sa.Column("key", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("file_id", sa.Uuid(), nullable=True))
    op.add_column("message", sa.Column("document", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_message_file_id"), "message", "library_file", ["file_id"], ["id"])
    op.create_check_constraint(
        op.f("given_by_operator"),
        "message",
        "num_nonnulls(file_id, document) = 0 OR (kind = 'operator' AND num_nonnulls(file_id, document) = 1)",
    )


def _mentions() -> None:
    op.create_table(
        "mention",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id", "message_id"],
            ["message.case_id", "message.id"],
            name=op.f("fk_mention_message"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_mention_operator_id")),
        sa.PrimaryKeyConstraint("case_id", "message_id", "operator_id", name=op.f("pk_mention")),
    )
    op.create_index(
        "ix_mention_unread", "mention", ["operator_id"], postgresql_where=sa.text("read_at IS NULL")
    )


def _changed() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("changed_by_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )


def _know(happenings: str) -> None:
    name = op.f("message_happening_is_known")
    op.drop_constraint(name, "message", type_="check")
    op.create_check_constraint(name, "message", f"happened IN ({happenings})")
