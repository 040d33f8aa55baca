"""Which tables hold the people at the helpline, their sessions and their failed attempts to sign in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.database import Base
from referral.operators.rules import Role

_ROLES = ", ".join(f"'{role}'" for role in Role)


class Operator(Base):
    """A person at the helpline."""

    __tablename__ = "operator"
    __table_args__ = (
        # There are a few roles; what each may do is decided in code.
        CheckConstraint(f"role IN ({_ROLES})", name="operator_role_is_known"),
        # Names are compared as they are stored, so they are stored in one spelling.
        CheckConstraint("name = lower(name) AND name <> ''", name="operator_name_is_lower_case"),
        # A one-time link always ends some day.
        CheckConstraint(
            "(invitation_hash IS NULL) = (invited_until IS NULL)", name="operator_invitation_has_end"
        ),
        Index("uq_operator_name", "name", unique=True),
    )

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    #: argon2id; none until the operator has chosen a password.
    password_hash: Mapped[str | None]
    #: SHA-256 of the one-time link's secret, while it is good.
    invitation_hash: Mapped[bytes | None]
    invited_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    signed_in_at: Mapped[datetime | None]
    #: When a page of theirs was last seen open.
    present_at: Mapped[datetime | None]
    #: Whom they can serve: languages, countries and roles of visitors; everybody where a list is empty.
    locales: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    #: A disabled operator stays in the record of the cases they worked on.
    disabled_at: Mapped[datetime | None]


class Session(Base):
    """A browser in which an operator is signed in."""

    __tablename__ = "session"
    __table_args__ = (
        # A session never outlives its absolute end by being used.
        CheckConstraint("seen_at >= started_at", name="session_seen_after_start"),
    )

    #: SHA-256 of the cookie, so that a copy of this table lets nobody in.
    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    #: True while its operator practises with children who do not exist.
    rehearses: Mapped[bool] = mapped_column(server_default=text("false"))

    operator: Mapped[Operator] = relationship(lazy="joined", innerjoin=True)


class Throttle(Base):
    """Failed attempts to sign in under one name, whether it exists or not."""

    __tablename__ = "throttle"
    __table_args__ = (
        # A row is only there because something failed.
        CheckConstraint("failures > 0", name="throttle_has_failures"),
    )

    #: A keyed hash of the name, so that the table tells nobody which names were tried.
    key: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]
