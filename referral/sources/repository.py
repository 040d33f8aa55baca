"""How sources and what they referred are read and written; the only place with queries about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.rules import EntryKind, Happening
from referral.cases.tables import Message
from referral.sources.rules import WINDOW
from referral.sources.tables import ReferredCase, Source

#: What a source is told of besides the operator's messages.
TOLD = (
    Happening.TAKEN,
    Happening.PICKED,
    Happening.RELEASED,
    Happening.UNANSWERED,
    Happening.AWAY,
    Happening.CLOSED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A source at the door, and how often it came since its window began."""

    number: UUID
    name: str
    window_at: datetime
    hits: int


class SourceRepository:
    """Sources and their referrals within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def everyone(self) -> Sequence[Source]:
        """Every source, those that may refer first."""
        query = select(Source).order_by(Source.revoked_at.is_not(None), Source.name, Source.created_at)
        return (await self._session.scalars(query)).all()

    async def add(self, source: Source) -> bool:
        """Add a source; False when its name is in use."""
        values = {
            "number": source.number,
            "name": source.name,
            "token_hash": source.token_hash,
            "created_at": source.created_at,
            "creator_id": source.creator_id,
        }
        statement = insert(Source).values(values).on_conflict_do_nothing().returning(Source.number)
        return await self._session.scalar(statement) is not None

    async def revoke(self, number: UUID, *, now: datetime) -> bool:
        """The token of this source opens nothing any more; False if there is no such source."""
        query = (
            update(Source)
            .where(Source.number == number, Source.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(Source.number)
            .execution_options(synchronize_session=False)
        )
        return await self._session.scalar(query) is not None

    async def admit(self, token_hash: bytes, *, now: datetime) -> Admitted | None:
        """Whose token this is, counting the request; None if it is nobody's."""
        same_window = Source.window_at > now - WINDOW
        query = (
            update(Source)
            .where(Source.token_hash == token_hash, Source.revoked_at.is_(None))
            .values(
                last_used_at=now,
                window_at=case((same_window, Source.window_at), else_=now),
                window_hits=case((same_window, Source.window_hits + 1), else_=1),
            )
            .returning(Source.number, Source.name, Source.window_at, Source.window_hits)
            .execution_options(synchronize_session=False)
        )
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            return None
        number, name, window_at, hits = row
        return Admitted(number=number, name=name, window_at=window_at or now, hits=hits)

    async def referred(self, source: UUID, case_id: UUID) -> ReferredCase | None:
        """A case of this source; those of others do not exist as far as it can tell."""
        query = select(ReferredCase).where(ReferredCase.case_id == case_id, ReferredCase.source_id == source)
        return await self._session.scalar(query)

    async def refer(self, source: UUID, case_id: UUID, *, fingerprint: bytes) -> None:
        """This case came from this source."""
        values = {"source_id": source, "case_id": case_id, "fingerprint": fingerprint}
        await self._session.execute(insert(ReferredCase).values(values).on_conflict_do_nothing())

    async def forget(self, case_id: UUID) -> None:
        """Nothing that was made from a visitor's words remains."""
        await self._session.execute(
            update(ReferredCase)
            .where(ReferredCase.case_id == case_id)
            .values(fingerprint=None)
            .execution_options(synchronize_session=False)
        )

    async def news(self, case_id: UUID, *, after: int, limit: int) -> Sequence[Message]:
        """What the helpline said and did about a case after this entry, oldest first."""
        query = (
            select(Message)
            .where(
                Message.case_id == case_id,
                Message.seq > after,
                or_(_said(), Message.happened.in_(TOLD)),
            )
            .order_by(Message.seq)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()


def _said() -> Any:
    """An operator's message whose words were not erased."""
    return (Message.kind == EntryKind.OPERATOR) & Message.text.is_not(None)
