"""What the pages show: cases and threads with their words unsealed, ready for the templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.clocks import ClockStep
from referral.cases.coding import Suggestion, suggest
from referral.cases.repository import CaseRepository
from referral.cases.rules import SHIFT, DangerLevel, EntryKind
from referral.cases.sealed import Card, read_card, read_words
from referral.cases.standing import clock_of
from referral.cases.tables import Case, Message
from referral.events.repository import DeliveryState, EventRepository
from referral.operators.repository import OperatorRepository
from referral.privacy import Privacy

#: More open cases than this are not for one page.
MOST_LISTED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Who waits at one danger level."""

    danger: DangerLevel
    number: int
    since: datetime | None
    #: Of those who wait for an answer, in line or in talk: how many wait too long, and how many nearly.
    overdue: int
    warned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Who waits, the most urgent level first."""

    levels: Sequence[Level]

    @property
    def total(self) -> int:
        """How many wait."""
        return sum(level.number for level in self.levels)

    @property
    def emergencies(self) -> int:
        """How many of them cannot wait."""
        return next(level.number for level in self.levels if level.danger is DangerLevel.EMERGENCY)

    @property
    def overdue(self) -> int:
        """How many visitors wait longer for an answer than they should, in line or with an operator."""
        return sum(level.overdue for level in self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClock:
    """By when a visitor should have an answer, and how that stands."""

    due_at: datetime
    warn_at: datetime
    step: ClockStep

    @property
    def version(self) -> str:
        """Changes whenever the clock looks different."""
        return f"{self.step}@{self.due_at.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """One of my open cases."""

    case: Case
    unanswered: int
    clock: ShownClock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One open case in a supervisor's list."""

    case: Case
    holder: str | None
    clock: ShownClock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a thread, readable."""

    seq: int
    kind: EntryKind
    happened: str | None
    words: str | None
    danger: str | None
    author: str | None
    sent_at: datetime
    delivery: DeliveryState | None

    @property
    def version(self) -> str:
        """Changes whenever the entry looks different."""
        return f"{self.delivery or '-'}{'' if self.words is None else '+'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A case, its card and its thread."""

    case: Case
    clock: ShownClock | None
    card: Card
    earlier: int
    entries: Sequence[Entry]
    #: The code that the card speaks for, if one does.
    suggestion: Suggestion | None


class Views:
    """Reads what a page shows, within one transaction."""

    def __init__(self, session: AsyncSession, *, privacy: Privacy, now: datetime) -> None:
        self._cases = CaseRepository(session)
        self._events = EventRepository(session)
        self._operators = OperatorRepository(session)
        self._privacy = privacy
        self._now = now

    async def queue(self) -> Queue:
        """Who waits."""
        waiting = await self._cases.waiting()
        clocks = await self._cases.clocks(now=self._now)
        none: tuple[int, datetime | None] = (0, None)
        levels = []
        for danger in reversed(DangerLevel):
            number, since = waiting.get(danger, none)
            late = clocks.get(danger)
            levels.append(
                Level(
                    danger=danger,
                    number=number,
                    since=since,
                    overdue=late.overdue if late else 0,
                    warned=late.warned if late else 0,
                )
            )
        return Queue(levels=levels)

    async def mine(self, operator: UUID) -> Sequence[Mine]:
        """The open cases of an operator, the most urgent first."""
        rows = await self._cases.held_by(operator)
        return [Mine(case=case, unanswered=unanswered, clock=self.clock(case)) for case, unanswered in rows]

    async def heavy(self, operator: UUID) -> int:
        """How many cases of danger this operator has had in this shift."""
        return await self._cases.heavy(operator, since=self._now - SHIFT)

    async def all_open(self) -> Sequence[Listed]:
        """Every open case, the most urgent first."""
        cases = await self._cases.all_open(limit=MOST_LISTED)
        names = await self._operators.names(case.holder_id for case in cases if case.holder_id)
        return [
            Listed(case=case, holder=_name(names, case.holder_id), clock=self.clock(case)) for case in cases
        ]

    def clock(self, case: Case) -> ShownClock | None:
        """How the clock of a case stands; None while nobody owes the visitor an answer."""
        running = clock_of(case)
        if running is None or case.gone_at is not None:
            return None
        return ShownClock(due_at=running.due_at, warn_at=running.warn_at, step=running.step(self._now))

    async def page(self, case: Case) -> CasePage:
        """Everything about a case."""
        card = read_card(self._privacy, case.card, case=case.number)
        entries = await self.entries(case.number, await self._cases.thread(case.number))
        heard = tuple(entry.words for entry in entries if entry.kind is EntryKind.VISITOR and entry.words)
        return CasePage(
            case=case,
            clock=self.clock(case),
            card=card,
            earlier=await self._cases.earlier(case),
            entries=entries,
            suggestion=suggest(case.reason, card=card.answers, heard=heard),
        )

    async def changed(self, case: UUID, *, known: dict[int, str], after: int) -> Sequence[Entry]:
        """The entries that look different from what is ``known``, which is brought up to date.

        Entries up to ``after`` are taken as shown already, but for the delivery of an operator's words.
        """
        states = await self._events.states(case)
        wanted = []
        for seq, number, kind in await self._cases.outline(case):
            state = states.get(number)
            version = state or "-"
            if seq <= after and seq not in known and kind != EntryKind.OPERATOR:
                known[seq] = version
            if known.get(seq) != version:
                known[seq] = version
                wanted.append(seq)
        if not wanted:
            return []
        return await self.entries(case, await self._cases.entries(case, wanted))

    async def entries(self, case: UUID, messages: Iterable[Message]) -> Sequence[Entry]:
        """Entries of a thread, unsealed."""
        messages = list(messages)
        states = await self._events.states(case)
        names = await self._operators.names(item.author_id for item in messages if item.author_id)
        return [
            Entry(
                seq=item.seq,
                kind=EntryKind(item.kind),
                happened=item.happened,
                words=read_words(self._privacy, item.text, case=case, entry=item.number),
                danger=item.danger,
                author=_name(names, item.author_id),
                sent_at=item.sent_at,
                delivery=states.get(item.number),
            )
            for item in messages
        ]


def _name(names: Mapping[UUID, str], number: UUID | None) -> str | None:
    return names.get(number) if number else None
