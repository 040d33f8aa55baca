"""How many cases there were in a period: counts only, and never a word of anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.clocks import Clocks
from referral.cases.rules import DangerLevel
from referral.cases.tables import Case, Rating
from referral.reports.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long visitors of one danger level waited for the first answer."""

    in_time: int
    late: int
    #: Those whom nobody answered: they left, were forgotten, or still wait.
    unanswered: int
    #: Half of the answered waited at most so many seconds, and nine of ten; none where nobody was answered.
    median: float | None
    slow: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Closed cases that were coded alike."""

    code: str
    online_harm: str | None
    occurred: str | None
    counselled: bool | None
    number: int


class Figures:
    """Counts the cases that reached us within a period."""

    def __init__(self, session: AsyncSession, *, period: Period) -> None:
        self._session = session
        self._months = period.months
        self._local: ColumnElement[Any] = func.timezone(period.zone.key, Case.received_at)
        self._within = and_(Case.received_at >= period.begins_at, Case.received_at < period.ends_at)

    async def total(self) -> int:
        """All of them."""
        return await self._session.scalar(select(func.count()).select_from(Case).where(self._within)) or 0

    async def by_day(self) -> Mapping[str, int]:
        """By the day on which they came, ``2026-11-29``."""
        return await self._by(func.to_char(self._local, "YYYY-MM-DD"))

    async def by_month(self) -> Mapping[str, int]:
        """By month, ``2026-11``."""
        return await self._by(func.to_char(self._local, "YYYY-MM"))

    async def by_hour(self) -> Mapping[str, int]:
        """By the hour of the day, ``00`` to ``23``."""
        return await self._by(func.to_char(self._local, "HH24"))

    async def by_attribute(self, name: str) -> Mapping[str, int]:
        """By one column of the case; what is not known counts under the empty name."""
        return await self._by(func.coalesce(cast(getattr(Case, name), String), ""))

    async def by_action(self) -> Mapping[str, int]:
        """By what was done; a case counts once for each."""
        done = func.unnest(Case.actions).label("done")
        found = select(done).where(self._within).subquery()
        return await self._counted(select(found.c.done, func.count()).group_by(found.c.done))

    async def ratings(self) -> Mapping[str, int]:
        """What visitors said of their talk when it was over, in these months."""
        query = (
            select(Rating.face, func.sum(Rating.number))
            .where(Rating.month.in_(self._months))
            .group_by(Rating.face)
        )
        return {face: int(number) for face, number in (await self._session.execute(query)).all()}

    async def coded(self) -> Sequence[Coded]:
        """Closed cases that carry a code, by how they were coded."""
        columns = (Case.code, Case.online_harm, Case.occurred, Case.counselled)
        query = select(*columns, func.count()).where(self._within).group_by(*columns)
        return [
            Coded(code=code, online_harm=harm, occurred=occurred, counselled=counselled, number=number)
            for code, harm, occurred, counselled, number in (await self._session.execute(query)).all()
            if code is not None
        ]

    async def waiting(self, clocks: Clocks) -> Mapping[DangerLevel, Waiting]:
        """How long they waited, by the danger level that they reached."""
        waited = Case.answered_at - Case.received_at
        limit = case(*((Case.danger == level, clocks.limit(level)) for level in DangerLevel))
        seconds = func.extract("epoch", waited)
        query = (
            select(
                Case.danger,
                func.count().filter(waited <= limit),
                func.count().filter(waited > limit),
                func.count().filter(Case.answered_at.is_(None)),
                func.percentile_cont(0.5).within_group(seconds),
                func.percentile_cont(0.9).within_group(seconds),
            )
            .where(self._within)
            .group_by(Case.danger)
        )
        return {
            DangerLevel(danger): Waiting(
                in_time=in_time, late=late, unanswered=unanswered, median=median, slow=slow
            )
            for danger, in_time, late, unanswered, median, slow in (await self._session.execute(query)).all()
        }

    async def _by(self, what: ColumnElement[Any]) -> Mapping[str, int]:
        name = what.label("name")
        found = select(name).where(self._within).subquery()
        return await self._counted(select(found.c.name, func.count()).group_by(found.c.name))

    async def _counted(self, query: Any) -> Mapping[str, int]:
        return {row[0]: row[1] for row in (await self._session.execute(query)).all()}
