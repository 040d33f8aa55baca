"""A document travels the whole way: flow, outbox, press, phone; over every channel, and through a crash."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pypdfium2  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from bot.migrate import migrate as migrate_bot
from referral.database import migrate as migrate_referral
from tests.acceptance.product import Product, product
from tests.acceptance.test_outages import NOWHERE
from tests.acceptance.visitor import Visitor, web_visitor
from tests.databases import template_database, url_of
from tests.fakes.messenger import FakeVisitor, Hangs, Seen
from tests.fakes.telegram import PNG, FakeTelegram
from tests.fakes.viber import FakeViber
from tests.flows.worlds import REAL, copy_small

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What the visitor calls themselves; no word of the content.
NICKNAME = "Zyxwvut *Fox*"

#: A worker that was killed is started and takes over what the dead one held; a busy machine needs a while.
WITHIN_SECONDS = 120.0

CHANNELS = ["web", "telegram", "viber"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A product whose small content hands out a plan, and the messengers around it."""

    product: Product
    database: str
    telegram: FakeTelegram
    viber: FakeViber


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' small content; its plan is given as a picture, too."""
    root = copy_small(tmp_path_factory.mktemp("content"))
    shutil.copytree(REAL / "lexicons", root / "lexicons")
    plan = root / "documents" / "plan.yaml"
    plan.write_text(plan.read_text().replace("formats: [pdf]", "formats: [pdf, png]"))
    return root


@pytest.fixture(scope="module")
def messengers() -> Iterator[tuple[FakeTelegram, FakeViber]]:
    """Telegram and Viber."""
    with FakeTelegram() as telegram, FakeViber() as viber:
        yield telegram, viber


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    content: Path, messengers: tuple[FakeTelegram, FakeViber], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The product with all its channels, and no model."""
    telegram, viber = messengers
    settings = {
        "PORCHLIGHT_CONTENT_DIR": str(content),
        "PORCHLIGHT_TELEGRAM_TOKEN": telegram.token,
        "PORCHLIGHT_TELEGRAM_API_URL": telegram.url,
        "PORCHLIGHT_VIBER_TOKEN": viber.token,
        "PORCHLIGHT_VIBER_API_URL": viber.url,
    }
    async with (
        template_database("documents_bot", migrate=migrate_bot) as bot,
        template_database("documents_referral", migrate=migrate_referral) as referral,
    ):
        database = url_of(bot.name, server=bot.server)
        with product(
            bot_database=database,
            referral_database=url_of(referral.name, server=referral.server),
            nlu=NOWHERE,
            logs=tmp_path_factory.mktemp("logs"),
            settings=settings,
        ) as running:
            yield World(product=running, database=database, telegram=telegram, viber=viber)


class OnTheWeb:
    """A child on the web chat."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    async def writes(self, text: str) -> None:
        await self._visitor.writes(text)

    async def presses(self, title: str) -> None:
        await self._visitor.presses(title)

    async def sees(self, words: str) -> None:
        while words not in (await self._visitor.hears())["text"]:
            pass

    async def gets(self) -> tuple[str, bytes]:
        """The next message or document: what it says or is called, and what it is."""
        message = await self._visitor.hears()
        if not (document := message.get("document")):
            return message["text"], b""
        answer = await self._visitor.http.get(document["address"])
        assert answer.status_code == 200, answer.text
        return document["name"], answer.content


class OnAMessenger:
    """A child on Telegram or Viber."""

    def __init__(self, visitor: FakeVisitor) -> None:
        self._visitor: Any = visitor

    async def writes(self, text: str) -> None:
        self._visitor.writes(text)

    async def presses(self, title: str) -> None:
        self._visitor.presses(title)

    async def sees(self, words: str) -> Seen:
        seen: Seen = await self._visitor.sees(containing=words)
        return seen

    async def gets(self) -> tuple[str, bytes]:
        """The same, fetched by the phone where it must be."""
        seen = await self._visitor.sees(within=WITHIN_SECONDS)
        file = seen.file
        if file is None:
            return seen.text, b""
        if not file.address:
            return file.name, file.content
        async with httpx.AsyncClient() as http:
            answer = await http.get(file.address)
        assert answer.status_code == 200, answer.text
        return file.name, answer.content


Child = OnTheWeb | OnAMessenger


@asynccontextmanager
async def child_on(channel: str, world: World) -> AsyncIterator[Child]:
    """A child who has just made a plan up to its last question."""
    if channel == "web":
        async with web_visitor(world.product.bot, locale="en", country="BY") as visitor:
            yield await planning(OnTheWeb(visitor))
        return
    messenger: FakeTelegram | FakeViber = world.telegram if channel == "telegram" else world.viber
    yield await planning(OnAMessenger(messenger.visitor(language="en")))


