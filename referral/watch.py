"""What the desk does by itself as time passes, whoever is or is not looking at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from referral.background import beside
from referral.cases.overdue import Overdue
from referral.cases.returning import Returning
from referral.cases.waking import Waking
from referral.database import transaction
from referral.pager.rules import Channel
from referral.retention.keeper import Retention
from referral.services import Services

log = structlog.get_logger(__name__)

#: Clocks are counted in minutes; a child should not wait much longer than they say.
_EVERY_SECONDS = 1.0
#: What is kept for months need not go within the second.
_RETAIN_EVERY = timedelta(minutes=1)


class Watch:
    """Looks at all clocks every second; any number of processes may do so beside each other."""

    def __init__(self, services: Services, *, channels: Iterable[Channel]) -> None:
        self._clock = services.clock
        self._services = services
        self._overdue = Overdue(services.sessions, privacy=services.privacy, channels=channels)
        self._retention = Retention(
            services.sessions, privacy=services.privacy, keeping=services.settings.keeping
        )
        self._since: datetime | None = None
        self._retained_at: datetime | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch while the block runs."""
        async with beside(self._keep_watching()):
            yield

    async def _keep_watching(self) -> None:
        while True:
            try:
                await self._look()
            except (SQLAlchemyError, psycopg.Error) as error:
                # Operators could not reach us either, so their time begins anew once we are back.
                self._since = None
                log.warning("clocks not watched", reason=type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def _look(self) -> None:
        now = self._clock()
        since = self._since or now
        async with transaction(self._services.sessions) as session:
            await self._services.policy.refresh(session)
        policy = self._services.policy.now
        returning = Returning(
            self._services.sessions,
            privacy=self._services.privacy,
            answer_within=policy.answer_within,
            clocks=policy.clocks,
        )
        await returning.sweep(now=now, watched_since=since)
        waking = Waking(self._services.sessions, privacy=self._services.privacy, clocks=policy.clocks)
        await waking.sweep(now=now)
        await self._overdue.sweep(now=now)
        await self._retain(now)
        self._since = since

    async def _retain(self, now: datetime) -> None:
        if self._retained_at is not None and now < self._retained_at + _RETAIN_EVERY:
            return
        await self._retention.sweep(now=now)
        self._retained_at = now
