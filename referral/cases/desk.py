"""What an operator can do: take a case, talk with the visitor, take notes, give it back, close it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.cases import rules
from referral.cases.clocks import Clocks
from referral.cases.coding import Coding, checked
from referral.cases.repository import CaseRepository
from referral.cases.rules import EntryKind, Happening
from referral.cases.sealed import seal_words
from referral.cases.standing import code_with, happening, stand, standing_of, start_clock, stop_clock
from referral.cases.tables import Case, Message
from referral.cases.window import is_closed
from referral.changes import QUEUE, case_topic, operator_topic, ring
from referral.errors import CaseUnknown, ColleagueAway, WindowClosed
from referral.events.repository import EventRepository
from referral.events.tables import EventKind
from referral.hours.presence import in_force
from referral.metrics import FIRST_ANSWER
from referral.operators.repository import OperatorRepository
from referral.operators.rules import HELPING
from referral.operators.tables import Operator
from referral.privacy import Privacy

#: So long a visitor is left to those who serve their language, country and role; then to anybody.
SKILLS_FIRST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """What an operator can give: a file of the library, or one of the bot's documents."""

    #: What it is called, in the visitor's language.
    title: str
    file: UUID | None = None
    document: str | None = None


class Desk:
    """An operator at work, within one transaction."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        operator: UUID,
        privacy: Privacy,
        now: datetime,
        clocks: Clocks = Clocks(),
        skills_first: timedelta = SKILLS_FIRST,
    ) -> None:
        self._session = session
        self._cases = CaseRepository(session)
        self._events = EventRepository(session)
        self._operator = operator
        self._privacy = privacy
        self._now = now
        self._clocks = clocks
        self._skills_first = skills_first

    async def mine(self, number: UUID) -> Case:
        """A case that this operator holds; others do not exist as far as they can tell."""
        case = await self._cases.get(number)
        if case is None or case.holder_id != self._operator:
            raise CaseUnknown
        return case

    async def open(self, number: UUID) -> Case:
        """A case that this operator holds, for reading it: that is written down."""
        case = await self.mine(number)
        self._log(Act.CASE_SEEN, number)
        return case

    async def held(self, number: UUID) -> Case:
        """A case that this operator is about to act upon; raises ``CaseNotHeld`` where it is not theirs."""
        case = await self._cases.get(number)
        if case is None:
            raise CaseUnknown
        rules.noted(standing_of(case), by=self._operator)
        return case

    async def follow(self, number: UUID) -> None:
        """Somebody keeps an open page on a case; that is written down if they hold it."""
        case = await self._cases.get(number)
        if case is not None and case.holder_id == self._operator:
            self._log(Act.CASE_FOLLOWED, number)

    async def take_next(self) -> Case | None:
        """The most urgent case for an operator with these skills, now theirs; None when nobody waits."""
        skills = await OperatorRepository(self._session).skills(self._operator)
        case = await self._cases.first_waiting(skills=skills, others_since=self._now - self._skills_first)
        if case is None:
            return None
        await self._cases.lock_thread(case.number)
        return await self._take(case)

    async def take(self, number: UUID) -> Case:
        """A case that waits, out of its turn because whoever takes it has answered it already, elsewhere."""
        return await self._take(await self._locked(number))

    async def pick(self, number: UUID, *, reason: str) -> Case:
        """A certain case, past the queue or out of a colleague's hands; the reason stays in the record."""
        case = await self._locked(number)
        before = case.holder_id
        stand(case, rules.picked(standing_of(case), by=self._operator, reason=reason), now=self._now)
        await self._record(case, Happening.PICKED, words=reason.strip())
        if before is None:
            await self._tell(case, EventKind.TAKEN)
        else:
            # For the visitor the talk goes on; only the colleague must see that it is no longer theirs.
            await ring(self._session, operator_topic(before))
        await self._ring(case, QUEUE)
        self._log(Act.CASE_PICKED, number, about=before)
        return case

    async def write(
        self, number: UUID, *, entry: UUID, words: str, key: str | None = None, billed: bool = False
    ) -> None:
        """Say something to the visitor; saying it again with the same entry id changes nothing.

        ``key`` says which reply the words are; ``billed`` that it is known to cost something. Raises
        ``WindowClosed`` where it would and nobody said so.
        """
        if await self._say(number, entry=entry, words=words, billed=billed, key=key):
            self._log(Act.MESSAGE_WRITTEN, number)

    async def give(self, number: UUID, *, entry: UUID, gift: Gift, billed: bool = False) -> None:
        """Give the visitor a file of the library or one of the bot's documents; the thread says which."""
        said = await self._say(
            number, entry=entry, words=gift.title, billed=billed, file_id=gift.file, document=gift.document
        )
        if said:
            self._log(Act.FILE_GIVEN, number)

    async def _say(self, number: UUID, *, entry: UUID, words: str, billed: bool, **more: object) -> bool:
        """Whether it was new."""
        case = await self._locked(number)
        if await self._cases.has(number, entry):
            return False
        rules.written(standing_of(case), by=self._operator)
        if not billed and is_closed(case.channel, heard_at=await self._cases.heard_at(case), now=self._now):
            raise WindowClosed
        await self._append(case, EntryKind.OPERATOR, entry=entry, words=words, **more)
        if case.answered_at is None:
            case.answered_at = self._now
            if case.rehearsal is None:
                FIRST_ANSWER.labels(case.danger).observe((self._now - case.received_at).total_seconds())
        awaited = case.due_at is not None
        stop_clock(case)
        await self._tell(case, EventKind.MESSAGE, message=entry)
        await self._ring(case, *([QUEUE] if awaited else []))
        return True

    async def set_aside(
        self,
        number: UUID,
        *,
        entry: UUID,
        until: datetime,
        words: str,
        key: str | None = None,
        note: str = "",
        billed: bool = False,
    ) -> None:
        """Leave the case until a time; the ``words`` tell the visitor when somebody writes to them again."""
        if not await self._say(number, entry=entry, words=words, billed=billed, key=key):
            return
        case = await self._locked(number)
        stand(
            case,
            rules.set_aside(standing_of(case), by=self._operator, until=until, now=self._now),
            now=self._now,
        )
        await self._record(case, Happening.SET_ASIDE, words=note.strip() or None)
        await self._ring(case, QUEUE)
        self._log(Act.CASE_SET_ASIDE, number)

    async def note(self, number: UUID, *, entry: UUID, words: str) -> None:
        """Write something down that the visitor never sees; colleagues named with an @ are told."""
        case = await self._locked(number)
        if await self._cases.has(number, entry):
            return
        rules.noted(standing_of(case), by=self._operator)
        await self._append(case, EntryKind.NOTE, entry=entry, words=words)
        named = await self._mention(case, entry=entry, words=words)
        await self._ring(case, *(operator_topic(colleague) for colleague in named))
        self._log(Act.NOTE_WRITTEN, number)

    async def read_mention(self, number: UUID, *, entry: UUID) -> tuple[Case, Message]:
        """A note that names this operator, and nothing else of its case; from then on it counts as read."""
        mention = await self._cases.mention_of(number, entry=entry, operator=self._operator)
        case, note = await self._cases.get(number), await self._cases.entry(number, entry)
        if mention is None or case is None or note is None:
            raise CaseUnknown
        if mention.read_at is None:
            mention.read_at = self._now
            await self._ring(case)
        self._log(Act.MENTION_READ, number)
        return case, note

    async def _mention(self, case: Case, *, entry: UUID, words: str) -> Sequence[UUID]:
        people = {
            person.name: person.number
            for person in await OperatorRepository(self._session).everyone()
            if person.disabled_at is None and person.role in HELPING and person.number != self._operator
        }
        named = [people[name] for name in sorted(rules.mentioned(words, names=people))]
        await self._cases.mention(case.number, entry=entry, operators=named)
        for colleague in named:
            self._log(Act.COLLEAGUE_MENTIONED, case.number, about=colleague)
        return named

    async def pass_on(self, number: UUID, *, to: UUID, note: str) -> None:
        """Give the case to a colleague who is at the desk; for the visitor the talk goes on."""
        case = await self._locked(number)
        stand(case, rules.passed_on(standing_of(case), by=self._operator, to=to, note=note), now=self._now)
        if to not in {person.number for person in await self.colleagues()}:
            raise ColleagueAway
        await self._record(case, Happening.PASSED_ON, words=note.strip())
        await self._ring(case, operator_topic(to))
        self._log(Act.CASE_PASSED_ON, number, about=to)

    async def colleagues(self) -> Sequence[Operator]:
        """Who else has a page of the desk open at this moment, by name."""
        people = await OperatorRepository(self._session).at_desk(since=self._now - rules.AWAY_AFTER)
        return [person for person in people if person.number != self._operator]

    async def release(self, number: UUID, *, note: str = "") -> None:
        """Give the case back to the queue, where it keeps its age; the note is for whoever takes it next."""
        case = await self._locked(number)
        clocks = await in_force(self._session, self._clocks)
        stand(case, rules.released(standing_of(case), by=self._operator), now=self._now)
        start_clock(case, clocks, now=self._now)
        await self._record(case, Happening.RELEASED, words=note.strip() or None)
        await self._tell(case, EventKind.RETURNED)
        await self._ring(case, QUEUE)
        self._log(Act.CASE_RELEASED, number)

    async def close(self, number: UUID, coding: Coding) -> None:
        """End the case with how it ended and what it counts as in the report."""
        coding = checked(coding)
        case = await self._locked(number)
        gone = case.gone_at is not None
        stand(case, rules.closed(standing_of(case), by=self._operator, outcome=coding.outcome), now=self._now)
        code_with(case, coding)
        case.closer_id = self._operator
        await self._record(case, Happening.CLOSED)
        if not gone:
            await self._tell(case, EventKind.CLOSED)
        await self._ring(case, QUEUE)
        self._log(Act.CASE_CLOSED, number)

    async def _take(self, case: Case) -> Case:
        stand(case, rules.taken(standing_of(case), by=self._operator), now=self._now)
        await self._record(case, Happening.TAKEN)
        await self._tell(case, EventKind.TAKEN)
        await self._ring(case, QUEUE)
        self._log(Act.CASE_TAKEN, case.number)
        return case

    def _log(self, act: Act, case: UUID, *, about: UUID | None = None) -> None:
        record(self._session, act, now=self._now, by=self._operator, about=about, case=case)

    async def _locked(self, number: UUID) -> Case:
        case = await self._cases.locked(number)
        if case is None:
            raise CaseUnknown
        await self._cases.lock_thread(number)
        return case

    async def _append(self, case: Case, kind: EntryKind, *, entry: UUID, words: str, **more: object) -> None:
        sealed = seal_words(self._privacy, words, case=case.number, entry=entry)
        await self._cases.append(
            [
                {
                    "number": entry,
                    "case_id": case.number,
                    "kind": kind,
                    "text": sealed,
                    "author_id": self._operator,
                    "sent_at": self._now,
                    **more,
                }
            ]
        )

    async def _record(self, case: Case, what: Happening, *, words: str | None = None) -> None:
        entry = happening(self._privacy, case.number, what, now=self._now, by=self._operator, words=words)
        await self._cases.append([entry])

    async def _tell(self, case: Case, kind: EventKind, *, message: UUID | None = None) -> None:
        await self._events.add(case.number, kind=kind, number=uuid4(), message_id=message)

    async def _ring(self, case: Case, *topics: str) -> None:
        await ring(self._session, case_topic(case.number), operator_topic(self._operator), *topics)
