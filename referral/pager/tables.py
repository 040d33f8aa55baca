"""Which table holds the pages that are still to be sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from referral.cases.rules import DangerLevel
from referral.database import Base
from referral.pager.rules import Channel

_CHANNELS = ", ".join(f"'{channel}'" for channel in Channel)
_LEVELS = ", ".join(f"'{level}'" for level in DangerLevel)


class Page(Base):
    """Somebody outside is to hear of an overdue case; the words are made when it is sent."""

    __tablename__ = "page"
    __table_args__ = (
        CheckConstraint(f"channel IN ({_CHANNELS})", name="page_channel_is_known"),
        CheckConstraint(f"danger IN ({_LEVELS})", name="page_danger_is_known"),
        # A page ends once: it was sent, or nobody waits any more.
        CheckConstraint("sent_at IS NULL OR dropped_at IS NULL", name="page_ends_once"),
        # Nobody is paged twice for the same case at the same level of danger.
        UniqueConstraint("case_id", "danger", "channel", name="uq_page_step"),
        Index(
            "ix_page_open",
            "channel",
            "next_try_at",
            postgresql_where=text("sent_at IS NULL AND dropped_at IS NULL"),
        ),
    )

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"))
    #: The level at which the time was over.
    danger: Mapped[str]
    channel: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
