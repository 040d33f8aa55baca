"""Which table holds what the bot is still to be told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base


class EventKind(StrEnum):
    """What the bot is told; on the wire ``case.`` stands before it."""

    TAKEN = "taken"
    MESSAGE = "message"
    RETURNED = "returned"
    CLOSED = "closed"


_KINDS = ", ".join(f"'{kind}'" for kind in EventKind)
OPEN = "delivered_at IS NULL AND dropped_at IS NULL"


class OutgoingEvent(Base):
    """One event on its way to the bot; the words stay in the thread and are read when it is sent."""

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="event_kind_is_known"),
        # Only a message has words to carry, and it always has.
        CheckConstraint("(kind = 'message') = (message_id IS NOT NULL)", name="event_message_has_words"),
        # An event ends once: the bot has it, or it is not to be sent any more.
        CheckConstraint("delivered_at IS NULL OR dropped_at IS NULL", name="event_ends_once"),
        ForeignKeyConstraint(
            ["case_id", "message_id"],
            ["message.case_id", "message.id"],
            name="fk_event_message",
            ondelete="CASCADE",
        ),
        Index("uq_event_seq", "seq", unique=True),
        # The drain reads the first open event of a case; one per message tells how its delivery stands.
        Index("ix_event_open", "case_id", "seq", postgresql_where=text(OPEN)),
        Index("ix_event_message", "case_id", "message_id", postgresql_where=text("message_id IS NOT NULL")),
    )

    #: The ``webhook-id``: the same on every attempt.
    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"))
    kind: Mapped[str]
    message_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    #: Not before this instant, by the database's clock.
    next_try_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    #: In which trace it came about, as W3C's ``traceparent``, while traces are sent.
    trace: Mapped[str | None]
