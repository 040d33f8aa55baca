"""How rehearsals are found, and removed when they are over; the only place with queries about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.rules import CaseState
from referral.cases.tables import Case

#: So many rehearsals are shown to who practised.
SHOWN = 20


class RehearsalRepository:
    """Rehearsals, within one transaction that is about them (``rehearse``)."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def open(self) -> Sequence[Case]:
        """Every rehearsal that is not closed."""
        return (await self._session.scalars(select(Case).where(Case.state != CaseState.CLOSED))).all()

    async def closed_by(self, operator: UUID) -> Sequence[Case]:
        """What this operator rehearsed of late, the newest first."""
        query = (
            select(Case)
            .where(Case.state == CaseState.CLOSED, Case.closer_id == operator)
            .order_by(Case.closed_at.desc())
            .limit(SHOWN)
        )
        return (await self._session.scalars(query)).all()

    async def of(self, numbers: Sequence[UUID]) -> Sequence[Case]:
        """These rehearsals, in the order in which they came."""
        query = select(Case).where(Case.number.in_(numbers)).order_by(Case.received_at, Case.number)
        return (await self._session.scalars(query)).all()

    async def holds_visitor(self, operator: UUID) -> bool:
        """True while this operator holds a case of a visitor; for a session that is about visitors."""
        query = select(exists().where(Case.holder_id == operator, Case.gone_at.is_(None)))
        return bool(await self._session.scalar(query))

    async def remove(self, *, before: datetime) -> None:
        """Remove what was over before then, with all its words."""
        await self._session.execute(
            delete(Case)
            .where(Case.rehearsal.is_not(None), Case.state == CaseState.CLOSED, Case.closed_at < before)
            .execution_options(synchronize_session=False)
        )