async def planning(child: Child) -> Child:
    await child.writes("menu")
    await child.sees("What is it about?")
    await child.presses("My plan")
    await child.sees("What helps you?")
    await child.writes(NICKNAME)
    await child.sees("Whom can you ask?")
    return child


async def everything(child: Child) -> dict[str, bytes]:
    """The two documents and the last words, in whatever order they come."""
    got: dict[str, bytes] = {}
    while sum(content != b"" for content in got.values()) < 2 or "It is yours." not in got:
        name, content = await child.gets()
        got[name] = content
    return got


def words_of(pdf: bytes) -> str:
    """Everything that stands in a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_document_reaches_the_child_with_their_own_words(channel: str, world: World) -> None:
    async with child_on(channel, world) as child:
        await child.presses("Mum")

        got = await everything(child)

    assert NICKNAME in words_of(got["plan.pdf"])
    assert "My mum helps me." in words_of(got["plan.pdf"])
    assert any(content.startswith(PNG) for content in got.values())
    assert "Zyxwvut" not in world.product.logged()


async def test_a_document_survives_a_crash_between_the_press_and_the_phone(world: World) -> None:
    world.telegram.fail(Hangs(), method="sendDocument")
    before = len(world.telegram.calls("sendDocument"))
    async with child_on("telegram", world) as child:
        await child.presses("Mum")
        await world.telegram.called("sendDocument", times=before + 1)

        world.product.processes["worker"].kill()
        world.product.stop("worker")
        world.product.start_worker()

        got = await everything(child)

    assert NICKNAME in words_of(got["plan.pdf"])
    assert len(world.telegram.calls("sendDocument")) == before + 2


async def test_a_link_opens_nothing_else_and_ends(world: World) -> None:
    async with web_visitor(world.product.bot, locale="en", country="BY") as visitor:
        child = await planning(OnTheWeb(visitor))
        await child.presses("Mum")
        while not (document := (await visitor.hears()).get("document")):
            pass
    link = f"{world.product.bot}{document['address']}"
    async with httpx.AsyncClient() as http:
        found = await http.get(link)
        head = await http.head(link)
        strangers = [
            await http.get(url, headers={"accept-language": "ru"})
            for url in (
                link.replace(".pdf", ".png"),
                link.replace(".pdf", ".exe"),
                link[:-8] + "aaaa.pdf",
                f"{world.product.bot}/documents/x",
                f"{world.product.bot}/documents/../documents/%00",
            )
        ]
        async with await psycopg.AsyncConnection.connect(world.database, autocommit=True) as connection:
            await connection.execute("UPDATE outbox SET created_at = now() - interval '7 days'")
        ended = await http.get(link)

    assert found.headers["content-type"] == "application/pdf"
    assert found.headers["content-disposition"] == 'attachment; filename="plan.pdf"'
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "no-store"
    assert found.headers["referrer-policy"] == "no-referrer"
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    assert (head.status_code, head.content) == (200, b"")
    assert {answer.status_code for answer in strangers} == {404}
    assert strangers[0].text.startswith("По этой ссылке больше ничего нет.")
    assert {answer.headers["x-content-type-options"] for answer in strangers} == {"nosniff"}
    assert ended.status_code == 404
    assert ended.text.startswith("There is no document behind this link any more.")


async def test_a_document_is_gone_when_the_child_asks_to_be_forgotten(world: World) -> None:
    async with web_visitor(world.product.bot, locale="en", country="BY") as visitor:
        child = await planning(OnTheWeb(visitor))
        await child.presses("Mum")
        while not (document := (await visitor.hears()).get("document")):
            pass
        await child.sees("It is yours.")
        assert (await visitor.http.get(document["address"])).status_code == 200

        sent = await visitor.http.post(
            "/chat/v1/messages", json={"id": "forget", "payload": "i:delete_my_data"}
        )
        assert sent.status_code == 202
        await child.sees("erase everything?")
        await child.presses("Yes")
        await child.sees("Everything is erased.")

        assert (await visitor.http.get(document["address"])).status_code == 404


async def test_a_flood_of_requests_is_held_up_and_the_chat_is_not(world: World) -> None:
    async with web_visitor(world.product.bot, locale="en", country="BY") as visitor:
        child = await planning(OnTheWeb(visitor))
        await child.presses("Mum")
        while not (document := (await visitor.hears()).get("document")):
            pass
        await child.sees("It is yours.")

        statuses = [(await visitor.http.get(document["address"])).status_code for _ in range(22)]
        await child.writes("i want to die")
        await child.sees("8-801-100-16-11")

    assert statuses.index(429) == 20
    assert set(statuses) == {200, 429}
