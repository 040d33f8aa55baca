"""The jobs of the durable queue: what each one is called and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from procrastinate import App, PsycopgConnector

from bot.case_codes import CaseCodes
from bot.classroom import Classes
from bot.inbox.deliver import Deliveries
from bot.inbox.drain import Drain
from bot.store import LIVELY, Store, TipCall
from bot.tips import day_of_tip, latest, next_tip

log = structlog.get_logger()

#: Without fresh statistics the planner joins whole tables where an index would do (measured: 145 ms a fetch
#: instead of 1 ms), so these plans are off for the queue's own connections.
_PLANNER = "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off"

#: What a job's own row says may be lost with the server: the sweep finds the messages that are still open.
_NO_WAIT = "-c synchronous_commit=off"

#: Keyed hashes of deliveries are kept so long to drop late duplicates; the platforms retry for hours.
DUPLICATES_UNTIL = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything that the jobs need."""

    store: Store
    drain: Drain
    deliveries: Deliveries
    classes: Classes
    codes: CaseCodes
    retention: timedelta


def queue(url: str, work: Callable[[], Work], *, pool_size: int = 4) -> App:
    """The job queue on this database; ``work`` is asked each time a job starts."""
    app = App(
        connector=PsycopgConnector(
            conninfo=url,
            kwargs={"options": f"{_PLANNER} {_NO_WAIT}", **LIVELY},
            min_size=1,
            max_size=pool_size,
            timeout=5,
        )
    )

    @app.task(name="drain", queue="inbox")
    async def drain(conversation: str) -> None:
        await work().drain.run(UUID(conversation))

    @app.task(name="deliver_channel", queue="outbox")
    async def deliver_channel(conversation: str) -> None:
        await work().deliveries.run(UUID(conversation), lane="channel")

    @app.task(name="deliver_referral", queue="outbox")
    async def deliver_referral(conversation: str) -> None:
        await work().deliveries.run(UUID(conversation), lane="referral")

    @app.task(name="remind", queue="timers")
    async def remind(conversation: str, token: str) -> None:
        await work().store.accept_for(
            UUID(conversation),
            update=f"timer {conversation} {token}",
            event={"kind": "timeout", "token": token},
        )

    @app.task(name="tip", queue="timers")
    async def tip(conversation: str, token: str, country: str | None) -> None:
        await _call_for_tip(work().store, UUID(conversation), token=token, country=country)

    @app.task(name="erase", queue="timers")
    async def erase(conversation: str, version: int) -> None:
        await work().store.erase(UUID(conversation), version=version)

    @app.periodic(cron="17 * * * *")
    @app.task(name="retain", queue="timers", queueing_lock="retain")
    async def retain(timestamp: int) -> None:
        erased = await work().store.erase_idle(older_than=work().retention, duplicates_until=DUPLICATES_UNTIL)
        log.info("idle conversations erased", conversations=erased)

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="end_classes", queue="timers", queueing_lock="end_classes")
    async def end_classes(timestamp: int) -> None:
        async with work().store.transaction() as connection:
            await work().classes.end_due(connection)

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="end_codes", queue="timers", queueing_lock="end_codes")
    async def end_codes(timestamp: int) -> None:
        async with work().store.transaction() as connection:
            await work().codes.end_due(connection)

    return app


async def _call_for_tip(store: Store, pseudonym: UUID, *, token: str, country: str | None) -> None:
    """Let the conversation say its tip if it is day there; a worker that was down must not wake anybody."""
    now = datetime.now(UTC)
    day = day_of_tip(now, country=country)
    if day is None:
        call = TipCall(token=token, country=country, at=next_tip(now, country=country))
        async with store.statement() as connection:
            await store.call_for_tip(connection, pseudonym, call)
        return
    until = latest(now, country=country).isoformat()
    event = {"kind": "tip", "token": token, "day": day.isoformat(), "until": until}
    # A tip is our doing and no sign of life: words are erased as early as without it.
    await store.accept_for(pseudonym, update=f"tip {pseudonym} {token}", event=event, counts=False)
