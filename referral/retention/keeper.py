"""Which closed cases have been kept long enough: every word of them goes, and an audit row says so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.erasing import erase
from referral.cases.repository import CaseRepository
from referral.cases.rules import Happening
from referral.cases.standing import happening
from referral.changes import case_topic, ring
from referral.database import Sessions, transaction
from referral.privacy import Privacy
from referral.retention.repository import RetentionRepository
from referral.retention.rules import Keeping

log = structlog.get_logger(__name__)


class Retention:
    """Erases what is over; several processes may do so at once."""

    def __init__(self, sessions: Sessions, *, privacy: Privacy, keeping: Keeping) -> None:
        self._sessions = sessions
        self._privacy = privacy
        self._keeping = keeping

    async def sweep(self, *, now: datetime) -> int:
        """Erase the words of every such case; how many they were."""
        erased = 0
        while await self._erase_one(now=now):
            erased += 1
        return erased

    async def due(self, *, now: datetime) -> int:
        """How many cases the next sweep would erase; nothing is changed."""
        async with transaction(self._sessions) as session:
            return await RetentionRepository(session).over(self._keeping, now=now)

    async def _erase_one(self, *, now: datetime) -> bool:
        async with transaction(self._sessions) as session:
            case = await RetentionRepository(session).first_over(self._keeping, now=now)
            if case is None:
                return False
            number: UUID = case.number
            cases = CaseRepository(session)
            await cases.lock_thread(number)
            await erase(session, case, now=now)
            await cases.append([happening(self._privacy, number, Happening.EXPIRED, now=now)])
            await ring(session, case_topic(number))
            record(session, Act.CASE_EXPIRED, now=now, case=number)
        log.info("case erased, its time was over", case=str(number))
        return True
