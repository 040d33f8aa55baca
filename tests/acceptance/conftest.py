"""The whole product, running, for every test in this folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio

from bot.migrate import migrate as migrate_bot
from referral.database import migrate as migrate_referral
from referral.operators.rules import Role
from tests.acceptance.collector import Collector, running_collector, sending_traces_to
from tests.acceptance.product import Product, product
from tests.databases import template_database, url_of
from tests.fakes.telegram import FakeTelegram
from tests.fakes.viber import FakeViber
from tests.nlu_server import running_nlu
from tests.referral.desk import PASSWORD, OperatorClient


@pytest.fixture(scope="session")
def nlu() -> Iterator[str]:
    """The real model behind the real Rasa."""
    with running_nlu() as url:
        yield url


@pytest.fixture(scope="session")
def telegram() -> Iterator[FakeTelegram]:
    """A server that behaves as Telegram's."""
    with FakeTelegram() as fake:
        yield fake


@pytest.fixture(scope="session")
def viber() -> Iterator[FakeViber]:
    """A server that behaves as Viber's."""
    with FakeViber() as fake:
        yield fake


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """A server to which traces are sent."""
    with running_collector() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def porchlight(
    nlu: str,
    telegram: FakeTelegram,
    viber: FakeViber,
    collector: Collector,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Product]:
    """The product with all its channels."""
    settings = {
        "PORCHLIGHT_TELEGRAM_TOKEN": telegram.token,
        "PORCHLIGHT_TELEGRAM_API_URL": telegram.url,
        "PORCHLIGHT_VIBER_TOKEN": viber.token,
        "PORCHLIGHT_VIBER_API_URL": viber.url,
        **sending_traces_to(collector),
    }
    async with (
        template_database("acceptance_bot", migrate=migrate_bot) as bot,
        template_database("acceptance_referral", migrate=migrate_referral) as referral,
    ):
        with product(
            bot_database=url_of(bot.name, server=bot.server),
            referral_database=url_of(referral.name, server=referral.server),
            nlu=nlu,
            logs=tmp_path_factory.mktemp("logs"),
            settings=settings,
        ) as running:
            yield running


@asynccontextmanager
async def operator_of(
    porchlight: Product, name: str, *, role: Role = Role.OPERATOR
) -> AsyncIterator[OperatorClient]:
    """A new operator, invited by the command and signed in at the console."""
    invitation = await asyncio.to_thread(invite, porchlight, name, role=role)
    headers = {"accept": "text/html", "origin": porchlight.referral}
    async with httpx.AsyncClient(base_url=porchlight.referral, headers=headers) as http:
        operator = OperatorClient(http)
        fields = {"password": PASSWORD, "again": PASSWORD}
        answer = await operator.send(httpx.URL(invitation).path, fields, token=False)
        assert answer.status_code == 303, answer.text
        yield operator


def invite(porchlight: Product, name: str, *, role: Role = Role.OPERATOR) -> str:
    """The one-time address that ``operator add`` prints."""
    printed = porchlight.run("referral", "operator", "add", name, "--role", role)
    return next(word for word in printed.split() if word.startswith("http"))
