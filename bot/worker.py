"""The process that answers: drains the inbox, delivers the outbox, keeps the clocks, polls Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from procrastinate import App

from bot.classroom import Classes
from bot.config import Settings, TelegramMode
from bot.conversation import Turns
from bot.inbox.deliver import Deliveries
from bot.inbox.drain import Drain
from bot.inbox.jobs import Work, queue
from bot.inbox.sweep import STALLED_AFTER_SECONDS, sweep
from bot.nlu_client import NluClient
from bot.referral_client import ReferralClient
from bot.runtime import Runtime, running
from bot.tally.sums import Tally
from bot.understanding import Understander

log = structlog.get_logger()

_HEARTBEAT_SECONDS = 1.0
_SWEEP_SECONDS = 1.0
_AGAIN_SECONDS = 1.0


async def work(settings: Settings) -> None:
    """Work until cancelled; a database that goes away is waited for."""
    async with running(settings) as runtime:
        nlu = NluClient(settings.nlu_url, intents=runtime.book.intents)
        referral = ReferralClient(settings.referral_url, secret=settings.service_secret)
        tally = Tally(zone=settings.report_time_zone)
        jobs = _work(runtime, nlu, referral, tally)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_for_ever("queue", lambda: _run_queue(jobs, runtime)))
                group.create_task(_for_ever("tally", lambda: tally.keep_writing(runtime.store)))
                if runtime.telegram and settings.telegram_mode is TelegramMode.POLLING:
                    telegram = runtime.telegram
                    group.create_task(_for_ever("telegram", lambda: telegram.poll(runtime.reception.accept)))
        finally:
            await tally.write_down(runtime.store)
            await nlu.close()
            await referral.close()


def _work(runtime: Runtime, nlu: NluClient, referral: ReferralClient, tally: Tally) -> Work:
    settings, book = runtime.settings, runtime.book
    understander = Understander(
        lexicon=runtime.lexicon, nlu=nlu, danger=book.intents, threshold=settings.nlu_threshold
    )
    classes = Classes(privacy=runtime.privacy, public_url=settings.public_url)
    turns = Turns(
        book=book,
        store=runtime.store,
        press=runtime.press,
        understander=understander,
        referral=referral,
        classes=classes,
        tally=tally,
        countries=settings.countries,
        locale=settings.locale,
        country=settings.country,
    )
    deliveries = Deliveries(
        store=runtime.store,
        channels=runtime.channels,
        referral=referral,
        press=runtime.press,
        address=settings.reachable_address,
    )
    return Work(
        store=runtime.store,
        drain=Drain(store=runtime.store, turns=turns, deliveries=deliveries),
        deliveries=deliveries,
        classes=classes,
        retention=timedelta(days=settings.retention_days),
    )


async def _run_queue(jobs: Work, runtime: Runtime) -> None:
    # Made anew each time: a pool that could not be opened cannot be opened again.
    app = queue(runtime.settings.database_url, lambda: jobs)
    async with app.open_async(), asyncio.TaskGroup() as group:
        sweeping = group.create_task(_sweep(app, runtime))
        await app.run_worker_async(
            concurrency=runtime.settings.worker_concurrency,
            delete_jobs="successful",
            install_signal_handlers=False,
            update_heartbeat_interval=_HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_AFTER_SECONDS,
            shutdown_graceful_timeout=5,
        )
        sweeping.cancel()


async def _sweep(app: App, runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        await sweep(app, runtime.engine)


async def _for_ever(name: str, run: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await run()
        except Exception as error:
            log.error("a part of the worker failed and starts again", part=name, error=type(error).__name__)
        await asyncio.sleep(_AGAIN_SECONDS)
