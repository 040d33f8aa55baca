"""Every page of the console, by day and by night, on a desk and a tablet, for each role: readable for all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from babel.messages.catalog import Catalog
from playwright.async_api import Browser, Page

from referral.catalogue import updated, written
from referral.config import Settings
from referral.console.pages import STATIC_FOLDER
from referral.operators.rules import Role
from tests.referral.browser import chromium
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import BotClient, OperatorClient, Service, running
from tests.referral.pages import (
    MOST_BYTES,
    OVERFLOW,
    SMALL,
    TABLET,
    WIDE,
    Weight,
    addresses,
    come_in,
    problems,
    spelled,
)
from tests.referral.serving import SERVICE_SECRET

pytestmark = pytest.mark.slow

#: More open cases than a desk of fifty has in a bad night, and a talk of some hours.
FULL = 200
LONG_TALK = 100


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@asynccontextmanager
async def _page(
    browser: Browser, service: Service, operator: OperatorClient, *, language: str = "en"
) -> AsyncIterator[Page]:
    context = await come_in(browser, service.url, operator.http.cookies, language=language)
    page = await context.new_page()
    page.set_default_timeout(30_000)
    yield page
    await context.close()


async def _open(page: Page, address: str) -> bool:
    """True when there is a page for this role behind the address."""
    answer = await page.goto(address, wait_until="load")
    assert answer is not None
    return "text/html" in answer.headers["content-type"] and page.url.endswith(address)


async def _filled(bot: BotClient, operator: OperatorClient) -> tuple[UUID, UUID]:
    """A desk with all that can happen: the number of a case in talk, and of a closed one."""
    for danger in ("none", "concern", "urgent", "emergency"):
        await bot.open(danger=danger, conversation=str(uuid4()))
    closed = await operator.take_next()
    assert closed
    await operator.write(closed, "I am here.")
    await operator.close(closed)
    held = await operator.take_next()
    assert held
    await bot.say(held, "ما زال يحدث, хочу исчезнуть", danger="emergency")
    await operator.write(held, "Я здесь.")
    await operator.send(f"/cases/{held}/notes", {"entry": str(uuid4()), "words": "called the mother"})
    return held, closed


@pytest.mark.parametrize("role", list(Role))
async def test_no_page_shuts_anybody_out(service: Service, browser: Browser, role: Role) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        held, closed = await _filled(bot, nina)
        async with service.as_operator("olga", role=role) as olga:
            if role is Role.OPERATOR:
                held = await olga.take_next() or held
            somebody = nina if role is Role.SUPERVISOR else olga
            found: dict[str, list[str]] = {}
            async with _page(browser, service, somebody) as page:
                for address in addresses(service.app, case=held, closed=closed):
                    if address.endswith((".csv", ".xlsx", ".pdf", "/stream")):
                        continue
                    if not await _open(page, f"{service.url}{address}"):
                        continue
                    found[address] = await _looked_at(page)

    assert len(found) > 2
    assert {address: wrong for address, wrong in found.items() if wrong} == {}


async def _looked_at(page: Page) -> list[str]:
    wrong = []
    for scheme, size in (("light", WIDE), ("dark", SMALL), ("light", TABLET)):
        await page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce"
        )
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        wrong += [f"{scheme} {size[0]}: {problem}" for problem in await problems(page)]
    return wrong


@pytest.mark.parametrize("language", ["ru", "be", "bn"])
async def test_no_page_is_too_narrow_for_its_language(
    service: Service, browser: Browser, language: str
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        held, closed = await _filled(bot, nina)
        async with _page(browser, service, nina, language=language) as page:
            found = await _widths(page, service, case=held, closed=closed)
            await page.goto(f"{service.url}/")
            tag = await page.locator("html").get_attribute("lang")

    assert tag == language
    assert found == {}


async def test_the_console_can_be_read_from_right_to_left(
    service: Service, browser: Browser, database: str, clock: Time, tmp_path: Path
) -> None:
    _write_pseudo_language(tmp_path)
    settings = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        bot_url=service.settings.bot_url,
    )
    async with (
        running(settings, clock=clock, locales=tmp_path) as mirrored,
        mirrored.as_bot() as bot,
        mirrored.as_operator("nina", role=Role.SUPERVISOR) as nina,
    ):
        held, closed = await _filled(bot, nina)
        async with _page(browser, mirrored, nina, language="he") as page:
            found = await _widths(page, mirrored, case=held, closed=closed)
            await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
            await page.goto(f"{mirrored.url}/cases/{held}")
            direction = await page.evaluate("getComputedStyle(document.body).direction")
            side = await page.locator(".side").bounding_box()
            thread = await page.locator(".thread-box").bounding_box()
            wrong = await problems(page)

    assert direction == "rtl"
    assert found == {}
    assert wrong == []
    assert side
    assert thread
    assert side["x"] < thread["x"]


async def test_no_page_is_heavy_even_with_a_full_queue(service: Service, browser: Browser) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        held, closed = await _filled(bot, nina)
        for _ in range(FULL):
            await bot.open(conversation=str(uuid4()), danger="concern")
        for number in range(LONG_TALK):
            await bot.say(held, f"{number}: {'слово ' * 12}")
        heavy = {}
        for address in addresses(service.app, case=held, closed=closed):
            if not address.endswith((".csv", ".xlsx", ".pdf", "/stream")):
                async with _page(browser, service, nina) as page:
                    weight = Weight()
                    weight.watch(page)
                    await page.goto(f"{service.url}{address}", wait_until="load")
                    heavy[address] = await weight.taken()

    assert {address: taken for address, taken in heavy.items() if taken > MOST_BYTES} == {}


def test_styles_know_beginning_and_end_but_not_left_and_right() -> None:
    physical = re.compile(
        r"(margin|padding|border|text-align:|float:|inset)[\w-]*[ -](left|right)|^\s*(left|right):"
    )
    found = [
        f"{path.name}: {line}"
        for path in STATIC_FOLDER.glob("*.css")
        for line in path.read_text().splitlines()
        if physical.search(line)
    ]

    assert found == []


async def _widths(page: Page, service: Service, *, case: UUID, closed: UUID) -> dict[str, str]:
    found = {}
    for address in addresses(service.app, case=case, closed=closed):
        if address.endswith((".csv", ".xlsx", ".pdf", "/stream")):
            continue
        if not await _open(page, f"{service.url}{address}"):
            continue
        for width, height in (SMALL, TABLET):
            await page.set_viewport_size({"width": width, "height": height})
            if wide := await page.evaluate(OVERFLOW):
                found[f"{address} {width}"] = wide
    return found


def _write_pseudo_language(folder: Path) -> None:
    """A language from right to left in which every sentence is there, and longer than in English."""
    catalogue = updated(Catalog(locale="he"))
    for message in catalogue:
        if not message.id:
            continue
        if isinstance(message.id, tuple):
            message.string = tuple(spelled(message.id[-1]) for _ in range(catalogue.num_plurals))
        else:
            message.string = spelled(str(message.id))
    (folder / "he.po").write_bytes(written(catalogue))
