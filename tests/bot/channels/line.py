"""One messenger with our channel on it, wired as in the product, and an inbox that a test can look into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from fastapi import FastAPI

from bot.channels.telegram import TelegramChannel
from bot.channels.tls import trusted
from bot.channels.viber import ViberChannel
from bot.messages import Button, InboxDown, Incoming, Outgoing
from tests.fakes.server import serving
from tests.fakes.telegram import FakeTelegram, TelegramVisitor
from tests.fakes.viber import FakeViber, ViberVisitor

SECRET = "a-webhook-secret-of-the-tests"

#: Long enough for a busy machine; ``IMPATIENT`` is for servers that hang.
TIMEOUT = timedelta(seconds=10)
IMPATIENT = timedelta(seconds=0.2)
PAUSE = timedelta(seconds=0.02)

_PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class Inbox:
    """Keeps what the channel hands over; refuses the next ``down`` times."""

    down: int = 0
    kept: list[Incoming] = field(default_factory=list)
    refused: int = 0
    #: Who had a message of ours before their eyes.
    seen_by: list[str] = field(default_factory=list)
    _looked: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def accept(self, incoming: Incoming) -> None:
        """Keep, or refuse."""
        async with self._news:
            self._news.notify_all()
            if self.down:
                self.down -= 1
                self.refused += 1
                raise InboxDown
            self.kept.append(incoming)

    async def saw(self, address: str) -> None:
        """Remember who looked."""
        self.seen_by.append(address)

    async def gets(self) -> Incoming:
        """The next one that was not looked at yet."""
        async with asyncio.timeout(_PATIENCE_SECONDS), self._news:
            await self._news.wait_for(lambda: self._looked < len(self.kept))
        self._looked += 1
        return self.kept[self._looked - 1]


@dataclass(slots=True, kw_only=True)
class Line:
    """What a contract test needs of one messenger."""

    name: str
    channel: TelegramChannel | ViberChannel
    messenger: FakeTelegram | FakeViber
    inbox: Inbox
    #: The API's method that sends a message.
    sending: str
    #: The most that one message holds.
    limit: int
    #: How long a busy platform (``TooMany(after=3)``) makes us wait.
    busy: timedelta
    #: Where our webhook is; empty while updates are polled.
    webhook: str = ""

    def visitor(self, language: str = "en") -> TelegramVisitor | ViberVisitor:
        """Somebody new."""
        return self.messenger.visitor(language=language)

    async def known(self, language: str = "en") -> TelegramVisitor | ViberVisitor:
        """Somebody who has written, so that they can be written to."""
        visitor = self.visitor(language)
        visitor.writes("hello")
        await self.inbox.gets()
        return visitor

    def impatient(self) -> TelegramChannel | ViberChannel:
        """A second channel to the same platform that does not wait long."""
        if isinstance(self.messenger, FakeViber):
            return ViberChannel(self.messenger.token, api_url=self.messenger.url, timeout=IMPATIENT)
        return TelegramChannel(self.messenger.token, api_url=self.messenger.url, timeout=IMPATIENT)

    async def settled(self) -> None:
        """Wait until the platform has nothing left for us."""
        await self.messenger.delivered()


async def post(url: str, body: bytes, *, headers: dict[bytes, bytes]) -> httpx.Response:
    """Post to a webhook, as anybody can."""
    async with httpx.AsyncClient(trust_env=False, verify=trusted()) as http:
        return await http.post(url, content=body, headers=headers)


def say(text: str, *titles: str, number: str = "", sender: str = "bot", locale: str = "en") -> Outgoing:
    """A message with a button for each title."""
    return Outgoing(
        text=text,
        choices=tuple(
            Button(title=title, payload=f"n:flow:node:c{place}") for place, title in enumerate(titles)
        ),
        sender=sender,
        number=number,
        locale=locale,
    )


@asynccontextmanager
async def polling_telegram() -> AsyncIterator[Line]:
    """Telegram, updates polled."""
    inbox = Inbox()
    with FakeTelegram() as telegram:
        channel = TelegramChannel(
            telegram.token, api_url=telegram.url, secret=None, timeout=TIMEOUT, pause=PAUSE
        )
        polling = asyncio.create_task(channel.poll(inbox.accept))
        await telegram.called("getUpdates")
        try:
            yield _telegram_line("telegram polling", channel, telegram, inbox)
        finally:
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling
            await channel.close()


@asynccontextmanager
async def webhook_telegram() -> AsyncIterator[Line]:
    """Telegram, updates posted to our webhook."""
    inbox = Inbox()
    with FakeTelegram() as telegram:
        channel = TelegramChannel(
            telegram.token, api_url=telegram.url, secret=SECRET, timeout=TIMEOUT, pause=PAUSE
        )
        async with _served(channel, inbox) as url:
            line = _telegram_line("telegram webhook", channel, telegram, inbox)
            line.webhook = f"{url}/telegram/webhook"
            await channel.set_webhook(line.webhook)
            yield line
        await channel.close()


@asynccontextmanager
async def viber() -> AsyncIterator[Line]:
    """Viber."""
    inbox = Inbox()
    with FakeViber() as fake:
        channel = ViberChannel(fake.token, api_url=fake.url, timeout=TIMEOUT)
        async with _served(channel, inbox) as url:
            webhook = f"{url}/viber/webhook"
            await channel.set_webhook(webhook)
            yield Line(
                name="viber",
                channel=channel,
                messenger=fake,
                inbox=inbox,
                sending="send_message",
                limit=7000,
                busy=timedelta(seconds=10),
                webhook=webhook,
            )
        await channel.close()


def _telegram_line(name: str, channel: TelegramChannel, telegram: FakeTelegram, inbox: Inbox) -> Line:
    return Line(
        name=name,
        channel=channel,
        messenger=telegram,
        inbox=inbox,
        sending="sendMessage",
        limit=4096,
        busy=timedelta(seconds=3),
    )


@asynccontextmanager
async def _served(channel: TelegramChannel | ViberChannel, inbox: Inbox) -> AsyncIterator[str]:
    app = FastAPI()
    if isinstance(channel, ViberChannel):
        app.include_router(channel.router(inbox.accept, saw=inbox.saw))
    else:
        app.include_router(channel.router(inbox.accept))
    async with serving(app) as url:
        yield url
