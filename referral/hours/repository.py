"""How the timetable is read and written; the only place with queries about it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from referral.hours.rules import ALWAYS, Schedule, SpecialDay, spans_of, text_of
from referral.hours.tables import OpeningHours, SpecialDate


class HoursRepository:
    """The timetable within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def schedule(self) -> Schedule:
        """The timetable; day and night while nobody has written one down."""
        stored = await self._session.scalar(select(OpeningHours))
        if stored is None:
            return ALWAYS
        special = (await self._session.scalars(select(SpecialDate).order_by(SpecialDate.day))).all()
        return Schedule(
            zone=stored.zone,
            week=tuple(spans_of(text, where="") for text in stored.week),
            special={
                row.day: SpecialDay(name=row.name, spans=spans_of(row.spans, where="")) for row in special
            },
        )

    async def put(self, schedule: Schedule, *, by: UUID, now: datetime) -> None:
        """This timetable holds from now on."""
        values = {
            "zone": schedule.zone,
            "week": [text_of(spans) for spans in schedule.week],
            "changed_at": now,
            "changed_by": by,
        }
        await self._session.execute(
            insert(OpeningHours)
            .values(single=True, **values)
            .on_conflict_do_update(index_elements=[OpeningHours.single], set_=values)
        )
        await self._session.execute(delete(SpecialDate))
        self._session.add_all(
            SpecialDate(day=day, name=one.name, spans=text_of(one.spans))
            for day, one in schedule.special.items()
        )
        await self._session.flush()
