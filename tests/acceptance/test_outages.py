"""What a child in danger reads when parts of the product are down: the number, always."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.launch.postgres import EmbeddedPostgres
from bot.migrate import migrate as migrate_bot
from referral.database import migrate as migrate_referral
from tests.acceptance.conftest import operator_of
from tests.acceptance.product import Product, product
from tests.acceptance.visitor import web_visitor
from tests.fakes.telegram import FakeTelegram
from tests.referral.desk import eventually

#: Nobody listens on the discard port of the loopback address.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragile:
    """A product whose parts a test may stop; the model is never there."""

    product: Product
    database: EmbeddedPostgres
    telegram: FakeTelegram


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[Fragile]:
    """A product with a database server of its own."""
    with FakeTelegram() as telegram, own_server() as server:
        migrate_bot(server.url("bot"))
        migrate_referral(server.url("referral"))
        with product(
            bot_database=server.url("bot"),
            referral_database=server.url("referral"),
            nlu=NOWHERE,
            logs=tmp_path,
            settings={
                "PORCHLIGHT_TELEGRAM_TOKEN": telegram.token,
                "PORCHLIGHT_TELEGRAM_API_URL": telegram.url,
            },
        ) as running:
            yield Fragile(product=running, database=server, telegram=telegram)


@contextmanager
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, which it may stop, or fill with connections."""
    folder = Path(tempfile.mkdtemp(prefix="porchlight-test-"))
    folder.chmod(0o711)  # As root the server runs as another account, which must get to its own folder.
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


async def test_without_the_model_danger_is_heard(fragile: Fragile) -> None:
    async with web_visitor(fragile.product.bot, locale="en") as child:
        await child.hears_until_quiet()
        await child.writes("i want to die")

        assert "1098" in (await child.hears())["text"]


async def test_without_the_helplines_desk_nothing_is_lost(fragile: Fragile) -> None:
    # Given that the desk is down when a child asks for a person
    fragile.product.stop("referral")
    async with web_visitor(fragile.product.bot, locale="en") as child:
        await child.hears_until_quiet()
        await child.writes("i want to die")
        assert "1098" in (await child.hears())["text"]
        await child.presses("Connect me to a person")

        # Then the child is told honestly, with the number
        while "can't reach the people" not in (message := await child.hears())["text"]:
            pass
        assert "1098" in message["text"]

        # And the case is there once the desk is back
        fragile.product.start_referral()
        async with operator_of(fragile.product, "anna") as operator:
            case = await eventually(operator.take_next, lambda case: case is not None, within=60)
            assert case is not None
            assert "i want to die" in await operator.see(f"/cases/{case}")


async def test_without_the_database_the_number_comes_at_once_and_the_message_again(fragile: Fragile) -> None:
    child = fragile.telegram.visitor(language="ru")
    child.starts()
    await child.sees_until_quiet()
    async with web_visitor(fragile.product.bot, locale="be") as other:
        await other.hears_until_quiet()
        fragile.database.stop()

        # On a messenger the number is sent directly.
        child.writes("хочу умереть")
        assert "8-801-100-16-11" in (await child.sees(within=60)).text

        # On the web it is in the refusal, and a page that begins only now gets a number too.
        sent = await other.http.post(
            "/chat/v1/messages", json={"id": "1", "text": "хачу памерці"}, timeout=60
        )
        assert sent.status_code == 503
        assert "8-801-100-16-11" in sent.json()["messages"][0]["text"]
        async with httpx.AsyncClient(base_url=fragile.product.bot, timeout=60) as http:
            begun = await http.post("/chat/v1/conversations", json={"locale": "bn"})
            assert begun.status_code == 503
            assert "1098" in begun.json()["messages"][0]["text"]
            assert (await http.get("/readyz")).status_code == 503
            assert (await http.get("/healthz")).status_code == 200

        # Once the database is back, the message that Telegram kept is answered as usual, once.
        fragile.database.start()
        answer = await child.sees(containing="Хорошо, что ты пишешь", within=60)
        assert "Соединить с человеком" in answer.titles
        await asyncio.sleep(2)
        assert sum("Хорошо, что ты пишешь" in said.text for said in child.said) <= 2
