"""Who carries the pages out: one task for each channel, so that a channel that hangs delays no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from referral.background import beside
from referral.cases.rules import DangerLevel
from referral.clock import Clock
from referral.config import Settings
from referral.database import Sessions, transaction
from referral.pager.repository import PageRepository
from referral.pager.rules import Channel, Letter, delay
from referral.pager.senders import MailSender, PageNotSent, Sender, TelegramSender, WebhookSender

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 1.0
#: A page whose process died while sending is sent again by another after this time.
_LEASE = timedelta(seconds=60)


class Pager:
    """Sends what is due; any number of processes may do so beside each other."""

    def __init__(
        self, sessions: Sessions, *, senders: Mapping[Channel, Sender], clock: Clock, console: str
    ) -> None:
        self._sessions = sessions
        self._senders = senders
        self._clock = clock
        self._console = console

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the block runs."""
        async with beside(*(self._keep_sending(channel) for channel in self._senders)):
            yield

    async def _keep_sending(self, channel: Channel) -> None:
        while True:
            try:
                while letter := await self._next(channel):
                    await self._send(channel, letter)
            except (SQLAlchemyError, psycopg.Error) as error:
                log.warning("pages not sent", channel=channel, reason=type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def _next(self, channel: Channel) -> Letter | None:
        """The page to send now, which is ours for the time of a lease."""
        now = self._clock()
        async with transaction(self._sessions) as session:
            pages = PageRepository(session)
            while found := await pages.due(channel, now=now):
                page, case = found
                if case.due_at is None or case.gone_at is not None:
                    # Somebody has answered meanwhile, or nobody waits: no reason to wake anybody.
                    page.dropped_at = now
                    await session.flush()
                    continue
                page.attempts += 1
                page.next_try_at = now + _LEASE
                return Letter(
                    number=page.number,
                    attempts=page.attempts,
                    designation=case.designation,
                    danger=DangerLevel(case.danger),
                    waiting=now - case.received_at,
                    link=f"{self._console}/supervision#case-{case.number}",
                )
        return None

    async def _send(self, channel: Channel, letter: Letter) -> None:
        try:
            await self._senders[channel].send(letter, now=self._clock())
        except PageNotSent as failure:
            again = delay(letter.attempts, wanted=failure.after)
            async with transaction(self._sessions) as session:
                await PageRepository(session).postpone(letter.number, until=self._clock() + again)
            log.warning("page not sent", channel=channel, reason=failure.reason, attempt=letter.attempts)
            return
        async with transaction(self._sessions) as session:
            await PageRepository(session).sent(letter.number, now=self._clock())
        log.info("page sent", channel=channel)


def senders_of(settings: Settings, *, client: httpx.AsyncClient) -> Mapping[Channel, Sender]:
    """The channels that this helpline has set up."""
    senders: dict[Channel, Sender] = {}
    if settings.pager_webhook_url:
        senders[Channel.WEBHOOK] = WebhookSender(
            client,
            url=settings.pager_webhook_url,
            secret=settings.pager_webhook_secret,
            private=settings.pager_private_addresses,
        )
    if settings.pager_telegram_token:
        senders[Channel.TELEGRAM] = TelegramSender(
            client,
            api_url=settings.telegram_api_url,
            token=settings.pager_telegram_token,
            chat=settings.pager_telegram_chat,
        )
    if settings.pager_smtp_url:
        senders[Channel.EMAIL] = MailSender(
            url=settings.pager_smtp_url,
            sender=settings.pager_email_from,
            recipients=settings.pager_email_to,
        )
    return senders
