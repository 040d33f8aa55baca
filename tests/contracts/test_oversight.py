"""The desk's real client and the real bot mean the same by how the flows are used and how the bot does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.app import create_app
from bot.config import Settings as BotSettings
from bot.privacy import Privacy
from bot.store import Store, open_engine
from referral.clock import utc_now
from referral.errors import BotMisunderstood, BotUnreachable
from referral.oversight.client import OversightClient
from referral.signature import Signature
from tests.bot.conftest import SECRET
from tests.bot.test_worker import WebVisitor, execute, working
from tests.contracts.tryout import NOWHERE
from tests.fakes.rasa import FakeRasa
from tests.referral.serving import SERVICE_SECRET, serving


@asynccontextmanager
async def _bot(database_url: str, *, nlu_url: str = NOWHERE) -> AsyncIterator[str]:
    settings = BotSettings(
        database_url=database_url,
        secret_key=SECRET,
        service_secret=SERVICE_SECRET,
        nlu_url=nlu_url,
        referral_url=NOWHERE,
    )
    async with serving(create_app(settings)) as url:
        yield url


@asynccontextmanager
async def _client(bot_url: str, *, secret: str = SERVICE_SECRET) -> AsyncIterator[OversightClient]:
    client = OversightClient(bot_url, signature=Signature(secret), clock=utc_now)
    yield client
    await client.close()


@pytest.fixture
async def visitor(database_url: str) -> AsyncIterator[WebVisitor]:
    engine, privacy = open_engine(database_url), Privacy(SECRET)
    yield WebVisitor(Store(engine, privacy=privacy), privacy)
    await engine.dispose()


async def test_what_a_worker_counted_reaches_the_desk_with_the_questions_words(
    visitor: WebVisitor, database_url: str
) -> None:
    month = f"{utc_now():%Y-%m}"
    async with working(database_url):
        await visitor.does("started")
        await visitor.hears()
        await visitor.does("choice", text="m")
        await visitor.hears()

    async with _bot(database_url) as url, _client(url) as client:
        usage = await client.usage(first=month, last=month)
        earlier = await client.usage(first="2020-01", last="2020-02")

    found = {(item.what, item.flow, item.locale): item.number for item in usage.sums}
    assert found["begun", "welcome", "en"] == 1
    assert found["begun", "menu", "en"] == 1
    assert {(item.flow, item.node) for item in usage.sums if item.node} == {
        (question.flow, question.node) for question in usage.questions
    }
    assert all(len(question.text) > 5 for question in usage.questions)
    assert not any("{" in question.text for question in usage.questions)
    assert earlier.sums == []


async def test_the_bot_tells_how_it_is_doing(visitor: WebVisitor, database_url: str) -> None:
    await visitor.writes("nobody is there to answer this")
    await execute(database_url, "UPDATE inbox SET attempts = 3, parked = 'ValueError'")
    await visitor.writes("nor this")

    rasa = FakeRasa({}, model="nlu-0123456789ab.tar.gz")
    async with (
        serving(rasa.app()) as nlu_url,
        _bot(database_url, nlu_url=f"{nlu_url},{NOWHERE}") as url,
        _client(url) as client,
    ):
        condition = await client.condition()

    assert (condition.waiting.messages, condition.waiting.parked) == (1, 1)
    assert [(server.answers, server.model) for server in condition.models] == [
        (True, "nlu-0123456789ab"),
        (False, ""),
    ]
    assert condition.channels == ["web"]
    assert len(condition.content) == 12
    assert condition.retention_days == 30
    assert set(condition.locales) == {"en", "ru", "be", "bn"}


async def test_the_bot_tells_it_only_to_whoever_has_the_secret(database_url: str) -> None:
    another = "whsec_" + "YW5vdGhlciBzZWNyZXQgdGhhbiB0aGUgc2hhcmVkIG9uZQ=="
    async with _bot(database_url) as url, _client(url, secret=another) as stranger, _client(url) as client:
        with pytest.raises(BotMisunderstood):
            await stranger.condition()
        with pytest.raises(BotMisunderstood):
            await stranger.usage(first="2026-01", last="2026-01")
        with pytest.raises(BotUnreachable):
            await client.usage(first="2026-13", last="soon")


async def test_a_bot_that_is_not_there_is_said_to_be_out_of_reach() -> None:
    async with _client(NOWHERE) as client:
        with pytest.raises(BotUnreachable):
            await client.condition()
