"""How cases and threads are read and written; the only place with queries about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, text, tuple_, update
from sqlalchemy import case as sql_case
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from referral.cases.rules import HEAVY, CaseState, DangerLevel, EntryKind, Face, Happening
from referral.cases.tables import Case, Mention, Message, Rating
from referral.connectors.repository import LetterRepository
from referral.operators.rules import Skills
from referral.operators.tables import Operator

# Locks are taken in one order, the row of the case before its thread, so that nobody waits in a circle. All
# row locks are FOR NO KEY UPDATE: an ordinary message, whose foreign key touches the row with FOR KEY SHARE,
# neither waits for them nor makes Take next skip a case whose visitor is writing at that very moment.


@dataclass(frozen=True, slots=True)
class Held:
    """What tells whether a held case must go back to the queue."""

    number: UUID
    taken_at: datetime
    #: Since when the visitor waits for the holder's answer; none while it is not the holder's turn.
    awaits_since: datetime | None
    #: When the holder's page was last seen open.
    present_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A note that names a colleague."""

    case: UUID
    entry: UUID
    designation: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How the clocks of one danger level stand."""

    overdue: int
    warned: int


class CaseRepository:
    """Cases and their threads within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, number: UUID) -> Case | None:
        """The case as it is now, unlocked."""
        return await self._session.get(Case, number, populate_existing=True)

    async def locked(self, number: UUID) -> Case | None:
        """The case, which nobody else changes until this transaction ends."""
        query = select(Case).where(Case.number == number).with_for_update(key_share=True)
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def notice(self, number: UUID, *, writes: bool, saw: bool, now: datetime) -> bool:
        """Write down what the visitor's messenger tells; False when nobody holds the case."""
        told: dict[str, Any] = {"visitor_writes_at": now} if writes else {}
        if saw:
            # By the database's clock, like the delivery of what they saw.
            told["visitor_saw_at"] = func.now()
        if not told:
            return False
        changed = await self._session.execute(
            update(Case)
            .where(Case.number == number, Case.state == CaseState.HELD)
            .values(told)
            .execution_options(synchronize_session=False)
            .returning(Case.number)
        )
        return changed.first() is not None

    async def locked_if_free(self, number: UUID) -> Case | None:
        """The case, locked; None if it is being changed right now."""
        query = select(Case).where(Case.number == number).with_for_update(key_share=True, skip_locked=True)
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def lock_thread(self, number: UUID) -> None:
        """Until this transaction ends nobody else adds to this thread: entries never overtake each other."""
        await self._session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:case, 0))"), {"case": str(number)}
        )

    async def add(self, values: Mapping[str, Any]) -> bool:
        """Insert a case; False when its id or its designation is in use already."""
        statement = insert(Case).values(dict(values)).on_conflict_do_nothing().returning(Case.number)
        return await self._session.scalar(statement) is not None

    async def first_waiting(
        self, *, skills: Skills = Skills(), others_since: datetime | None = None
    ) -> Case | None:
        """The next case by danger and age that no colleague is taking right now, locked.

        Whom the ``skills`` do not serve comes only in an emergency, or if they wait since ``others_since``.
        """
        query = (
            select(Case)
            .where(Case.state == CaseState.WAITING, *_served(skills, others_since=others_since))
            .order_by(*_turn())
            .limit(1)
            .with_for_update(skip_locked=True, key_share=True)
        )
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def first_overdue(self, *, now: datetime) -> Case | None:
        """A case whose clock has run out and that is not marked yet, locked; None if there is none."""
        query = (
            select(Case)
            .where(Case.due_at <= now, Case.overdue_at.is_(None), Case.gone_at.is_(None))
            .order_by(*_turn())
            .limit(1)
            .with_for_update(skip_locked=True, key_share=True)
        )
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def first_to_wake(self, *, now: datetime) -> Case | None:
        """A set-aside case that must wake, locked: its time has come, its visitor wrote, or danger rose."""
        put, later = aliased(Message), aliased(Message)
        set_aside = (
            select(func.max(put.seq))
            .where(put.case_id == Case.number, put.happened == Happening.SET_ASIDE)
            .scalar_subquery()
            .correlate(Case)
        )
        heard = exists().where(
            later.case_id == Case.number,
            later.seq > set_aside,
            or_(later.kind == EntryKind.VISITOR, later.happened == Happening.DANGER_RAISED),
        )
        query = (
            select(Case)
            .where(Case.aside_until.is_not(None), or_(Case.aside_until <= now, heard))
            .order_by(*_turn())
            .limit(1)
            .with_for_update(skip_locked=True, key_share=True)
        )
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def clocks(self, *, now: datetime) -> Mapping[DangerLevel, Lateness]:
        """For each danger level of which somebody waits for an answer: how many are late, or soon."""
        query = (
            select(
                Case.danger,
                func.count().filter(Case.due_at <= now),
                func.count().filter(Case.warn_at <= now, Case.due_at > now),
            )
            .where(Case.due_at.is_not(None), Case.gone_at.is_(None))
            .group_by(Case.danger)
        )
        rows = (await self._session.execute(query)).all()
        return {
            DangerLevel(danger): Lateness(overdue=overdue, warned=warned) for danger, overdue, warned in rows
        }

    async def answer_time(self, danger: DangerLevel, *, since: datetime) -> tuple[timedelta | None, int]:
        """The median time to the first answer at this level, and of how many visitors it is."""
        query = select(
            func.percentile_cont(0.5).within_group(Case.answered_at - Case.received_at), func.count()
        ).where(Case.danger == danger, Case.answered_at >= since)
        median, number = (await self._session.execute(query)).one()
        return median, number

    async def place(self, case: Case) -> int | None:
        """How many stand in the queue up to and including this case; None unless it waits."""
        if case.state != CaseState.WAITING:
            return None
        ahead = tuple_(-Case.danger_rank, Case.received_at, Case.number) <= tuple_(
            -DangerLevel(case.danger).rank, case.received_at, case.number
        )
        query = select(func.count()).select_from(Case).where(Case.state == CaseState.WAITING, ahead)
        return await self._session.scalar(query)

    async def waiting(self) -> Mapping[DangerLevel, tuple[int, datetime]]:
        """For each danger level that waits: how many, and since when the first of them."""
        query = (
            select(Case.danger, func.count(), func.min(Case.received_at))
            .where(Case.state == CaseState.WAITING)
            .group_by(Case.danger)
        )
        return {
            DangerLevel(danger): (number, since)
            for danger, number, since in (await self._session.execute(query)).all()
        }

    async def open_counts(self) -> Mapping[tuple[CaseState, DangerLevel], int]:
        """How many cases are open, by state and danger."""
        query = (
            select(Case.state, Case.danger, func.count())
            .where(Case.state != CaseState.CLOSED)
            .group_by(Case.state, Case.danger)
        )
        rows = (await self._session.execute(query)).all()
        return {(CaseState(state), DangerLevel(danger)): number for state, danger, number in rows}

    async def held_by(self, operator: UUID) -> Sequence[tuple[Case, int]]:
        """The cases of an operator, each with how many of the visitor's messages are unanswered."""
        answer, word = aliased(Message), aliased(Message)
        answered = (
            select(func.coalesce(func.max(answer.seq), 0))
            .where(answer.case_id == Case.number, answer.kind == EntryKind.OPERATOR)
            .scalar_subquery()
            .correlate(Case)
        )
        unanswered = (
            select(func.count())
            .select_from(word)
            .where(word.case_id == Case.number, word.kind == EntryKind.VISITOR, word.seq > answered)
            .scalar_subquery()
        )
        query = (
            select(Case, unanswered)
            .where(Case.state == CaseState.HELD, Case.holder_id == operator)
            .order_by(*_turn())
        )
        return [(case, number) for case, number in (await self._session.execute(query)).all()]

    async def heavy(self, operator: UUID, *, since: datetime) -> int:
        """How many cases of danger this operator holds, or has closed since then."""
        held = and_(Case.state == CaseState.HELD, Case.holder_id == operator)
        closed = and_(Case.closer_id == operator, Case.closed_at >= since)
        query = select(func.count()).select_from(Case).where(Case.danger.in_(HEAVY), or_(held, closed))
        return await self._session.scalar(query) or 0

    async def holds_any(self, operator: UUID) -> bool:
        """True when an operator still holds a case."""
        query = select(exists().where(Case.state == CaseState.HELD, Case.holder_id == operator))
        return bool(await self._session.scalar(query))

    async def held(self) -> Sequence[Held]:
        """Every held case whose visitor is still there, and what tells whether it must go back."""
        return await self._held()

    async def held_one(self, number: UUID) -> Held | None:
        """The same of one case, as it is at this moment."""
        found = await self._held(Case.number == number)
        return found[0] if found else None

    async def _held(self, *which: Any) -> Sequence[Held]:
        answer, word = aliased(Message), aliased(Message)
        since = func.greatest(Case.taken_at, Case.woken_at)
        answered = (
            select(func.max(answer.seq))
            .where(
                answer.case_id == Case.number,
                answer.kind == EntryKind.OPERATOR,
                answer.author_id == Case.holder_id,
                answer.sent_at >= since,
            )
            .scalar_subquery()
            .correlate(Case)
        )
        heard = (
            select(func.min(word.heard_at))
            .where(word.case_id == Case.number, word.kind == EntryKind.VISITOR, word.seq > answered)
            .scalar_subquery()
        )
        # Whoever took a case, or whose case woke, owes the visitor a word, whether the visitor writes or not.
        awaits = sql_case((answered.is_(None), since), else_=heard)
        query = (
            select(Case.number, since, awaits, Operator.present_at)
            .join(Operator, Operator.number == Case.holder_id)
            .where(Case.state == CaseState.HELD, Case.gone_at.is_(None), Case.aside_until.is_(None), *which)
        )
        return [Held(*row) for row in (await self._session.execute(query)).all()]

    async def all_open(self, *, after: int, limit: int) -> Sequence[Case]:
        """Open cases in the order of the queue, for supervisors, without the first ``after``."""
        query = select(Case).where(Case.state != CaseState.CLOSED).order_by(*_turn())
        query = query.offset(after).limit(limit)
        return (await self._session.scalars(query)).all()

    async def earlier(self, case: Case) -> int:
        """How many other cases this visitor has had, as far as they were not forgotten."""
        if case.conversation is None:
            return 0
        query = (
            select(func.count())
            .select_from(Case)
            .where(Case.conversation == case.conversation, Case.number != case.number)
        )
        return await self._session.scalar(query) or 0

    async def append(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Add entries to a thread in this order; one whose id is there already is left as it is.

        The thread is the record, so this is where other systems begin to hear of what happened.
        """
        if not entries:
            return
        columns = set().union(*entries)
        rows = [{column: entry.get(column) for column in columns} for entry in entries]
        # As a list of parameters, since SQLAlchemy would compile a list of values anew every time.
        await self._session.execute(insert(Message).on_conflict_do_nothing(), rows)
        await LetterRepository(self._session).announce(entries)

    async def thread(self, case: UUID) -> Sequence[Message]:
        """All entries of a thread, oldest first."""
        query = select(Message).where(Message.case_id == case).order_by(Message.seq)
        return (await self._session.scalars(query)).all()

    async def newest(self, case: UUID, *, since: int, before: int | None, limit: int) -> Sequence[Message]:
        """The last entries from the position ``since`` on and ``before`` another one, oldest first."""
        query = select(Message).where(Message.case_id == case, Message.seq >= since)
        if before is not None:
            query = query.where(Message.seq < before)
        found = (await self._session.scalars(query.order_by(Message.seq.desc()).limit(limit))).all()
        return found[::-1]

    async def first_heard(self, case: UUID, *, since: int, limit: int) -> Sequence[Message]:
        """The first entries of the visitor from the position ``since`` on that were not erased."""
        query = (
            select(Message)
            .where(
                Message.case_id == case,
                Message.seq >= since,
                Message.kind == EntryKind.VISITOR,
                Message.text.is_not(None),
            )
            .order_by(Message.seq)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def outline(self, case: UUID) -> Sequence[tuple[int, UUID, str]]:
        """Position, id and kind of all entries of a thread, oldest first, without their words."""
        query = (
            select(Message.seq, Message.number, Message.kind)
            .where(Message.case_id == case)
            .order_by(Message.seq)
        )
        return [(seq, number, kind) for seq, number, kind in (await self._session.execute(query)).all()]

    async def entries(self, case: UUID, seqs: Iterable[int]) -> Sequence[Message]:
        """Some entries of a thread, oldest first."""
        query = select(Message).where(Message.case_id == case, Message.seq.in_(seqs)).order_by(Message.seq)
        return (await self._session.scalars(query)).all()

    async def entry(self, case: UUID, number: UUID) -> Message | None:
        """One entry of a thread."""
        return await self._session.get(Message, (case, number))

    async def has(self, case: UUID, number: UUID) -> bool:
        """True when an entry of this id stands in the thread."""
        query = select(exists().where(Message.case_id == case, Message.number == number))
        return bool(await self._session.scalar(query))

    async def words(self, case: UUID, number: UUID) -> bytes | None:
        """The sealed words of one entry, or None when they were erased."""
        query = select(Message.text).where(and_(Message.case_id == case, Message.number == number))
        return await self._session.scalar(query)

    async def heard_at(self, case: Case) -> datetime:
        """When the visitor was last heard, by the clock that noted it; asking for a person counts."""
        said_at = func.coalesce(Message.heard_at, Message.sent_at)
        query = select(func.max(said_at)).where(
            Message.case_id == case.number, Message.kind == EntryKind.VISITOR
        )
        return max(await self._session.scalar(query) or case.opened_at, case.opened_at)

    async def revoked_after(self, case: UUID) -> int:
        """The position of the entry that says that consent was taken back; 0 if it was not."""
        query = select(func.max(Message.seq)).where(
            Message.case_id == case, Message.happened == Happening.CONSENT_REVOKED
        )
        return await self._session.scalar(query) or 0

    async def count_rating(self, *, month: str, locale: str, face: Face) -> None:
        """One more visitor said so of a talk."""
        statement = insert(Rating).values(month=month, locale=locale, face=face, number=1)
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[Rating.month, Rating.locale, Rating.face],
                set_={"number": Rating.number + 1},
            )
        )

    async def mention(self, case: UUID, *, entry: UUID, operators: Iterable[UUID]) -> None:
        """Note for these colleagues that a note names them."""
        rows = [{"case_id": case, "message_id": entry, "operator_id": operator} for operator in operators]
        if rows:
            await self._session.execute(insert(Mention).on_conflict_do_nothing(), rows)

    async def mentions(self, operator: UUID) -> Sequence[Mentioned]:
        """The notes that name this operator and that they have not read, oldest first."""
        query = (
            select(Message.case_id, Message.number, Case.designation, Operator.name, Message.sent_at)
            .join(Mention, and_(Mention.case_id == Message.case_id, Mention.message_id == Message.number))
            .join(Case, Case.number == Message.case_id)
            .join(Operator, Operator.number == Message.author_id)
            .where(Mention.operator_id == operator, Mention.read_at.is_(None), Message.erased_at.is_(None))
            .order_by(Message.sent_at)
        )
        return [Mentioned(*row) for row in (await self._session.execute(query)).all()]

    async def mention_of(self, case: UUID, *, entry: UUID, operator: UUID) -> Mention | None:
        """The mention of an operator in a note."""
        return await self._session.get(Mention, (case, entry, operator))

    async def mentioned_in(self, case: UUID) -> Sequence[tuple[UUID, str, bool]]:
        """For the notes of a case: the entry, a colleague whom it names, and whether they have read it."""
        query = (
            select(Mention.message_id, Operator.name, Mention.read_at.is_not(None))
            .join(Operator, Operator.number == Mention.operator_id)
            .where(Mention.case_id == case)
            .order_by(Operator.name)
        )
        return [(entry, name, read) for entry, name, read in (await self._session.execute(query)).all()]

    async def erase_words(self, case: UUID, *, now: datetime) -> None:
        """Erase every word of a thread; what happened and when remains."""
        await self._session.execute(
            update(Message)
            .where(Message.case_id == case, Message.text.is_not(None))
            .values(text=None, erased_at=now)
            .execution_options(synchronize_session=False)
        )


def _served(skills: Skills, *, others_since: datetime | None) -> Iterator[Any]:
    if not skills:
        return
    chosen = ((Case.locale, skills.locales), (Case.country, skills.countries), (Case.role, skills.roles))
    mine = and_(*(or_(column.is_(None), column.in_(served)) for column, served in chosen if served))
    anybodys = [Case.danger == DangerLevel.EMERGENCY]
    if others_since is not None:
        anybodys.append(Case.received_at <= others_since)
    yield or_(mine, *anybodys)


def _turn() -> tuple[Any, ...]:
    return Case.danger_rank.desc(), Case.received_at, Case.number
