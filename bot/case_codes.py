"""Which case does a private code stand for? Kept as a keyed hash that ends in time; guesses are counted.

The code itself is known to the visitor alone: it is in no table but, sealed, in the message that told it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Uuid,
    func,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.privacy import Privacy
from bot.store import metadata
from flows.case_code import CODE_DIGITS

#: A code tells nothing after this time, and its row is erased.
GIVEN_FOR = timedelta(days=30)
#: So many wrong codes in an hour, then no code of that conversation is looked at.
MOST_TRIES = 5
#: So many in an hour from all conversations, then no code is looked at: whoever opens a conversation for each
#: five guesses hits one of 2,000 codes in 50,000 hours, and learns how far a case is.
MOST_TRIES_OF_ALL = 100

_AT = DateTime(timezone=True)

code_table = Table(
    "case_code",
    metadata,
    # A keyed hash: the database alone tells no code.
    Column("token", LargeBinary, primary_key=True),
    Column("case_id", Uuid, ForeignKey("referral_case.id", ondelete="CASCADE"), nullable=False),
    Column("ends_at", _AT, nullable=False),
    Index("case_code_case", "case_id"),
)

try_table = Table(
    "case_code_try",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("conversation_id", Uuid, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("tried_at", _AT, nullable=False, server_default=func.now()),
    Index("case_code_try_at", "tried_at"),
)

# Two who guess at once are counted one after the other. Any number, as long as nothing else here uses it.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7206210031)")

_TRIES = text("""
SELECT count(*) FILTER (WHERE conversation_id = :id) AS own, count(*) AS of_all
FROM case_code_try WHERE tried_at > now() - interval '1 hour'
""")

_CASE = text("""
SELECT c.id, c.closed_at FROM case_code AS k JOIN referral_case AS c ON c.id = k.case_id
WHERE k.token = :token AND k.ends_at > now()
""")


class TriedOften(Exception):
    """So many wrong codes came lately that none is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedCase:
    """The case that a code stands for."""

    number: UUID
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCodes:
    """The private codes that were given."""

    privacy: Privacy

    def new(self) -> str:
        """A code that nobody can guess."""
        return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"

    async def give(self, connection: AsyncConnection, case: UUID, code: str) -> None:
        """Let this code stand for a case; with one that is taken the turn fails, and another is tried."""
        await connection.execute(
            text(
                "INSERT INTO case_code (token, case_id, ends_at)"
                " VALUES (:token, :case, now() + cast(:given_for AS interval))"
            ),
            {"token": self.privacy.code_key(code), "case": case, "given_for": GIVEN_FOR},
        )

    async def look_up(self, connection: AsyncConnection, who: UUID, code: str) -> CodedCase | None:
        """The case of a code, or None for one that is wrong, over or erased; raises ``TriedOften``."""
        await connection.execute(_ONE_AT_A_TIME)
        tries = (await connection.execute(_TRIES, {"id": who})).one()
        if tries.own >= MOST_TRIES or tries.of_all >= MOST_TRIES_OF_ALL:
            raise TriedOften
        found = (await connection.execute(_CASE, {"token": self.privacy.code_key(code)})).first()
        if found is None:
            await connection.execute(
                text("INSERT INTO case_code_try (conversation_id) VALUES (:id)"), {"id": who}
            )
            return None
        return CodedCase(number=found.id, closed_at=found.closed_at)

    async def end_due(self, connection: AsyncConnection) -> None:
        """Erase codes that are over, and tries that count no longer."""
        await connection.execute(text("DELETE FROM case_code WHERE ends_at <= now()"))
        await connection.execute(text("DELETE FROM case_code_try WHERE tried_at < now() - interval '1 hour'"))
