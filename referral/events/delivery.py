"""How events reach the bot: exactly once as far as it can see, in order per case, at once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never
from uuid import UUID, uuid4

import httpx
import procrastinate
import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from referral.audit.repository import record
from referral.audit.rules import Act
from referral.background import beside, until_one_ends
from referral.cases.repository import CaseRepository
from referral.cases.rules import EntryKind, Happening, may_be_rated
from referral.cases.sealed import read_words
from referral.cases.standing import standing_of
from referral.cases.tables import Message
from referral.changes import case_topic, ring
from referral.clock import Clock
from referral.database import LIVELY, Sessions, transaction
from referral.events import rules
from referral.events.repository import QUEUE_NAME, TASK_NAME, EventRepository
from referral.events.rules import Answer, Delivered, Failed, Gone
from referral.events.tables import EventKind, OutgoingEvent
from referral.events.watchdog import Limits, QueueStands, Watchdog
from referral.library.tables import LibraryFile
from referral.privacy import Privacy
from referral.signature import Signature
from referral.traces import carried, span

log = structlog.get_logger(__name__)

#: The bot answers in milliseconds or not at all.
_TIMEOUT = httpx.Timeout(10, connect=3)
#: The waiting job is looked for this often even if a NOTIFY was missed.
_POLL_SECONDS = 0.25
_HEARTBEAT_SECONDS = 1.0
#: A worker that has been silent this long is dead: its work is given to another.
STALLED_AFTER = timedelta(seconds=5)
_SWEEP_SECONDS = 1.0
_SWEEP_LIMIT_SECONDS = 30.0
#: For the whole answer: one that comes a byte a second never meets the limit for each step.
_WHOLE_SECONDS = 15.0
#: The belt: events this old for which no job exists get one.
RECONCILE_AFTER = timedelta(seconds=2)
_SWEEPS_PER_RECONCILE = 3
_RESTART_SECONDS = 1.0
_SHUTDOWN_SECONDS = 2.0
# Until the job table has been analysed the planner would scan all of it for every fetch.
_PLANNER = "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One event, ready to be sent."""

    number: UUID
    case: UUID
    attempts: int
    body: bytes
    #: In which trace it came about.
    trace: str | None


