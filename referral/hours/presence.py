"""Is anybody there for a visitor at this moment, and if not, when?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.clocks import Clocks
from referral.cases.rules import AWAY_AFTER
from referral.hours.repository import HoursRepository
from referral.operators.repository import OperatorRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether people are there."""

    #: True while the timetable says so and somebody has a page of the desk open.
    here: bool
    #: When people are there by the timetable, by the helpline's clocks; none where they should be there and
    #: nobody is, or where no opening is in sight: then nobody can promise a time.
    opens_at: datetime | None


async def presence(session: AsyncSession, *, now: datetime) -> Presence:
    """Whether anybody is there at this moment."""
    schedule = await HoursRepository(session).schedule()
    if not schedule.is_open(now):
        return Presence(here=False, opens_at=schedule.opens_at(now))
    at_desk = await OperatorRepository(session).at_desk(since=now - AWAY_AFTER)
    return Presence(here=bool(at_desk), opens_at=None)


async def in_force(session: AsyncSession, clocks: Clocks) -> Clocks:
    """The clocks with the timetable by which some of them count."""
    return replace(clocks, hours=await HoursRepository(session).schedule())
