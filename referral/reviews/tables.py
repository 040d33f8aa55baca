"""Which table holds how talks were judged: marks only, and no words."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base
from referral.reviews.rules import HIGHEST, LOWEST, Dimension


class Review(Base):
    """One closed case as a supervisor judged it."""

    __tablename__ = "review"
    __table_args__ = (
        # Nobody judges their own talk.
        CheckConstraint("reviewer_id <> operator_id", name="review_is_by_another"),
        # A review says something.
        CheckConstraint(f"num_nonnulls({', '.join(Dimension)}) > 0", name="review_has_marks"),
        *(
            CheckConstraint(f"{name} BETWEEN {LOWEST} AND {HIGHEST}", name=f"review_{name}_is_known")
            for name in Dimension
        ),
        Index("ix_review_operator", "operator_id"),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"), primary_key=True)
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    reviewed_at: Mapped[datetime]
    opening: Mapped[int | None] = mapped_column(SmallInteger)
    listening: Mapped[int | None] = mapped_column(SmallInteger)
    safety: Mapped[int | None] = mapped_column(SmallInteger)
    language: Mapped[int | None] = mapped_column(SmallInteger)
    help: Mapped[int | None] = mapped_column(SmallInteger)
    closing: Mapped[int | None] = mapped_column(SmallInteger)
