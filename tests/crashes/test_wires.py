"""Does a child in danger read the number, and is nothing lost, whatever is wrong between two parts?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from bot.migrate import migrate as migrate_bot
from referral.database import migrate as migrate_referral
from tests.acceptance.conftest import operator_of
from tests.acceptance.product import Product, product
from tests.acceptance.visitor import Visitor, web_visitor
from tests.crashes.proxy import Fault, Proxy, proxy
from tests.crashes.servers import one_server
from tests.fakes.telegram import FakeTelegram
from tests.nlu_server import running_nlu
from tests.referral.desk import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATABASES = ("bot and database", "referral and database")
SERVICES = ("bot and model", "bot and referral", "referral and bot", "bot and Telegram")
#: A number of the helpline where no country is known.
NUMBER = "1098"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """The product, and the wires between its parts by name."""

    product: Product
    telegram: FakeTelegram
    wires: Mapping[str, Proxy]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wired(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wired]:
    """Every part reaches every other through a wire of its own."""
    async with AsyncExitStack() as stack:
        wires = {name: await stack.enter_async_context(proxy()) for name in (*DATABASES, *SERVICES)}
        ports = {name: wire.port for name, wire in wires.items()}
        server = stack.enter_context(one_server())
        nlu = stack.enter_context(running_nlu())
        telegram = stack.enter_context(FakeTelegram())
        socket = server.server.socket_folder / ".s.PGSQL.5432"
        await asyncio.to_thread(migrate_bot, server.url("bot"))
        await asyncio.to_thread(migrate_referral, server.url("referral"))
        wires["bot and database"].target = wires["referral and database"].target = socket
        wires["bot and model"].target = _port(nlu)
        wires["bot and Telegram"].target = _port(telegram.url)
        settings = {
            "PORCHLIGHT_REFERRAL_URL": f"http://127.0.0.1:{ports['bot and referral']}",
            "PORCHLIGHT_BOT_URL": f"http://127.0.0.1:{ports['referral and bot']}",
            "PORCHLIGHT_TELEGRAM_TOKEN": telegram.token,
            "PORCHLIGHT_TELEGRAM_API_URL": f"http://127.0.0.1:{ports['bot and Telegram']}",
        }
        through = "postgresql://porchlight@127.0.0.1:{}/{}?sslmode=disable&gssencmode=disable"
        starting = product(
            bot_database=through.format(ports["bot and database"], "bot"),
            referral_database=through.format(ports["referral and database"], "referral"),
            nlu=f"http://127.0.0.1:{ports['bot and model']}",
            logs=tmp_path_factory.mktemp("logs"),
            settings=settings,
        )
        running = await asyncio.to_thread(starting.__enter__)
        stack.push_async_callback(asyncio.to_thread, starting.__exit__, None, None, None)
        wires["bot and referral"].target = _port(running.referral)
        wires["referral and bot"].target = _port(running.bot)
        yield Wired(product=running, telegram=telegram, wires=wires)


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


FAULTS = [
    *((name, fault) for name in SERVICES for fault in Fault),
    *((name, Fault.LATENCY) for name in DATABASES),
]


@pytest.mark.parametrize(("wire", "fault"), FAULTS, ids=[f"{wire}: {fault}" for wire, fault in FAULTS])
async def test_danger_is_answered_and_nothing_is_lost(wired: Wired, wire: str, fault: Fault) -> None:
    on_telegram = wired.telegram.visitor(language="en")
    async with (
        operator_of(wired.product, f"operator{uuid4().hex[:8]}") as operator,
        web_visitor(wired.product.bot, locale="en") as on_web,
    ):
        await on_web.hears_until_quiet()

        with wired.wires[wire].spoilt(fault):
            await _reads_the_number(on_web, "i want to die")
            on_telegram.writes("i want to kill myself")
            if wire != "bot and Telegram":
                await on_telegram.sees(containing=NUMBER, within=PATIENCE_SECONDS)
            if wire != "bot and database":
                await _is_answered(on_web, "how do i block somebody on telegram")
            await _sends(on_web, {"payload": "n:handover:offer:yes"})

        if wire == "bot and Telegram":
            await on_telegram.sees(containing=NUMBER, within=PATIENCE_SECONDS)
        await _sends(on_web, {"payload": "i:talk_to_human"})
        await _sends(on_web, {"payload": "n:handover:offer:yes"})
        case = await eventually(operator.take_next, lambda taken: taken is not None, within=PATIENCE_SECONDS)
        assert case is not None
        await _sends(on_web, {"text": "are you there"})
        await eventually(lambda: operator.see(f"/cases/{case}"), lambda page: "are you there" in page)
        await operator.write(case, "I am here.")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "I am here." not in (await on_web.hears())["text"]:
                pass
        await operator.close(case)


async def _reads_the_number(child: Visitor, words: str) -> None:
    """In the answer of the refused request, or among what the bot says."""
    answer = await child.http.post(
        "/chat/v1/messages", json={"id": uuid4().hex, "text": words}, timeout=PATIENCE_SECONDS
    )
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        assert NUMBER in answer.json()["messages"][0]["text"]
        return
    assert answer.status_code == httpx.codes.ACCEPTED
    async with asyncio.timeout(PATIENCE_SECONDS):
        while NUMBER not in (await child.hears())["text"]:
            pass


async def _is_answered(child: Visitor, words: str) -> None:
    """With advice, or honestly with what is broken."""
    await asyncio.sleep(1)  # The answer before may have more than one part.
    before = len(child.said)
    await _sends(child, {"text": words})
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(child.said) == before:
            await child.hears()


async def _sends(child: Visitor, body: Mapping[str, Any]) -> None:
    """Send until it is accepted, as the page does."""
    number = uuid4().hex
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await child.http.post(
                "/chat/v1/messages", json={"id": number, **body}, timeout=PATIENCE_SECONDS
            )
            if answer.status_code == httpx.codes.ACCEPTED:
                return
            await asyncio.sleep(0.2)
