"""What the tests of the desk share: databases, the running service, a bot that listens, operators."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from referral.config import Settings
from referral.database import Sessions, migrate, open_engine, sessions_of
from referral.privacy import Privacy
from tests.databases import Template, template_database
from tests.referral.desk import Service, running
from tests.referral.serving import SERVICE_SECRET, FakeBot, serving

SECRET_KEY = "QSB0ZXN0IGtleSBvZiBhdCBsZWFzdCAzMiBieXRlcyEh"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template() -> AsyncIterator[Template]:
    async with template_database("referral", migrate=migrate) as made:
        yield made


@pytest.fixture
async def database(template: Template) -> AsyncIterator[str]:
    async with template.copy() as url:
        yield url


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    made = open_engine(database)
    yield made
    await made.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    return sessions_of(engine)


@pytest.fixture
def privacy() -> Privacy:
    return Privacy(SECRET_KEY)


class Time:
    """A clock that tests can put forward."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def forward(self, span: timedelta) -> None:
        self._ahead += span


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def bot(clock: Time) -> FakeBot:
    return FakeBot(clock=clock)


@asynccontextmanager
async def _service(database: str, *, bot_url: str, clock: Time) -> AsyncIterator[Service]:
    settings = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        bot_url=bot_url,
    )
    async with running(settings, clock=clock) as service:
        yield service


@pytest.fixture
async def service(database: str, bot: FakeBot, clock: Time) -> AsyncIterator[Service]:
    async with serving(bot.app()) as bot_url, _service(database, bot_url=bot_url, clock=clock) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PORCHLIGHT_")]:
        if name != "PORCHLIGHT_TEST_DATABASE_URL":
            monkeypatch.delenv(name)
