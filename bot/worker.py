"""The process that answers: drains the inbox, delivers the outbox, keeps the clocks, polls Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

import structlog
from procrastinate import App

from bot import health
from bot.case_codes import CaseCodes
from bot.classroom import Classes
from bot.config import Settings, TelegramMode
from bot.conversation import Turns
from bot.inbox.deliver import Deliveries
from bot.inbox.drain import Drain
from bot.inbox.jobs import Work, queue
from bot.inbox.sweep import STALLED_AFTER_SECONDS, sweep
from bot.inbox.watchdog import Limits, Watchdog, until_one_ends
from bot.nlu_client import NluClient
from bot.referral_client import ReferralClient
from bot.runtime import Runtime, running
from bot.tally.sums import Tally
from bot.understanding import Understander

log = structlog.get_logger()

_HEARTBEAT_SECONDS = 1.0
_SWEEP_SECONDS = 1.0
_SWEEP_LIMIT_SECONDS = 30.0
_AGAIN_SECONDS = 1.0
_GRACE_SECONDS = 30.0


async def work(settings: Settings, *, limits: Limits | None = None) -> None:
    """Work until cancelled; a database that goes away is waited for."""
    async with running(settings) as runtime:
        nlu = NluClient(settings.nlu_url, intents=runtime.book.intents)
        referral = ReferralClient(settings.referral_url, secret=settings.service_secret)
        tally = Tally(zone=settings.report_time_zone)
        jobs = _work(runtime, nlu, referral, tally)
        parts = [
            for_ever("queue", lambda: _run_queue(jobs, runtime, limits=limits or Limits())),
            for_ever("tally", lambda: tally.keep_writing(runtime.store)),
        ]
        if at := settings.worker_listen:
            parts.append(for_ever("health", lambda: health.listen(runtime, at=at)))
        if runtime.telegram and settings.telegram_mode is TelegramMode.POLLING:
            telegram = runtime.telegram
            parts.append(for_ever("telegram", lambda: telegram.poll(runtime.reception.accept)))
        try:
            # The queue has bounds of its own inside, which must have passed before it is told again.
            await until_one_ends(*parts, grace=_GRACE_SECONDS)
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
    codes = CaseCodes(privacy=runtime.privacy)
    turns = Turns(
        book=book,
        store=runtime.store,
        press=runtime.press,
        understander=understander,
        referral=referral,
        classes=classes,
        codes=codes,
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
        codes=codes,
        retention=timedelta(days=settings.retention_days),
    )


async def _run_queue(jobs: Work, runtime: Runtime, *, limits: Limits) -> None:
    # Made anew each time: a pool that could not be opened cannot be opened again.
    app = queue(runtime.settings.database_url, lambda: jobs)
    watchdog = Watchdog(database_url=runtime.settings.database_url, limits=limits)
    async with app.open_async():
        await until_one_ends(
            app.run_worker_async(
                concurrency=runtime.settings.worker_concurrency,
                delete_jobs="successful",
                install_signal_handlers=False,
                update_heartbeat_interval=_HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_AFTER_SECONDS,
                shutdown_graceful_timeout=5,
                worker_middleware=[watchdog.bound],
            ),
            _sweep(app, runtime),
            watchdog.watch(),
        )


async def _sweep(app: App, runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        async with asyncio.timeout(_SWEEP_LIMIT_SECONDS):
            await sweep(app, runtime.engine)


async def for_ever(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run this part, and begin it again when it ends or fails, until cancelled."""
    task = cast("asyncio.Task[None]", asyncio.current_task())
    while True:
        try:
            await run()
        except Exception as error:
            if task.cancelling():
                raise  # It failed while it was ended, and must not begin again.
            log.error("a part of the worker failed and starts again", part=name, error=type(error).__name__)
        await asyncio.sleep(_AGAIN_SECONDS)
