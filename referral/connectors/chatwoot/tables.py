"""Which table remembers how far each conversation in Chatwoot has been read?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base


class ChatwootTalk(Base):
    """One conversation in Chatwoot, by its number there."""

    __tablename__ = "chatwoot_talk"
    __table_args__ = (
        CheckConstraint("read_to >= 0", name="chatwoot_talk_read_is_a_number"),
        Index("uq_chatwoot_talk_conversation", "conversation", unique=True),
        # What rang and was not read since.
        Index("ix_chatwoot_talk_rung", "rung_at", postgresql_where=text("rung_at IS NOT NULL")),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"), primary_key=True)
    conversation: Mapped[int] = mapped_column(BigInteger)
    #: The number of the last message that was dealt with.
    read_to: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    #: When Chatwoot rang for something that we have not read yet.
    rung_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    #: Until then one process alone reads it.
    busy_until: Mapped[datetime | None]
