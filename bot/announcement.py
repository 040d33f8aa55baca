"""Tells the messengers at which address this bot wants its updates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from bot.config import TelegramMode
from bot.messages import DeliveryFailed, Refused, TryAgain
from bot.runtime import Runtime

log = structlog.get_logger()

_PAUSE = timedelta(seconds=5)


async def announce(runtime: Runtime) -> None:
    """Register the webhooks, again and again while a platform is out of reach; a refusal is logged."""
    url = runtime.settings.public_url.rstrip("/")
    if runtime.telegram and runtime.settings.telegram_mode is TelegramMode.WEBHOOK:
        telegram = runtime.telegram
        await _until_done("telegram", lambda: telegram.set_webhook(f"{url}/telegram/webhook"))
        await telegram.greet()
    if runtime.viber:
        viber = runtime.viber
        await _until_done("viber", lambda: viber.set_webhook(f"{url}/viber/webhook"))


async def _until_done(channel: str, register: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await register()
        except TryAgain as error:
            await asyncio.sleep((error.after or _PAUSE).total_seconds())
        except DeliveryFailed as error:
            reason = error.reason if isinstance(error, Refused) else type(error).__name__
            log.error(
                "the webhook was refused; is PORCHLIGHT_PUBLIC_URL right?", channel=channel, reason=reason
            )
            return
        else:
            log.info("the webhook is registered", channel=channel)
            return
