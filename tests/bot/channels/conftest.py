"""The messengers, each with our channel on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest

from bot.channels.telegram import TelegramChannel
from bot.channels.viber import ViberChannel
from tests.bot.channels.line import Line, polling_telegram, viber, webhook_telegram
from tests.fakes.telegram import FakeTelegram
from tests.fakes.viber import FakeViber

_LINES = {"telegram-polling": polling_telegram, "telegram-webhook": webhook_telegram, "viber": viber}


@pytest.fixture(params=_LINES)
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    """Each messenger in turn."""
    async with _LINES[request.param]() as opened:
        yield opened


@pytest.fixture(params=["telegram-webhook", "viber"])
async def webhook_line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    """Each messenger that posts to a webhook."""
    async with _LINES[request.param]() as opened:
        yield opened


@pytest.fixture
async def telegram_line() -> AsyncIterator[Line]:
    """Telegram, polled."""
    async with polling_telegram() as opened:
        yield opened


@pytest.fixture
async def viber_line() -> AsyncIterator[Line]:
    """Viber."""
    async with viber() as opened:
        yield opened


@pytest.fixture
def telegram(telegram_line: Line) -> FakeTelegram:
    """The Bot API behind ``telegram_line``."""
    return cast("FakeTelegram", telegram_line.messenger)


@pytest.fixture
def telegram_channel(telegram_line: Line) -> TelegramChannel:
    """Our side of ``telegram_line``."""
    return cast("TelegramChannel", telegram_line.channel)


@pytest.fixture
def fake_viber(viber_line: Line) -> FakeViber:
    """The REST API behind ``viber_line``."""
    return cast("FakeViber", viber_line.messenger)


@pytest.fixture
def viber_channel(viber_line: Line) -> ViberChannel:
    """Our side of ``viber_line``."""
    return cast("ViberChannel", viber_line.channel)
