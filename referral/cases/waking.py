"""Which cases that were set aside are awake again: their time has come, or their visitor has written."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases import rules
from referral.cases.clocks import Clocks
from referral.cases.repository import CaseRepository
from referral.cases.rules import Happening
from referral.cases.standing import happening, stand, standing_of, start_clock
from referral.cases.tables import Case, rehearse
from referral.changes import QUEUE, case_topic, operator_topic, ring
from referral.database import Sessions, transaction
from referral.events.repository import EventRepository
from referral.events.tables import EventKind
from referral.hours.presence import in_force
from referral.operators.repository import OperatorRepository
from referral.privacy import Privacy

log = structlog.get_logger(__name__)


class Waking:
    """Wakes cases; several processes may do so at once."""

    def __init__(self, sessions: Sessions, *, privacy: Privacy, clocks: Clocks = Clocks()) -> None:
        self._sessions = sessions
        self._privacy = privacy
        self._clocks = clocks

    async def sweep(self, *, now: datetime) -> int:
        """Wake every case that must be, rehearsals too; how many they were.

        What the visitor writes is stored without waiting for the row of the case, so it wakes nothing by
        itself: the sweep, every second, finds it in the thread.
        """
        woken = 0
        for rehearsals in (False, True):
            while await self._wake_one(now=now, rehearsals=rehearsals):
                woken += 1
        return woken

    async def _wake_one(self, *, now: datetime, rehearsals: bool) -> bool:
        async with transaction(self._sessions) as session:
            if rehearsals:
                rehearse(session)
            cases = CaseRepository(session)
            case = await cases.first_to_wake(now=now)
            if case is None:
                return False
            await cases.lock_thread(case.number)
            holder = case.holder_id
            assert holder is not None  # noqa: S101 - the table says that only a held case is set aside.
            at_desk = await OperatorRepository(session).at_desk(since=now - rules.AWAY_AFTER)
            here = holder in {person.number for person in at_desk}
            clocks = await in_force(session, self._clocks)
            stand(case, rules.woken(standing_of(case), here=here), now=now)
            case.woken_at = now
            start_clock(case, clocks, now=now)
            await cases.append([happening(self._privacy, case.number, Happening.WOKEN, now=now)])
            record(session, Act.CASE_WOKEN, now=now, about=holder, case=case.number)
            if not here:
                await self._return(session, case, now=now, holder=holder)
            await ring(session, QUEUE, case_topic(case.number), operator_topic(holder))
        log.info("case woken", case=str(case.number), holder_here=here)
        return True

    async def _return(self, session: AsyncSession, case: Case, *, holder: UUID, now: datetime) -> None:
        """Write down that it went back to the line, and tell the visitor."""
        entry = happening(self._privacy, case.number, Happening.AWAY, now=now, by=holder)
        await CaseRepository(session).append([entry])
        await EventRepository(session).add(case.number, kind=EventKind.RETURNED, number=uuid4())
        record(session, Act.CASE_RETURNED, now=now, about=holder, case=case.number)
