"""A migrated database of the bot for each test, and the bot's secrets."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.migrate import migrate
from bot.privacy import Privacy
from bot.store import Store, open_engine
from tests.databases import Template, template_database

SECRET = base64.b64encode(b"the bot's tests use this secret!").decode()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def bot_template() -> AsyncIterator[Template]:
    """A migrated database to copy."""
    async with template_database("bot", migrate=migrate) as template:
        yield template


@pytest.fixture
async def database_url(bot_template: Template) -> AsyncIterator[str]:
    """A database of its own for this test."""
    async with bot_template.copy() as url:
        yield url


@pytest.fixture
def privacy() -> Privacy:
    """The tests' keys."""
    return Privacy(SECRET)


@pytest.fixture
async def store(database_url: str, privacy: Privacy) -> AsyncIterator[Store]:
    """The store on this test's database."""
    engine = open_engine(database_url)
    yield Store(engine, privacy=privacy)
    await engine.dispose()
