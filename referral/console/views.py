"""What the pages show: cases and threads with their words unsealed, ready for the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.card import Row, plan, rows
from referral.cases.clocks import ClockStep
from referral.cases.coding import Suggestion, suggest
from referral.cases.repository import CaseRepository, Mentioned
from referral.cases.rules import SHIFT, DangerLevel, EntryKind
from referral.cases.sealed import Card, read_card, read_words
from referral.cases.standing import clock_of
from referral.cases.tables import Case, Message
from referral.cases.window import closes_at, is_closed
from referral.events.repository import DeliveryState, EventRepository
from referral.operators.repository import OperatorRepository
from referral.privacy import Privacy
from referral.replies.offers import AUTHOR, Offers, reads
from referral.replies.repository import ReplyRepository

#: So many entries of a thread are on one page; earlier ones are a press away.
MOST_ENTRIES = 60
#: Who has said nothing in so many lines has not told yet what happened.
_FIRST_LINES = 40
#: The highest position that the database can hold.
MOST_SEQ = 2**63 - 1
#: More open cases than this are not for one page.
MOST_LISTED = 50


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
class Given:
    """What was given to the visitor with an entry: a file of the library, or one of the bot's documents."""

    document: str | None
    file: UUID | None


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
    #: The same text in the operator's language, where it is one of ours and the visitor read another.
    gloss: str | None = None
    #: Whom a note names, and whether they have read it.
    named: Sequence[tuple[str, bool]] = ()
    given: Given | None = None

    @property
    def version(self) -> str:
        """Changes whenever the entry looks different."""
        read = sum(read for _, read in self.named)
        return f"{self.delivery or '-'}{'' if self.words is None else '+'}{read or ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Until when a visitor can be written to freely."""

    #: None where there is no end.
    ends: datetime | None
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A case, its card and its thread."""

    case: Case
    clock: ShownClock | None
    card: Card
    earlier: int
    entries: Sequence[Entry]
    #: The position before which there is more to read; None where the thread begins here.
    earlier_than: int | None
    #: Whether this is an older part of the thread: the talk goes on elsewhere.
    is_older: bool
    #: The code that the card speaks for, if one does.
    suggestion: Suggestion | None
    window: Window
    rows: Sequence[Row] = ()
    plan: Mapping[str, str] = field(default_factory=dict)
    #: What the bot said and promised, in the operator's language.
    said: Sequence[str] = ()
    promised: Sequence[str] = ()
    #: Whether the visitor took their consent back before this operator came.
    shut: bool = False


#: A page that is written on tells so every four seconds.
WRITES_FOR = timedelta(seconds=7)


class Views:
    """Reads what a page shows, within one transaction."""

    def __init__(self, session: AsyncSession, *, privacy: Privacy, now: datetime) -> None:
        self._session = session
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

    async def mentions(self, operator: UUID) -> Sequence[Mentioned]:
        """The notes that name this operator and that they have not read."""
        return await self._cases.mentions(operator)

    async def heavy(self, operator: UUID) -> int:
        """How many cases of danger this operator has had in this shift."""
        return await self._cases.heavy(operator, since=self._now - SHIFT)

    async def all_open(self, *, after: int) -> Sequence[Listed]:
        """Every open case, the most urgent first."""
        cases = await self._cases.all_open(after=after, limit=MOST_LISTED + 1)
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

    def written_at(self, case: Case) -> datetime | None:
        """When the visitor last told that they write, if that was just now."""
        told = case.visitor_writes_at
        return told if told is not None and self._now - told < WRITES_FOR else None

    async def page(self, case: Case, *, before: int | None = None) -> CasePage:
        """Everything about a case that its holder may see, with the last entries ``before`` a position."""
        card = self.card(case)
        hidden = await self._hidden_until(case)
        thread = await self._cases.newest(case.number, since=hidden, before=before, limit=MOST_ENTRIES + 1)
        entries = await self.entries(case, thread[-MOST_ENTRIES:])
        return CasePage(
            case=case,
            clock=self.clock(case),
            card=card,
            earlier=await self._cases.earlier(case),
            entries=entries,
            earlier_than=entries[0].seq if len(thread) > MOST_ENTRIES else None,
            is_older=before is not None,
            suggestion=await self.suggestion(case),
            rows=rows(card.answers, sources=card.sources, role=case.role),
            plan=plan(card.plan),
            said=_read(card, card.said),
            promised=_read(card, card.promised),
            shut=bool(hidden),
            window=await self.window(case),
        )

    async def suggestion(self, case: Case) -> Suggestion | None:
        """The code that the card speaks for, with the visitor's own words where they told it."""
        hidden = await self._hidden_until(case)
        first = await self._cases.first_heard(case.number, since=hidden, limit=_FIRST_LINES)
        lines = (read_words(self._privacy, item.text, case=case.number, entry=item.number) for item in first)
        return suggest(case.reason, card=self.card(case).answers, heard=tuple(filter(None, lines)))

    async def window(self, case: Case) -> Window:
        """Until when the visitor of this case can be written to freely."""
        heard_at = await self._cases.heard_at(case)
        return Window(
            ends=closes_at(case.channel, heard_at=heard_at),
            closed=is_closed(case.channel, heard_at=heard_at, now=self._now),
        )

    def card(self, case: Case) -> Card:
        """The card, as far as it is open to whoever holds the case: consent alone after it was taken back."""
        card = read_card(self._privacy, case.card, case=case.number)
        return card.shut() if _shut(case) else card

    async def _hidden_until(self, case: Case) -> int:
        """The first entry that whoever holds the case may read; 0 for all."""
        return await self._cases.revoked_after(case.number) if _shut(case) else 0

    async def changed(self, case: Case, *, known: dict[int, str], since: int, after: int) -> Sequence[Entry]:
        """The entries that look different from what is ``known``, which is brought up to date.

        Entries before ``since`` are not on the page. Those up to ``after`` are taken as shown already, but
        for the delivery of an operator's words.
        """
        states = await self._events.states(case.number)
        hidden = max(since, await self._hidden_until(case))
        read = Counter(entry for entry, _, read in await self._cases.mentioned_in(case.number) if read)
        wanted = []
        for seq, number, kind in await self._cases.outline(case.number):
            if seq < hidden:
                continue
            version = f"{states.get(number) or '-'}{read[number]}"
            if seq <= after and seq not in known and kind not in (EntryKind.OPERATOR, EntryKind.NOTE):
                known[seq] = version
            if known.get(seq) != version:
                known[seq] = version
                wanted.append(seq)
        if not wanted:
            return []
        return await self.entries(case, await self._cases.entries(case.number, wanted))

    async def entries(self, case: Case, messages: Iterable[Message]) -> Sequence[Entry]:
        """Entries of a thread, unsealed."""
        messages = list(messages)
        states = await self._events.states(case.number)
        glosses = await self._glosses(case) if any(item.key for item in messages) else {}
        named: dict[UUID, list[tuple[str, bool]]] = {}
        for entry, name, read in await self._cases.mentioned_in(case.number):
            named.setdefault(entry, []).append((name, read))
        names = await self._operators.names(item.author_id for item in messages if item.author_id)
        return [
            Entry(
                seq=item.seq,
                kind=EntryKind(item.kind),
                happened=item.happened,
                words=read_words(self._privacy, item.text, case=case.number, entry=item.number),
                danger=item.danger,
                author=_name(names, item.author_id),
                sent_at=item.sent_at,
                delivery=states.get(item.number),
                gloss=_gloss(item, glosses, author=_name(names, item.author_id)),
                named=named.get(item.number, ()),
                given=_given(item),
            )
            for item in messages
        ]

    def offers(self, case: Case, *, operator: str, when: str = "") -> Offers:
        """The replies for this visitor; ``when`` is the time at which somebody writes to them again."""
        card = self.card(case)
        values = {"designation": case.designation, "operator": operator, "when": when, **card.contacts}
        return Offers(ReplyRepository(self._session), locale=case.locale, values=values)

    async def _glosses(self, case: Case) -> Mapping[str, str]:
        """What texts of ours say in the operator's language, by their key, where that is another."""
        tongue = reads()
        if case.locale == tongue:
            return {}
        ours = {key: told[tongue] for key, told in self.card(case).texts.items() if tongue in told}
        replies = await self.offers(case, operator=AUTHOR).replies()
        return ours | {offer.key: offer.gloss for offer in replies if offer.gloss}


def _shut(case: Case) -> bool:
    """Whether the visitor took their consent back before whoever holds the case now had it."""
    revoked = case.consent_revoked_at
    return revoked is not None and (case.taken_at is None or case.taken_at > revoked)


def _read(card: Card, keys: Iterable[str]) -> Sequence[str]:
    """What these texts say in the operator's language, each once, as far as we know them."""
    tongue = reads()
    return [card.texts[key][tongue] for key in dict.fromkeys(keys) if tongue in card.texts.get(key, {})]


def _gloss(item: Message, glosses: Mapping[str, str], *, author: str | None) -> str | None:
    gloss = glosses.get(item.key or "") if item.text is not None else None
    return gloss.replace(AUTHOR, author or "") if gloss else None


def _given(item: Message) -> Given | None:
    if item.document is None and item.file_id is None:
        return None
    return Given(document=item.document, file=item.file_id)


def _name(names: Mapping[UUID, str], number: UUID | None) -> str | None:
    return names.get(number) if number else None