class Delivery:
    """Sends the open events of a case, one after another."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        privacy: Privacy,
        signature: Signature,
        client: httpx.AsyncClient,
        address: str,
        clock: Clock,
        count: Callable[[str], None],
    ) -> None:
        self._sessions = sessions
        self._privacy = privacy
        self._signature = signature
        self._client = client
        self._address = address
        self._clock = clock
        self._count = count

    async def drain(self, case: UUID) -> None:
        """Send until nothing is left or an attempt fails; then another job is due when it may be repeated."""
        while letter := await self._next(case):
            with span("deliver", after=letter.trace, attempt=letter.attempts + 1):
                answer = await self._send(letter)
            if not await self._record(letter, answer):
                return

    async def _next(self, case: UUID) -> Letter | None:
        async with transaction(self._sessions) as session:
            events = EventRepository(session)
            while found := await events.first_open(case):
                event, wait = found
                if wait:
                    await events.defer(case, after=wait)
                    return None
                words, more = None, dict[str, Any]()
                if event.kind == EventKind.CLOSED:
                    closed = await CaseRepository(session).get(case)
                    if closed is not None and may_be_rated(standing_of(closed)):
                        more = {"rate": True}
                if event.message_id is not None:
                    entry = await CaseRepository(session).entry(case, event.message_id)
                    sealed = entry.text if entry else None
                    words = read_words(self._privacy, sealed, case=case, entry=event.message_id)
                    more = await _gift(entry, session=session) if entry else {}
                    if words is None:
                        await events.drop(event.number)
                        continue
                return Letter(
                    number=event.number,
                    case=case,
                    attempts=event.attempts,
                    body=_body(event, words=words, more=more),
                    trace=event.trace,
                )
        return None

    async def _send(self, letter: Letter) -> Answer:
        now = self._clock()
        headers = self._signature.headers(letter.body, number=str(letter.number), now=now)
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                response = await self._client.post(
                    self._address,
                    content=letter.body,
                    headers={**headers, **carried(), "content-type": "application/json"},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            return Failed(reason=type(error).__name__)
        return rules.answer(response.status_code, retry_after=response.headers.get("retry-after"), now=now)

    async def _record(self, letter: Letter, answer: Answer) -> bool:
        """Write down what became of it; False when the others of this case must wait."""
        self._count(type(answer).__name__.lower())
        async with transaction(self._sessions) as session:
            events = EventRepository(session)
            match answer:
                case Delivered():
                    await events.delivered(letter.number)
                    await ring(session, case_topic(letter.case))
                    return True
                case Gone():
                    await self._visitor_gone(letter.case, session=session)
                    log.info("conversation is gone", case=str(letter.case))
                    return False
                case Failed(reason=reason, after=wanted):
                    wait = rules.delay(letter.attempts + 1, wanted=wanted, chance=random.random())  # noqa: S311
                    await events.postpone(letter.number, after=wait)
                    await events.defer(letter.case, after=wait)
                    log.warning(
                        "event not delivered",
                        case=str(letter.case),
                        attempt=letter.attempts + 1,
                        reason=reason,
                        again_in=wait.total_seconds(),
                    )
                    return False
                case _:
                    assert_never(answer)

    async def _visitor_gone(self, number: UUID, *, session: AsyncSession) -> None:
        cases, events = CaseRepository(session), EventRepository(session)
        case = await cases.locked(number)
        await cases.lock_thread(number)
        await events.drop_all(number)
        if case is None or case.gone_at is not None:
            return
        now = self._clock()
        case.gone_at, case.aside_until = now, None
        entry = {
            "number": uuid4(),
            "case_id": number,
            "kind": EntryKind.EVENT,
            "happened": Happening.UNREACHABLE,
            "sent_at": now,
        }
        await cases.append([entry])
        await ring(session, case_topic(number))
        record(session, Act.VISITOR_UNREACHABLE, now=now, case=number)


async def _gift(entry: Message, *, session: AsyncSession) -> dict[str, Any]:
    """What is given with a message: the name of a document, or what the bot must know to fetch a file."""
    if entry.document is not None:
        return {"document": entry.document}
    file = await session.get(LibraryFile, entry.file_id) if entry.file_id else None
    return {"file": {"id": str(file.number), "title": file.title, "form": file.form}} if file else {}


def _body(event: OutgoingEvent, *, words: str | None, more: dict[str, Any]) -> bytes:
    data: dict[str, Any] = {"case": str(event.case_id)}
    if event.kind == EventKind.MESSAGE:
        data |= {"message": str(event.message_id), "text": words}
    data |= more
    timestamp = event.created_at.isoformat()
    return json.dumps(
        {"type": f"case.{event.kind}", "timestamp": timestamp, "data": data}, ensure_ascii=False
    ).encode()


class DeliveryWorker:
    """Keeps a worker for deliveries running inside a process that does other things as well."""

    def __init__(
        self,
        url: str,
        *,
        delivery: Delivery,
        sessions: Sessions,
        concurrency: int,
        limits: Limits | None = None,
    ) -> None:
        self._delivery = delivery
        self._sessions = sessions
        self._concurrency = concurrency
        self._url = url
        self._limits = limits or Limits()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block runs."""
        async with beside(self._keep_working(), self._keep_tending()):
            yield

    async def tend(self, *, reconcile: bool) -> None:
        """Replace jobs of dead workers, and find events that no job is going to send.

        This is no periodic job of the queue on purpose: the belt should not hang on the braces.
        """
        async with transaction(self._sessions) as session:
            events = EventRepository(session)
            if stalled := await events.replace_stalled(silent_for=STALLED_AFTER):
                log.warning("stalled deliveries replaced", number=stalled)
            if reconcile:
                for case in await events.without_job(older_than=RECONCILE_AFTER):
                    await events.defer(case)
                    log.warning("delivery without job found", case=str(case))

    def _queue(self) -> procrastinate.App:
        # A new one for every attempt: a connector whose pool could not be opened can never be opened again.
        connector = procrastinate.PsycopgConnector(
            conninfo=self._url, min_size=1, max_size=4, timeout=5, kwargs={"options": _PLANNER, **LIVELY}
        )
        queue = procrastinate.App(connector=connector)
        queue.task(name=TASK_NAME, queue=QUEUE_NAME)(self._deliver)
        return queue

    async def _deliver(self, case: str) -> None:
        await self._delivery.drain(UUID(case))

    async def _keep_working(self) -> None:
        while True:
            try:
                await self._work()
            except (
                OSError,
                QueueStands,
                psycopg.Error,
                procrastinate.exceptions.ProcrastinateException,
            ) as error:
                log.warning("delivery worker stopped", reason=type(error).__name__)
            await asyncio.sleep(_RESTART_SECONDS)

    async def _work(self) -> None:
        watchdog = Watchdog(database_url=self._url, limits=self._limits)
        async with self._queue().open_async() as queue:
            await until_one_ends(
                queue.run_worker_async(
                    queues=[QUEUE_NAME],
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=_POLL_SECONDS,
                    update_heartbeat_interval=_HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_AFTER.total_seconds(),
                    shutdown_graceful_timeout=_SHUTDOWN_SECONDS,
                    # What happened to an event stands on its own row.
                    delete_jobs="always",
                    worker_middleware=[watchdog.bound],
                ),
                watchdog.watch(),
            )

    async def _keep_tending(self) -> None:
        sweep = 0
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            sweep += 1
            try:
                async with asyncio.timeout(_SWEEP_LIMIT_SECONDS):
                    await self.tend(reconcile=sweep % _SWEEPS_PER_RECONCILE == 0)
            except (OSError, SQLAlchemyError, psycopg.Error) as error:
                log.warning("deliveries not tended", reason=type(error).__name__)
