"""Which messages and deliveries were set aside after repeated failure, and how are they tried once more?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine


class Side(StrEnum):
    """Where something was set aside."""

    #: A visitor's message that could not be answered.
    INBOX = "inbox"
    #: Something for a visitor or for the helpline that could not be delivered.
    OUTBOX = "outbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """What was set aside, without a word of it."""

    side: Side
    number: int
    conversation: UUID
    #: ``message``; for a delivery where it goes and what it is, as ``referral open_case``.
    what: str
    reason: str
    attempts: int
    at: datetime


# What a visitor asked us to forget has no conversation and cannot be tried any more.
_LISTED = text("""
SELECT 'inbox' AS side, id AS number, conversation_id AS conversation, 'message' AS what, parked AS reason,
       attempts, received_at AS at
FROM inbox WHERE parked IS NOT NULL AND conversation_id IS NOT NULL AND payload IS NOT NULL
UNION ALL
SELECT 'outbox', id, conversation_id, lane || ' ' || kind, parked, attempts, created_at
FROM outbox WHERE parked IS NOT NULL
ORDER BY at
""")

# A worker's sweep, which runs every second, wakes the conversation.
_AGAIN = {
    Side.INBOX: text("""
UPDATE inbox SET parked = NULL, attempts = 0
WHERE parked IS NOT NULL AND conversation_id IS NOT NULL AND payload IS NOT NULL
  AND (cast(:number AS bigint) IS NULL OR id = :number)
"""),
    Side.OUTBOX: text("""
UPDATE outbox SET parked = NULL, attempts = 0, done_at = NULL, next_at = now()
WHERE parked IS NOT NULL AND (cast(:number AS bigint) IS NULL OR id = :number)
"""),
}


async def listed(engine: AsyncEngine) -> list[Parked]:
    """Everything that was set aside, oldest first."""
    async with engine.connect() as connection:
        rows = await connection.execute(_LISTED)
        return [Parked(**{**row._mapping, "side": Side(row.side)}) for row in rows]


async def again(engine: AsyncEngine, *, side: Side, number: int | None) -> int:
    """Let a worker try this one, or with no number all of this side; how many that are."""
    async with engine.begin() as connection:
        return (await connection.execute(_AGAIN[side], {"number": number})).rowcount
