"""Which tables hold the systems we tell of cases, and what each of them still has to be told.

There are no words here: a letter names an entry of the thread, and what it says is read when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from referral.connectors.happenings import Audience, Kind
from referral.connectors.rules import MAX_REASON
from referral.database import Base


def _one_of(members: Iterable[str]) -> str:
    return ", ".join(f"'{member}'" for member in members)


OPEN = "delivered_at IS NULL AND parked_at IS NULL AND dropped_at IS NULL"


class Connection(Base):
    """A system that is told of cases, in use or once in use."""

    __tablename__ = "connection"
    __table_args__ = (
        CheckConstraint("name ~ '^[a-z0-9_]{1,40}$'", name="connection_name_is_slug"),
        CheckConstraint(f"kinds <@ ARRAY[{_one_of(Kind)}]", name="connection_kinds_are_known"),
        # Whoever is told nothing any more, or nothing for a while, has a reason.
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="connection_end_has_reason"),
        CheckConstraint(
            "(failures > 0) = (failed_because IS NOT NULL)", name="connection_failure_has_reason"
        ),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    #: What it wants to hear of.
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    #: How often in a row the system as a whole could not be reached, and why the last time.
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    failed_because: Mapped[str | None]
    #: Nothing is sent before this instant.
    next_try_at: Mapped[datetime | None]
    #: Until then one process alone sends to it.
    busy_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class QueuedLetter(Base):
    """One system is to hear of one happening."""

    __tablename__ = "letter"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_one_of(Kind)})", name="letter_kind_is_known"),
        # Only a deletion is about no entry of the thread.
        CheckConstraint("(kind = 'forgotten') = (entry_id IS NULL)", name="letter_has_entry"),
        # A letter ends once: it has arrived, waits for somebody to look at it, or is not to be sent any more.
        CheckConstraint("num_nonnulls(delivered_at, parked_at, dropped_at) <= 1", name="letter_ends_once"),
        CheckConstraint("parked_at IS NULL OR reason IS NOT NULL", name="parked_letter_has_reason"),
        # A status or the name of an error; no sentence of anybody fits in.
        CheckConstraint(f"length(reason) <= {MAX_REASON}", name="letter_reason_is_short"),
        Index("uq_letter_seq", "seq", unique=True),
        # Nobody is told the same twice under two numbers.
        Index("uq_letter_entry", "connection", "case_id", "entry_id", unique=True),
        Index("ix_letter_open", "connection", "case_id", "seq", postgresql_where=text(OPEN)),
        Index("ix_letter_case_id", "case_id"),
    )

    # No foreign key to the case: a deletion must arrive even when nothing of the case is left.

    #: The same on every attempt.
    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    connection: Mapped[str] = mapped_column(ForeignKey("connection.name"))
    case_id: Mapped[UUID]
    #: The entry of the thread that tells what happened.
    entry_id: Mapped[UUID | None]
    kind: Mapped[str]
    at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_try_at: Mapped[datetime]
    #: Why the last attempt failed.
    reason: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]


class ForeignCase(Base):
    """Under which name another system keeps one of our cases."""

    __tablename__ = "foreign_case"
    __table_args__ = (Index("uq_foreign_case_reference", "connection", "reference", unique=True),)

    connection: Mapped[str] = mapped_column(ForeignKey("connection.name"), primary_key=True)
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]


class Endpoint(Base):
    """Where a Standard Webhook goes, as a supervisor set it up."""

    __tablename__ = "endpoint"
    __table_args__ = (
        CheckConstraint(f"audience IN ({_one_of(Audience)})", name="endpoint_audience_is_known"),
    )

    name: Mapped[str] = mapped_column(ForeignKey("connection.name"), primary_key=True)
    #: What people call it.
    label: Mapped[str]
    #: Sealed, since an address may hold a password.
    address: Mapped[bytes]
    #: Sealed JSON: one secret, or two while they are being changed, the newer first.
    secrets: Mapped[bytes]
    audience: Mapped[str]
    #: True if what visitors and operators write goes there as well.
    with_words: Mapped[bool]
    created_at: Mapped[datetime]
    creator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
