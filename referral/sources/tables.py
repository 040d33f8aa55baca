"""Which tables hold the sources of referrals, and which case came from which."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base


class Source(Base):
    """Another bot that may refer visitors."""

    __tablename__ = "source"
    __table_args__ = (
        Index("uq_source_token_hash", "token_hash", unique=True),
        # Two sources that may refer never have the same name on a card.
        Index("uq_source_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    name: Mapped[str]
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    creator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    #: How many requests came since the present window began.
    window_at: Mapped[datetime | None]
    window_hits: Mapped[int] = mapped_column(server_default=text("0"))


class ReferredCase(Base):
    """A case that a source referred, and whose visitor only that source can reach."""

    __tablename__ = "referred_case"
    __table_args__ = (Index("ix_referred_case_source_id", "source_id"),)

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"))
    #: A keyed hash of what was sent, to tell a repeat from another referral; none once it was erased.
    fingerprint: Mapped[bytes | None]
