"""Whose time is over before anybody answered, and who must hear of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases.repository import CaseRepository
from referral.cases.rules import DangerLevel, Happening
from referral.cases.standing import happening
from referral.changes import QUEUE, case_topic, operator_topic, ring
from referral.database import Sessions, transaction
from referral.pager.repository import PageRepository
from referral.pager.rules import Channel
from referral.privacy import Privacy

log = structlog.get_logger(__name__)


class Overdue:
    """Marks cases whose clock has run out, each once; several processes may do so at once."""

    def __init__(self, sessions: Sessions, *, privacy: Privacy, channels: Iterable[Channel] = ()) -> None:
        self._sessions = sessions
        self._privacy = privacy
        self._channels = tuple(channels)

    async def sweep(self, *, now: datetime) -> int:
        """Mark every such case, the most dangerous first; how many they were."""
        marked = 0
        while await self._mark_one(now=now):
            marked += 1
        return marked

    async def _mark_one(self, *, now: datetime) -> bool:
        async with transaction(self._sessions) as session:
            cases = CaseRepository(session)
            case = await cases.first_overdue(now=now)
            if case is None:
                return False
            await cases.lock_thread(case.number)
            case.overdue_at = now
            danger = DangerLevel(case.danger)
            await cases.append(
                [happening(self._privacy, case.number, Happening.OVERDUE, now=now, danger=danger)]
            )
            await PageRepository(session).add(case.number, danger=danger, channels=self._channels, now=now)
            topics = [QUEUE, case_topic(case.number)]
            if case.holder_id is not None:
                topics.append(operator_topic(case.holder_id))
            await ring(session, *topics)
            record(session, Act.CASE_OVERDUE, now=now, case=case.number)
        log.warning("case overdue", case=str(case.number), danger=str(danger))
        return True
