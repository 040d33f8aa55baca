"""How outgoing events and the jobs that carry them are read and written; the only place with such queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import case, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from referral.cases.tables import Case, Message, rehearses
from referral.events.tables import EventKind, OutgoingEvent
from referral.sources.tables import ReferredCase
from referral.traces import here

QUEUE_NAME = "delivery"
TASK_NAME = "deliver"

# One waiting and one running job per case. *Do nothing* on a conflict would strand events: the waiting job
# may be taken by a worker before this transaction commits, and would not see them (seen: 138 of 600). *Do
# update* locks the waiting job, or waits until a worker has it and then inserts another. A worker that looked
# in between has skipped the locked job, hence the NOTIFY of our own when nothing was inserted.
_DEFER = text(
    """
    WITH job AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, scheduled_at)
        VALUES (:queue, :task, :case, :case, jsonb_build_object('case', CAST(:case AS text)),
                now() + make_interval(secs => CAST(:seconds AS double precision)))
        ON CONFLICT (queueing_lock) WHERE status = 'todo'
        DO UPDATE SET queueing_lock = EXCLUDED.queueing_lock
        RETURNING id, xmax <> 0 AS merged
    )
    SELECT pg_notify('procrastinate_queue_v1#' || :queue,
                     json_build_object('type', 'job_inserted', 'job_id', id)::text)
    FROM job WHERE merged
    """
)

# A job of a worker that died is replaced, never retried: where a sibling waits under the same queueing lock a
# retry would break the unique index (procrastinate issues 1446 and 1543).
_REMOVE_STALLED = text(
    """
    DELETE FROM procrastinate_jobs AS job
    WHERE job.status = 'doing' AND job.queue_name = :queue
      AND NOT EXISTS (
        SELECT FROM procrastinate_workers AS worker
        WHERE worker.id = job.worker_id
          AND worker.last_heartbeat >= now() - make_interval(secs => CAST(:seconds AS double precision)))
    RETURNING job.lock
    """
)

_WITHOUT_JOB = text(
    """
    SELECT DISTINCT event.case_id FROM event
    WHERE event.delivered_at IS NULL AND event.dropped_at IS NULL
      AND event.created_at < now() - make_interval(secs => CAST(:seconds AS double precision))
      AND NOT EXISTS (SELECT FROM referred_case WHERE referred_case.case_id = event.case_id)
      AND NOT EXISTS (SELECT FROM procrastinate_jobs AS job
                      WHERE job.queueing_lock = event.case_id::text AND job.status = 'todo')
      AND NOT EXISTS (SELECT FROM procrastinate_jobs AS job
                      WHERE job.lock = event.case_id::text AND job.status = 'doing')
    LIMIT 500
    """
)


class DeliveryState(StrEnum):
    """How the delivery of an operator's message stands."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    DROPPED = "dropped"
    #: The messenger told that the visitor had it before their eyes.
    SEEN = "seen"


