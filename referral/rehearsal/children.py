"""Who plays the children of a rehearsal? A process of its own, which reads threads and says what scripts say.

Everything that a child knows stands in the thread, so a process that broke off goes on where it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.clocks import Clocks
from referral.cases.intake import Intake
from referral.cases.repository import CaseRepository
from referral.cases.rules import CaseState, EntryKind
from referral.cases.schemas import EarlierMessage, NewCase, NewMessage
from referral.cases.sealed import read_words
from referral.cases.tables import Case, rehearse
from referral.clock import Clock
from referral.database import Sessions, transaction
from referral.privacy import Privacy
from referral.rehearsal import rules
from referral.rehearsal.repository import RehearsalRepository
from referral.rehearsal.rules import Feedback, Line
from referral.rehearsal.scripts import Script, languages, scripts

#: What such a case says where others name a messenger.
CHANNEL = "practice"
#: Rehearsals are kept so long for who wants to look at how it went.
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A rehearsal and how it went."""

    case: Case
    feedback: Feedback


@asynccontextmanager
async def rehearsing(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """One unit of work that is about rehearsals, and sees no visitor."""
    async with transaction(sessions) as session:
        rehearse(session)
        yield session


class Children:
    """All children of the rehearsals of one desk."""

    def __init__(
        self,
        sessions: Sessions,
        *,
        privacy: Privacy,
        clock: Clock,
        clocks: Clocks = Clocks(),
        pace: float = 1.0,
    ) -> None:
        """``pace`` divides how long children think and wait: 2 is twice as fast."""
        self._sessions = sessions
        self._privacy = privacy
        self._clock = clock
        self._clocks = clocks
        self._pace = pace
        self._scripts = scripts()
        self._languages = languages()

    async def tidy(self) -> None:
        """Children whom a broken process left behind go, and what is long over is removed."""
        await self.leave()
        async with rehearsing(self._sessions) as session:
            await RehearsalRepository(session).remove(before=self._clock() - KEPT)

    async def arrive(self, name: str, *, locale: str) -> UUID:
        """A child comes to the practice queue; the case."""
        script = self._scripts[name]
        now = self._clock()
        number = uuid4()
        wanted = NewCase(
            id=number,
            conversation=f"rehearsal {number}",
            channel=CHANNEL,
            locale=locale,
            country=script.country,
            role=script.role,
            danger=script.danger,
            reason=script.reason,
            opened_at=now,
            consent=self._languages[locale].consent,
            card=dict(script.card),
            said=script.said,
            messages=tuple(
                EarlierMessage(id=uuid4(), sender="visitor", text=text, sent_at=now)
                for text in script.words[locale].opening
            ),
        )
        async with rehearsing(self._sessions) as session:
            await self._intake(session, rehearsal=name).open(wanted)
        return number

    async def look(self) -> int:
        """Every child writes what they have to say at this moment; how many are still there."""
        async with rehearsing(self._sessions) as session:
            present = [case.number for case in await RehearsalRepository(session).open() if not case.gone_at]
        for number in present:
            await self._say(number)
        return len(present)

    async def leave(self) -> None:
        """Every child who is still there leaves; who holds a case can still close and code it."""
        async with rehearsing(self._sessions) as session:
            for case in await RehearsalRepository(session).open():
                await self._intake(session).leave(case.number)

    async def judged(self, numbers: Sequence[UUID]) -> Sequence[Judged]:
        """How these rehearsals went, as far as an operator closed them."""
        async with rehearsing(self._sessions) as session:
            found = [case for case in await RehearsalRepository(session).of(numbers) if case.code]
            return [await self.judge(case, session=session) for case in found]

    async def judge(self, case: Case, *, session: AsyncSession) -> Judged:
        """How one closed rehearsal went."""
        thread = await _lines(case.number, session=session, privacy=self._privacy)
        said = [line.words for line in thread if line.kind is EntryKind.OPERATOR]
        feedback = rules.feedback(
            self._scripts[case.rehearsal or ""],
            languages=self._languages.values(),
            said=said,
            waited=case.answered_at - case.received_at if case.answered_at else None,
            code=case.code,
            occurred=case.occurred,
            clocks=self._clocks,
        )
        return Judged(case=case, feedback=feedback)

    async def _say(self, number: UUID) -> None:
        async with rehearsing(self._sessions) as session:
            case = await CaseRepository(session).get(number)
            if case is None or case.state == CaseState.CLOSED or case.gone_at is not None:
                return
            language = self._languages[case.locale]
            words = rules.answer(
                _hastened(self._scripts[case.rehearsal or ""], pace=self._pace),
                language,
                thread=await _lines(number, session=session, privacy=self._privacy),
                taken=case.state == CaseState.HELD,
                now=self._clock(),
            )
            if words is not None:
                message = NewMessage(id=uuid4(), text=words, sent_at=self._clock())
                await self._intake(session).hear(number, message)

    def _intake(self, session: AsyncSession, *, rehearsal: str | None = None) -> Intake:
        return Intake(
            session, privacy=self._privacy, now=self._clock(), clocks=self._clocks, rehearsal=rehearsal
        )

    @property
    def names(self) -> Sequence[str]:
        """The scripts that there are."""
        return tuple(self._scripts)

    @property
    def locales(self) -> Sequence[str]:
        """The languages that they write in."""
        return tuple(self._languages)


async def _lines(number: UUID, *, session: AsyncSession, privacy: Privacy) -> Sequence[Line]:
    return [
        Line(kind=EntryKind(entry.kind), words=words, at=entry.sent_at)
        for entry in await CaseRepository(session).thread(number)
        if (words := read_words(privacy, entry.text, case=number, entry=entry.number)) is not None
    ]


def _hastened(script: Script, *, pace: float) -> Script:
    return replace(script, thinks=script.thinks / pace, waits=script.waits / pace)
