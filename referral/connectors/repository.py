"""How connections and their letters are read and written; the only place with queries about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from referral.cases.tables import Case
from referral.changes import ring
from referral.connectors.happenings import Kind
from referral.connectors.rules import MAX_REASON, told
from referral.connectors.tables import Connection, Endpoint, ForeignCase, QueuedLetter

#: Rings when there is something to send.
LETTERS = "letters"

#: After so many attempts in a row, about three minutes, it is no passing hiccup.
_TROUBLE = 4

# In the transaction of what happened: one statement, which does nothing where nothing is connected, and takes
# no lock that another case would wait for.
_ANNOUNCE = text(
    """
    INSERT INTO letter (id, connection, case_id, entry_id, kind, at, next_try_at)
    SELECT gen_random_uuid(), connection.name, told.case_id, told.entry_id, told.kind, told.at, told.at
    FROM unnest(CAST(:cases AS uuid[]), CAST(:entries AS uuid[]), CAST(:kinds AS text[]),
                CAST(:instants AS timestamptz[])) WITH ORDINALITY AS told (case_id, entry_id, kind, at, place)
    JOIN connection ON connection.ended_at IS NULL AND told.kind = ANY (connection.kinds)
    ORDER BY told.place
    ON CONFLICT DO NOTHING
    RETURNING connection
    """
)

_FORGET = text(
    """
    INSERT INTO letter (id, connection, case_id, kind, at, next_try_at)
    SELECT DISTINCT ON (connection) gen_random_uuid(), connection, case_id, 'forgotten', :now, :now
    FROM letter WHERE case_id = :case
    RETURNING connection
    """
)


_REVOKE = text(
    """
    INSERT INTO letter (id, connection, case_id, entry_id, kind, at, next_try_at)
    SELECT DISTINCT ON (connection) gen_random_uuid(), connection, case_id, CAST(:entry AS uuid),
           'consent_revoked', CAST(:now AS timestamptz), CAST(:now AS timestamptz)
    FROM letter WHERE case_id = :case
    """
)


class LetterState(StrEnum):
    """What became of a letter."""

    OPEN = "open"
    DELIVERED = "delivered"
    PARKED = "parked"
    DROPPED = "dropped"


class LetterRepository:
    """Connections and their letters within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def connect(self, name: str, *, kinds: Iterable[Kind]) -> None:
        """This system is told of these happenings from now on."""
        wanted = sorted(kinds)
        statement = insert(Connection).values(name=name, kinds=wanted)
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[Connection.name],
                set_={
                    "kinds": wanted,
                    "ended_at": None,
                    "ended_because": None,
                    "failures": 0,
                    "failed_because": None,
                    "next_try_at": None,
                },
            )
        )
        await ring(self._session, LETTERS)

    async def disconnect(self, name: str, *, reason: str, now: datetime) -> None:
        """This system is told nothing more; its open letters wait until it is connected again."""
        await self._session.execute(
            update(Connection)
            .where(Connection.name == name, Connection.ended_at.is_(None))
            .values(ended_at=now, ended_because=reason[:MAX_REASON])
            .execution_options(synchronize_session=False)
        )

    async def connections(self) -> Sequence[Connection]:
        """Every system, also those that are told nothing any more."""
        return (await self._session.scalars(select(Connection).order_by(Connection.name))).all()

    async def endpoints(self) -> Sequence[Endpoint]:
        """Every webhook that supervisors have set up."""
        return (await self._session.scalars(select(Endpoint))).all()

    async def counts(self) -> Mapping[str, tuple[int, int]]:
        """For each connection, how many letters are on their way, and how many were given up."""
        query = select(
            QueuedLetter.connection,
            func.count().filter(*_open(QueuedLetter)),
            func.count().filter(QueuedLetter.parked_at.is_not(None)),
        ).group_by(QueuedLetter.connection)
        return {name: (waiting, parked) for name, waiting, parked in await self._session.execute(query)}

    async def newest(
        self, *, state: LetterState | None, before: int | None, limit: int
    ) -> Sequence[tuple[QueuedLetter, str | None]]:
        """Letters with what people call the case, the newest first, older than ``before``."""
        query = (
            select(QueuedLetter, Case.designation)
            .outerjoin(Case, Case.number == QueuedLetter.case_id)
            .order_by(QueuedLetter.seq.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(QueuedLetter.seq < before)
        if state is not None:
            query = query.where(*_in_state(state))
        return [(letter, name) for letter, name in await self._session.execute(query)]

    async def connection(self, name: str) -> Connection | None:
        """One system."""
        return await self._session.get(Connection, name, populate_existing=True)

    async def announce(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Whoever wants to hear of these new entries of threads will be told."""
        found = [
            (entry["case_id"], entry["number"], kind, entry["sent_at"])
            for entry in entries
            if (kind := told(entry))
        ]
        if not found:
            return
        cases, numbers, kinds, instants = (list(column) for column in zip(*found, strict=True))
        rows = await self._session.scalars(
            _ANNOUNCE, {"cases": cases, "entries": numbers, "kinds": kinds, "instants": instants}
        )
        if rows.first() is not None:
            await ring(self._session, LETTERS)

    async def revoke(self, case: UUID, *, entry: UUID, now: datetime) -> None:
        """Whoever was told of this case hears that its visitor took their consent back."""
        await self._session.execute(_REVOKE, {"case": case, "entry": entry, "now": now})
        await ring(self._session, LETTERS)

    async def forget(self, case: UUID, *, now: datetime) -> None:
        """Nothing more is told of this case, and whoever may know of it is told to erase it."""
        await self._end(QueuedLetter.case_id == case, dropped_at=now)
        await self._session.execute(_FORGET, {"case": case, "now": now})
        await ring(self._session, LETTERS)

    async def waiting(self, *, now: datetime) -> Sequence[str]:
        """Connections with something to send now, which no process is busy with."""
        query = (
            select(Connection.name)
            .join(QueuedLetter, QueuedLetter.connection == Connection.name)
            .where(QueuedLetter.next_try_at <= now, *_open(QueuedLetter), *_ready(now))
            .distinct()
        )
        return (await self._session.scalars(query)).all()

    async def lease(self, name: str, *, until: datetime, now: datetime) -> bool:
        """Be the only one who sends to this connection for a while; False if another is, or nobody may."""
        query = (
            update(Connection)
            .where(Connection.name == name, *_ready(now))
            .values(busy_until=until)
            .returning(Connection.name)
            .execution_options(synchronize_session=False)
        )
        return await self._session.scalar(query) is not None

    async def give_back(self, name: str) -> None:
        """Whoever wants may send to this connection now."""
        await self._change(name, busy_until=None)

    async def due(self, name: str, *, now: datetime) -> QueuedLetter | None:
        """The letter to send next, locked: never one before an earlier open one of the same case."""
        earlier = aliased(QueuedLetter)
        blocked = (
            select(earlier.seq)
            .where(
                earlier.connection == name,
                earlier.case_id == QueuedLetter.case_id,
                earlier.seq < QueuedLetter.seq,
                *_open(earlier),
            )
            .exists()
        )
        query = (
            select(QueuedLetter)
            .where(
                QueuedLetter.connection == name,
                QueuedLetter.next_try_at <= now,
                *_open(QueuedLetter),
                ~blocked,
            )
            # A letter that makes the other side stumble is tried again after those that may not.
            .order_by(QueuedLetter.attempts, QueuedLetter.seq)
            .limit(1)
            .with_for_update()
        )
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def delivered(self, number: UUID, *, now: datetime, remains: str | None = None) -> None:
        """This letter has arrived; what nevertheless remains to be known of it stands beside it."""
        await self._end(
            QueuedLetter.number == number, delivered_at=now, reason=remains and remains[:MAX_REASON]
        )

    async def drop(self, number: UUID, *, now: datetime) -> None:
        """This letter is not to be sent."""
        await self._end(QueuedLetter.number == number, dropped_at=now)

    async def park(self, number: UUID, *, reason: str, now: datetime) -> None:
        """This letter waits for somebody to look at it."""
        await self._end(QueuedLetter.number == number, parked_at=now, reason=reason[:MAX_REASON])

    async def postpone(self, number: UUID, *, reason: str, until: datetime) -> None:
        """This letter is tried again at that instant."""
        await self._end(QueuedLetter.number == number, next_try_at=until, reason=reason[:MAX_REASON])

    async def failed(self, name: str, *, reason: str, until: datetime) -> None:
        """The system as a whole is left alone until that instant."""
        await self._change(
            name, failures=Connection.failures + 1, failed_because=reason[:MAX_REASON], next_try_at=until
        )

    async def reached(self, name: str) -> None:
        """The system answers."""
        await self._change(name, failures=0, failed_because=None, next_try_at=None)

    async def send_again(self, number: UUID, *, now: datetime) -> QueuedLetter | None:
        """Send a letter once more, whatever became of it; None if there is none, or none that may be sent."""
        query = (
            update(QueuedLetter)
            .where(QueuedLetter.number == number, QueuedLetter.dropped_at.is_(None))
            .values(attempts=0, next_try_at=now, delivered_at=None, parked_at=None, reason=None)
            .returning(QueuedLetter)
        )
        letter = await self._session.scalar(query, execution_options={"populate_existing": True})
        if letter is not None:
            await ring(self._session, LETTERS)
        return letter

    async def in_trouble(self) -> bool:
        """True when a system that should be told of cases has not answered for some time."""
        query = select(Connection.name).where(Connection.ended_at.is_(None), Connection.failures >= _TROUBLE)
        return bool(await self._session.scalar(select(query.exists())))

    async def reference(self, name: str, case: UUID) -> str | None:
        """Under which name this system keeps the case."""
        query = select(ForeignCase.reference).where(
            ForeignCase.connection == name, ForeignCase.case_id == case
        )
        return await self._session.scalar(query)

    async def case_of(self, name: str, reference: str) -> UUID | None:
        """The case that this system keeps under that name."""
        query = select(ForeignCase.case_id).where(
            ForeignCase.connection == name, ForeignCase.reference == reference
        )
        return await self._session.scalar(query)

    async def remember(self, name: str, case: UUID, *, reference: str) -> None:
        """This system keeps the case under that name."""
        statement = insert(ForeignCase).values(connection=name, case_id=case, reference=reference)
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[ForeignCase.connection, ForeignCase.case_id], set_={"reference": reference}
            )
        )

    async def forget_reference(self, name: str, case: UUID) -> None:
        """This system keeps the case no longer."""
        await self._session.execute(
            delete(ForeignCase).where(ForeignCase.connection == name, ForeignCase.case_id == case)
        )

    async def _change(self, name: str, **values: Any) -> None:
        await self._session.execute(
            update(Connection)
            .where(Connection.name == name)
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    async def _end(self, which: Any, **values: Any) -> None:
        await self._session.execute(
            update(QueuedLetter)
            .where(which, *_open(QueuedLetter))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _open(letter: Any) -> tuple[Any, ...]:
    return letter.delivered_at.is_(None), letter.parked_at.is_(None), letter.dropped_at.is_(None)


def _in_state(state: LetterState) -> tuple[Any, ...]:
    match state:
        case LetterState.OPEN:
            return _open(QueuedLetter)
        case LetterState.DELIVERED:
            return (QueuedLetter.delivered_at.is_not(None),)
        case LetterState.PARKED:
            return (QueuedLetter.parked_at.is_not(None),)
        case LetterState.DROPPED:
            return (QueuedLetter.dropped_at.is_not(None),)
    assert_never(state)


def _ready(now: datetime) -> tuple[Any, ...]:
    """True of a connection that may be used, is not left alone for a while, and that nobody is busy with."""
    return (
        Connection.ended_at.is_(None),
        or_(Connection.next_try_at.is_(None), Connection.next_try_at <= now),
        or_(Connection.busy_until.is_(None), Connection.busy_until <= now),
    )
