"""Which tables hold when people are at the helpline."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base


class OpeningHours(Base):
    """The timetable of the helpline: one row, or none while it is open day and night."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        # There is one timetable.
        CheckConstraint("single", name="opening_hours_are_one"),
        # A week has seven days.
        CheckConstraint("cardinality(week) = 7", name="opening_hours_week_is_whole"),
    )

    single: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    zone: Mapped[str]
    #: From Monday on, each as ``09:00-13:00, 14:00-18:00``; empty where nobody is there.
    week: Mapped[list[str]] = mapped_column(ARRAY(Text))
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))


class SpecialDate(Base):
    """A date that is not as its weekday: a holiday, or an exceptional opening."""

    __tablename__ = "special_date"
    __table_args__ = (
        # Whoever reads the list later must know why.
        CheckConstraint("name <> ''", name="special_date_has_name"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    #: Empty where nobody is there.
    spans: Mapped[str]
