"""Which tables hold what supervisors have changed about replies and macros."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from referral.cases.rules import OPERATOR_OUTCOMES
from referral.database import Base
from referral.replies.rules import LOCALES, Then

_LOCALES = ", ".join(f"'{locale}'" for locale in LOCALES)
_THENS = ", ".join(f"'{then}'" for then in Then)
_OUTCOMES = ", ".join(f"'{outcome}'" for outcome in OPERATOR_OUTCOMES)


class ReplyRow(Base):
    """A reply of the helpline's own, or in place of a shipped one; no word of a visitor stands here."""

    __tablename__ = "reply"
    __table_args__ = (
        CheckConstraint(f"locale IN ({_LOCALES})", name="reply_locale_is_known"),
        # One that is taken out of use says nothing.
        CheckConstraint("hidden OR (title <> '' AND text <> '')", name="reply_says_something"),
    )

    slug: Mapped[str] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    template: Mapped[bool] = mapped_column(server_default=sql("false"))
    hidden: Mapped[bool] = mapped_column(server_default=sql("false"))
    changed_by_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    changed_at: Mapped[datetime]


class MacroRow(Base):
    """A macro of the helpline's own, or in place of a shipped one."""

    __tablename__ = "macro"
    __table_args__ = (
        CheckConstraint(f'"then" IN ({_THENS})', name="macro_then_is_known"),
        CheckConstraint(f"outcome IN ({_OUTCOMES})", name="macro_outcome_is_known"),
        # What closes a case says how it ended, and nothing else does.
        CheckConstraint(
            "hidden OR (\"then\" = 'close') = (outcome IS NOT NULL)", name="macro_closing_has_outcome"
        ),
    )

    slug: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    reply: Mapped[str | None]
    then: Mapped[str]
    outcome: Mapped[str | None]
    code: Mapped[str | None]
    hidden: Mapped[bool] = mapped_column(server_default=sql("false"))
    changed_by_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    changed_at: Mapped[datetime]
