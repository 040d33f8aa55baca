"""A desk of which one system is told, without the service around it: time passes only when it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from referral.cases.coding import Coding
from referral.cases.desk import Desk
from referral.cases.intake import Intake
from referral.cases.rules import DangerLevel, Outcome
from referral.cases.schemas import NewCase, NewMessage
from referral.connectors.repository import LetterRepository
from referral.connectors.sending import Sending
from referral.connectors.tables import QueuedLetter
from referral.database import Sessions, transaction
from referral.operators.access import Access
from referral.operators.passwords import Passwords
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.privacy import Privacy
from tests.referral.conftest import Time
from tests.referral.desk import case_json

#: Stands in everything that visitor and operator write.
CANARY = "канарейка"


class Line:
    """What happens at the desk, and how it is told."""

    def __init__(
        self, sessions: Sessions, *, privacy: Privacy, clock: Time, sending: Sending, connection: str
    ) -> None:
        self._sessions = sessions
        self._privacy = privacy
        self._clock = clock
        self._sending = sending
        self._connection = connection

    async def open(self, **changes: Any) -> UUID:
        """A visitor asks for a person."""
        wanted = NewCase.model_validate(case_json(**changes))
        async with self._intake() as intake:
            await intake.open(wanted)
        return wanted.id

    async def say(self, case: UUID, words: str, *, danger: DangerLevel = DangerLevel.NONE) -> None:
        """The visitor writes."""
        message = NewMessage(id=uuid4(), text=words, sent_at=self._clock(), danger=danger)
        async with self._intake() as intake:
            await intake.hear(case, message)

    async def forget(self, case: UUID) -> None:
        """The visitor asks for deletion."""
        async with self._intake() as intake:
            await intake.forget(case)

    async def revoke(self, case: UUID) -> None:
        """The visitor takes their consent back."""
        async with self._intake() as intake:
            await intake.revoke(case)

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """An operator acts."""
        operator = await self._operator()
        async with transaction(self._sessions) as session:
            yield Desk(session, operator=operator, privacy=self._privacy, now=self._clock())

    async def whole_talk(self, **changes: Any) -> UUID:
        """A case from its beginning to its end."""
        case = await self.open(**changes)
        await self.say(case, f"{CANARY} в чате", danger=DangerLevel.URGENT)
        async with self.desk() as desk:
            await desk.take_next()
        async with self.desk() as desk:
            await desk.write(case, entry=uuid4(), words=f"{CANARY} в ответе")
        async with self.desk() as desk:
            await desk.note(case, entry=uuid4(), words=f"{CANARY} в записке")
        async with self.desk() as desk:
            await desk.close(case, Coding(outcome=Outcome.ADVICE_GIVEN, code="violence.cyberbullying"))
        return case

    async def drain(self) -> None:
        """Everything that is due now is tried."""
        await self._sending.drain(self._connection)

    async def settle(self) -> None:
        """Time passes until nothing is left to be sent."""
        for _ in range(40):
            await self.drain()
            if not await self.letters("open"):
                return
            self._clock.forward(timedelta(days=1, minutes=1))
        raise AssertionError("letters are still open")

    async def letters(self, state: str) -> Sequence[QueuedLetter]:
        """Letters that are ``open``, ``delivered``, ``parked`` or ``dropped``, the oldest first."""
        ends = {
            name: getattr(QueuedLetter, f"{name}_at").is_not(None)
            for name in ("delivered", "parked", "dropped")
        }
        wanted = [ends[state]] if state in ends else [~end for end in ends.values()]
        async with transaction(self._sessions) as session:
            query = select(QueuedLetter).where(*wanted).order_by(QueuedLetter.seq)
            return (await session.scalars(query)).all()

    @asynccontextmanager
    async def repository(self) -> AsyncIterator[LetterRepository]:
        """Connections and letters, to change them."""
        async with transaction(self._sessions) as session:
            yield LetterRepository(session)

    @asynccontextmanager
    async def _intake(self) -> AsyncIterator[Intake]:
        async with transaction(self._sessions) as session:
            yield Intake(session, privacy=self._privacy, now=self._clock())

    async def _operator(self) -> UUID:
        async with transaction(self._sessions) as session:
            if known := (await session.scalars(select(Operator.number))).first():
                return known
            await Access(session, passwords=Passwords(), privacy=self._privacy, now=self._clock()).invite(
                "nina", role=Role.OPERATOR
            )
            return (await session.scalars(select(Operator.number))).one()
