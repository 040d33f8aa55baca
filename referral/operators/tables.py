"""Which tables hold the people at the helpline, how they sign in, their sessions and failed attempts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.database import Base
from referral.operators.rules import Role, Scope

_ROLES = ", ".join(f"'{role}'" for role in Role)
_SCOPES = ", ".join(f"'{scope}'" for scope in Scope)


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
        # As for names: an address is compared with what the account at the organisation says.
        CheckConstraint("email = lower(email) AND email LIKE '%@%'", name="operator_email_is_lower_case"),
        Index("uq_operator_name", "name", unique=True),
        Index("uq_operator_email", "email", unique=True),
    )

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    #: By which somebody who signs in with an account elsewhere is known the first time.
    email: Mapped[str | None]
    #: argon2id; none until the operator has chosen a password.
    password_hash: Mapped[str | None]
    #: SHA-256 of the one-time link's secret, while it is good.
    invitation_hash: Mapped[bytes | None]
    invited_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    signed_in_at: Mapped[datetime | None]
    #: When a page of theirs was last seen open.
    present_at: Mapped[datetime | None]
    #: In which language they read the console; by the browser's until they have chosen one.
    language: Mapped[str | None]
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
    #: By which its own operator names it in the list of sessions.
    number: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"), unique=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    #: True while its operator practises with children who do not exist.
    rehearses: Mapped[bool] = mapped_column(server_default=text("false"))
    #: "Firefox, Windows": enough to tell one's own browsers apart, and no more.
    browser: Mapped[str] = mapped_column(server_default="")
    #: True when more than a password was proved.
    second_factor: Mapped[bool] = mapped_column(server_default=text("false"))

    operator: Mapped[Operator] = relationship(lazy="joined", innerjoin=True)


class Throttle(Base):
    """Failed attempts to sign in, by name, address, both, or browser, whether the name exists or not."""

    __tablename__ = "throttle"
    __table_args__ = (
        # A row is only there because something failed.
        CheckConstraint("failures > 0", name="throttle_has_failures"),
        CheckConstraint(f"scope IN ({_SCOPES})", name="throttle_scope_is_known"),
        # Addresses are let in again together, everything else by the name it was tried with.
        CheckConstraint("(scope = 'address') = (name_key IS NULL)", name="throttle_is_of_a_name"),
    )

    #: A keyed hash, so that the table tells nobody which names were tried, and from where.
    key: Mapped[bytes] = mapped_column(primary_key=True)
    scope: Mapped[str]
    #: A keyed hash of the name alone.
    name_key: Mapped[bytes | None] = mapped_column(index=True)
    failures: Mapped[int]
    failed_at: Mapped[datetime]


class Authenticator(Base):
    """An app on somebody's phone that shows six digits, new ones every thirty seconds."""

    __tablename__ = "authenticator"
    __table_args__ = (
        # A code counts once: until the first one nothing was proved, after it there is a last one.
        CheckConstraint(
            "(confirmed_at IS NULL) = (last_step IS NULL)", name="authenticator_confirmed_by_code"
        ),
    )

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    #: Sealed: whoever reads this can make codes.
    secret: Mapped[bytes]
    confirmed_at: Mapped[datetime | None]
    #: The half minute whose code was accepted last; neither it nor an older one is accepted again.
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class RecoveryCode(Base):
    """A code on paper for the day on which the phone is lost; it goes when it is used."""

    __tablename__ = "recovery_code"

    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), primary_key=True)
    #: A keyed hash of the code.
    code_hash: Mapped[bytes] = mapped_column(primary_key=True)


class Passkey(Base):
    """A key in a phone, a computer or a stick, which proves itself without a password (WebAuthn)."""

    __tablename__ = "passkey"
    __table_args__ = (
        CheckConstraint("name <> ''", name="passkey_has_name"),
        CheckConstraint("sign_count >= 0", name="passkey_count_is_natural"),
    )

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    #: How often it has signed, as far as it counts; one that counts backwards was copied.
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Identity(Base):
    """An account at the organisation's own sign-in, bound to an operator when it was first used."""

    __tablename__ = "identity"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    #: One account a person: a second one would be a way in that nobody sees.
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id", ondelete="CASCADE"), unique=True)
    bound_at: Mapped[datetime]


class SpentTicket(Base):
    """A step of a sign-in that was taken, until it would be too old anyway: nobody takes it twice."""

    __tablename__ = "spent_ticket"

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    until: Mapped[datetime]
