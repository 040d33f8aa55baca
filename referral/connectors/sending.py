"""Who carries letters to other systems: one task for each connection, so that one that hangs delays no other.

The table of letters is the queue itself; a lease on the connection's row keeps them in one hand, in order.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import assert_never

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.background import beside
from referral.changes import Changes
from referral.clock import Clock
from referral.connectors.composing import Composer
from referral.connectors.happenings import Forgotten, Kind, number_of
from referral.connectors.protocol import (
    Answer,
    Arrived,
    Connector,
    Ended,
    Failed,
    Letter,
    Refused,
    Unavailable,
)
from referral.connectors.registry import Registry
from referral.connectors.repository import LETTERS, LetterRepository
from referral.connectors.rules import delay, given_up
from referral.database import Sessions, transaction
from referral.privacy import Privacy
from referral.traces import span

log = structlog.get_logger(__name__)

#: What is due is looked for this often even if no bell was heard.
_EVERY_SECONDS = 1.0
#: A connector that takes longer has hung; none should need half of it.
PATIENCE = timedelta(seconds=30)
#: What a process that died was busy with, another takes over after this time.
_LEASE = 2 * PATIENCE


class Sending:
    """Sends what is due; any number of processes may do so beside each other."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        registry: Registry,
        privacy: Privacy,
        changes: Changes,
        clock: Clock,
        count: Callable[[str], None],
    ) -> None:
        self._sessions = sessions
        self._registry = registry
        self._privacy = privacy
        self._changes = changes
        self._clock = clock
        self._count = count
        self._busy: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the block runs."""
        async with beside(self._keep_sending()):
            yield

    async def drain(self, name: str) -> None:
        """Send to one connection until nothing is due, it fails as a whole, or another process does so."""
        while found := await self._next(name):
            connector, letter = found
            answer = await self._send(connector, letter)
            self._count(type(answer).__name__.lower())
            await self._record(name, letter, answer)

    async def _keep_sending(self) -> None:
        switched_on = False
        with self._changes.subscribe(LETTERS) as bell:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    try:
                        if not switched_on:
                            await self._switch_on()
                            switched_on = True
                        for name in await self._waiting():
                            tasks.create_task(self._drain_alone(name))
                    except (SQLAlchemyError, psycopg.Error) as error:
                        log.warning("letters not looked for", reason=type(error).__name__)
                    await bell.heard(within=_EVERY_SECONDS)

    async def _switch_on(self) -> None:
        async with transaction(self._sessions) as session:
            await self._registry.switch_on(session, now=self._clock())

    async def _waiting(self) -> list[str]:
        async with transaction(self._sessions) as session:
            names = await LetterRepository(session).waiting(now=self._clock())
        new = [name for name in names if name not in self._busy]
        self._busy.update(new)
        return new

    async def _drain_alone(self, name: str) -> None:
        try:
            await self.drain(name)
        except (SQLAlchemyError, psycopg.Error) as error:
            log.warning("letters not sent", connection=name, reason=type(error).__name__)
        finally:
            self._busy.discard(name)

    async def _next(self, name: str) -> tuple[Connector, Letter] | None:
        """The letter to send now; the connection is ours for the time of a lease."""
        now = self._clock()
        async with transaction(self._sessions) as session:
            letters, composer = LetterRepository(session), Composer(session, privacy=self._privacy)
            connector = await self._registry.find(name, session=session)
            if connector is None or not await letters.lease(name, until=now + _LEASE, now=now):
                return None
            while found := await letters.due(name, now=now):
                happening = await composer.compose(found, connector)
                if happening is None:
                    await letters.drop(found.number, now=now)
                    continue
                found.attempts += 1
                reference = await letters.reference(name, found.case_id)
                return connector, Letter(
                    number=found.number, attempt=found.attempts, happening=happening, reference=reference
                )
            await letters.give_back(name)
        return None

    async def _send(self, connector: Connector, letter: Letter) -> Answer:
        try:
            with span("tell another system", connection=connector.name, attempt=letter.attempt):
                async with asyncio.timeout(PATIENCE.total_seconds()):
                    return await connector.send(letter, now=self._clock())
        except TimeoutError:
            return Unavailable(reason="no answer")
        except Exception as error:  # A connector that has a bug must not stop the others.
            log.error("connector failed", connection=connector.name, reason=type(error).__name__)
            return Failed(reason=type(error).__name__)

    async def _record(self, name: str, letter: Letter, answer: Answer) -> None:
        now, case = self._clock(), number_of(letter.happening)
        async with transaction(self._sessions) as session:
            letters = LetterRepository(session)
            await letters.give_back(name)
            match answer:
                case Arrived(reference=reference, remains=remains):
                    await letters.delivered(letter.number, now=now, remains=remains)
                    forgotten = isinstance(letter.happening, Forgotten)
                    record(session, Act.DELETION_TOLD if forgotten else Act.CASE_TOLD, now=now, case=case)
                    await letters.reached(name)
                    if forgotten:
                        await letters.forget_reference(name, case)
                    elif reference is not None:
                        # Also if the case was forgotten meanwhile: how else would that system find it?
                        await letters.remember(name, case, reference=reference)
                    return
                case Refused(reason=reason):
                    await letters.reached(name)
                    await letters.park(letter.number, reason=reason, now=now)
                case Ended(reason=reason):
                    await letters.disconnect(name, reason=reason, now=now)
                case Unavailable(reason=reason, after=wanted):
                    connection = await letters.connection(name)
                    failures = (connection.failures if connection else 0) + 1
                    wait = delay(failures, wanted=wanted, chance=random.random())  # noqa: S311
                    await letters.failed(name, reason=reason, until=now + wait)
                    await self._try_again(letters, letter, reason=reason, until=now + wait)
                case Failed(reason=reason, after=wanted):
                    await letters.reached(name)
                    wait = delay(letter.attempt, wanted=wanted, chance=random.random())  # noqa: S311
                    await self._try_again(letters, letter, reason=reason, until=now + wait)
                case _:
                    assert_never(answer)
        log.warning("letter not delivered", connection=name, attempt=letter.attempt, reason=answer.reason)

    async def _try_again(
        self, letters: LetterRepository, letter: Letter, *, reason: str, until: datetime
    ) -> None:
        if given_up(Kind(letter.happening.kind), attempts=letter.attempt):
            await letters.park(letter.number, reason=reason, now=self._clock())
        else:
            await letters.postpone(letter.number, reason=reason, until=until)
