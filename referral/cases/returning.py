"""Which held cases go back to the line by themselves: whose operator does not answer, or has gone."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases import rules
from referral.cases.clocks import Clocks
from referral.cases.repository import CaseRepository, Held
from referral.cases.rules import Happening
from referral.cases.standing import happening, stand, standing_of, start_clock
from referral.changes import QUEUE, case_topic, operator_topic, ring
from referral.database import Sessions, transaction
from referral.events.repository import EventRepository
from referral.events.tables import EventKind
from referral.hours.presence import in_force
from referral.privacy import Privacy

log = structlog.get_logger(__name__)


class Returning:
    """Brings cases back to the line; several processes may do so at once."""

    def __init__(
        self, sessions: Sessions, *, privacy: Privacy, answer_within: timedelta, clocks: Clocks = Clocks()
    ) -> None:
        self._sessions = sessions
        self._privacy = privacy
        self._answer_within = answer_within
        self._clocks = clocks

    async def sweep(self, *, now: datetime, watched_since: datetime) -> int:
        """Bring back every case that must; how many they were."""
        async with transaction(self._sessions) as session:
            held = await CaseRepository(session).held()
        returned = 0
        for case in held:
            if self._why(case, now=now, watched_since=watched_since):
                returned += await self._bring_back(case.number, now=now, watched_since=watched_since)
        return returned

    async def _bring_back(self, number: UUID, *, now: datetime, watched_since: datetime) -> bool:
        """One case in a transaction of its own, looked at again now that nobody else can change it."""
        async with transaction(self._sessions) as session:
            cases = CaseRepository(session)
            case = await cases.locked_if_free(number)
            if case is None:
                return False
            await cases.lock_thread(number)
            held = await cases.held_one(number)
            why = self._why(held, now=now, watched_since=watched_since) if held else None
            if why is None:
                return False
            before = case.holder_id
            clocks = await in_force(session, self._clocks)
            stand(case, rules.returned(standing_of(case)), now=now)
            start_clock(case, clocks, now=now)
            await cases.append([happening(self._privacy, number, why, now=now, by=before)])
            await EventRepository(session).add(number, kind=EventKind.RETURNED, number=uuid4())
            await self._ring(session, number, before)
            record(session, Act.CASE_RETURNED, now=now, about=before, case=number)
        log.info("case returned", case=str(number), reason=str(why))
        return True

    def _why(self, held: Held, *, now: datetime, watched_since: datetime) -> Happening | None:
        return rules.lapse(
            taken_at=held.taken_at,
            awaits_since=held.awaits_since,
            present_at=held.present_at,
            watched_since=watched_since,
            answer_within=self._answer_within,
            now=now,
        )

    async def _ring(self, session: AsyncSession, number: UUID, before: UUID | None) -> None:
        topics = [QUEUE, case_topic(number)]
        if before is not None:
            topics.append(operator_topic(before))
        await ring(session, *topics)