class EventRepository:
    """Outgoing events and their jobs within one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, case_id: UUID, *, kind: EventKind, number: UUID, message_id: UUID | None = None
    ) -> None:
        """Queue an event behind the others of its case, and see that somebody sends it.

        Nothing is queued for a rehearsal: the bot does not know such a child.
        """
        if rehearses(self._session):
            return
        self._session.add(
            OutgoingEvent(
                number=number,
                case_id=case_id,
                kind=kind,
                message_id=message_id,
                attempts=0,
                trace=here(),
            )
        )
        await self._session.flush()
        await self.defer(case_id)

    async def defer(self, case_id: UUID, *, after: timedelta = timedelta()) -> None:
        """See that the events of this case are sent, once this time has passed or sooner."""
        await self._session.execute(
            _DEFER,
            {
                "queue": QUEUE_NAME,
                "task": TASK_NAME,
                "case": str(case_id),
                "seconds": after.total_seconds() or None,
            },
        )

    async def first_open(self, case_id: UUID) -> tuple[OutgoingEvent, timedelta] | None:
        """The event to send next, and how long it must still wait; None when all are sent."""
        left = func.greatest(OutgoingEvent.next_try_at - func.now(), timedelta())
        query = (
            select(OutgoingEvent, func.coalesce(left, timedelta()))
            .where(OutgoingEvent.case_id == case_id, *_open(), _of_our_bot())
            .order_by(OutgoingEvent.seq)
            .limit(1)
            .execution_options(populate_existing=True)
        )
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else (row[0], row[1])

    async def delivered(self, number: UUID) -> None:
        """The bot has this event."""
        await self._end(OutgoingEvent.number == number, delivered_at=func.now())

    async def fetched(self, case_id: UUID, *, up_to: int) -> int:
        """Whoever referred this case has all messages up to this entry; how many they had not before."""
        there = select(Message.number).where(Message.case_id == case_id, Message.seq <= up_to)
        query = (
            update(OutgoingEvent)
            .where(OutgoingEvent.case_id == case_id, OutgoingEvent.message_id.in_(there), *_open())
            .values(delivered_at=func.now())
            .returning(OutgoingEvent.number)
            .execution_options(synchronize_session=False)
        )
        return len((await self._session.scalars(query)).all())

    async def drop(self, number: UUID) -> None:
        """This event is not to be sent any more."""
        await self._end(OutgoingEvent.number == number, dropped_at=func.now())

    async def drop_all(self, case_id: UUID) -> None:
        """Nothing of this case is to be sent any more."""
        await self._end(OutgoingEvent.case_id == case_id, dropped_at=func.now())

    async def postpone(self, number: UUID, *, after: timedelta) -> None:
        """An attempt failed; not again before this time has passed."""
        await self._session.execute(
            update(OutgoingEvent)
            .where(OutgoingEvent.number == number)
            .values(attempts=OutgoingEvent.attempts + 1, next_try_at=func.now() + after)
            .execution_options(synchronize_session=False)
        )

    async def states(self, case_id: UUID) -> Mapping[UUID, DeliveryState]:
        """How the delivery of each message of this case stands."""
        saw_at = select(Case.visitor_saw_at).where(Case.number == case_id).scalar_subquery()
        state = case(
            (OutgoingEvent.delivered_at <= saw_at, DeliveryState.SEEN),
            (OutgoingEvent.delivered_at.is_not(None), DeliveryState.DELIVERED),
            (OutgoingEvent.dropped_at.is_not(None), DeliveryState.DROPPED),
            else_=DeliveryState.UNDER_WAY,
        )
        query = select(OutgoingEvent.message_id, state).where(
            OutgoingEvent.case_id == case_id, OutgoingEvent.message_id.is_not(None)
        )
        rows = (await self._session.execute(query)).all()
        return {message: DeliveryState(name) for message, name in rows}

    async def pending(self) -> tuple[int, datetime | None]:
        """How many events are on their way, and since when the oldest of them."""
        query = select(func.count(), func.min(OutgoingEvent.created_at)).where(*_open(), _of_our_bot())
        number, since = (await self._session.execute(query)).one()
        return number, since

    async def replace_stalled(self, *, silent_for: timedelta) -> int:
        """Give the work of workers that have been silent this long to the living; how many jobs that were."""
        rows = await self._session.scalars(
            _REMOVE_STALLED, {"queue": QUEUE_NAME, "seconds": silent_for.total_seconds()}
        )
        stalled = [UUID(lock) for lock in rows]
        for case_id in stalled:
            await self.defer(case_id)
        return len(stalled)

    async def without_job(self, *, older_than: timedelta) -> Sequence[UUID]:
        """Cases with events that nobody is going to send, which should never happen."""
        rows = await self._session.scalars(_WITHOUT_JOB, {"seconds": older_than.total_seconds()})
        return rows.all()

    async def _end(self, which: Any, **values: Any) -> None:
        await self._session.execute(
            update(OutgoingEvent)
            .where(which, *_open())
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _of_our_bot() -> Any:
    """True of events that are sent to our own bot; another one asks for those of its visitors."""
    return ~exists().where(ReferredCase.case_id == OutgoingEvent.case_id)


def _open() -> tuple[Any, ...]:
    return OutgoingEvent.delivered_at.is_(None), OutgoingEvent.dropped_at.is_(None)
