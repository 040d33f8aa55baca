"""How cases whose time is over are found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.rules import CaseState
from referral.cases.tables import Case
from referral.retention.rules import Keeping


class RetentionRepository:
    """Closed cases that still hold words, within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def first_over(self, keeping: Keeping, *, now: datetime) -> Case | None:
        """The oldest case that must go, which nobody else changes until this transaction ends."""
        query = select(Case).where(_over(keeping, now=now)).order_by(Case.closed_at).limit(1)
        return (await self._session.scalars(query.with_for_update(key_share=True, skip_locked=True))).first()

    async def over(self, keeping: Keeping, *, now: datetime) -> int:
        """How many cases must go."""
        query = select(func.count()).select_from(Case).where(_over(keeping, now=now))
        return await self._session.scalar(query) or 0


def _over(keeping: Keeping, *, now: datetime) -> Any:
    times = [
        and_(Case.outcome.in_(outcomes), Case.closed_at <= until) for outcomes, until in keeping.over(now=now)
    ]
    return and_(Case.state == CaseState.CLOSED, Case.forgotten_at.is_(None), or_(*times))
