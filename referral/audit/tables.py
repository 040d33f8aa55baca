"""Which table holds the audit log; its triggers chain what is added and refuse every change."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from referral.database import Base


class AuditDraft(Base):
    """What becomes a row of the log when its transaction is committed, and is gone from here by then.

    A deferred trigger enters it: everybody else waits for the end of the chain, so it is held while the
    database commits and not while our process does something else.
    """

    __tablename__ = "audit_draft"

    number: Mapped[int] = mapped_column("id", BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    act: Mapped[str]
    operator_id: Mapped[UUID | None]
    about_id: Mapped[UUID | None]
    case_id: Mapped[UUID | None]


class AuditRow(Base):
    """Somebody did something. The table numbers and chains its rows itself, under a lock of its own."""

    __tablename__ = "audit"
    __table_args__ = (
        # One slug that the code knows: no sentence fits in.
        CheckConstraint("act ~ '^[a-z_]{3,40}$'", name="audit_act_is_slug"),
        Index("ix_audit_at", "at"),
        Index("ix_audit_operator_id", "operator_id"),
        Index("ix_audit_case_id", "case_id"),
    )

    # No foreign keys: the log outlives what it speaks of, and checking one would lock an operator's row after
    # the chain, while signing in locks them the other way round.

    #: Without gaps, from 1.
    seq: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, server_default=FetchedValue()
    )
    at: Mapped[datetime]
    act: Mapped[str]
    #: Who did it; none for the bot, the desk itself and the command line.
    operator_id: Mapped[UUID | None]
    #: The other person it was about.
    about_id: Mapped[UUID | None]
    case_id: Mapped[UUID | None]
    previous: Mapped[bytes] = mapped_column(server_default=FetchedValue())
    hash: Mapped[bytes] = mapped_column(server_default=FetchedValue())
