"""Every page of the console, by day and by night, on a desk and a tablet, for each role: readable for all."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from babel.messages.catalog import Catalog
from playwright.async_api import Browser, Page, expect
from sqlalchemy import func, select

from referral.audit.rules import Act
from referral.audit.tables import AuditRow
from referral.cases.rules import EntryKind
from referral.cases.sealed import seal_words
from referral.cases.tables import Message
from referral.catalogue import updated, written
from referral.config import Settings
from referral.console.pages import STATIC_FOLDER
from referral.console.views import MOST_ENTRIES
from referral.database import Sessions, transaction
from referral.operators.rules import Role
from referral.privacy import Privacy
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
#: Entries of a talk that goes on for weeks.
THOUSAND = 1000
#: Pixels; a bar of two lines of 44 with their gap is higher.
ONE_LINE = 88


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
        # The menu covers what stands below it; it is looked at where nothing does.
        await page.evaluate("for (const it of document.querySelectorAll('main details')) it.open = true")
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
            rows = await _rows_of_the_bar(page)

    assert rows == {}
    assert tag == language
    assert found == {}


async def test_the_bar_is_one_line_and_its_menu_works_by_keyboard(service: Service, browser: Browser) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await bot.open(danger="emergency")
        async with _page(browser, service, nina) as page:
            await page.goto(f"{service.url}/")
            rows = await _rows_of_the_bar(page)
            button = page.locator("[data-menu] summary")
            settings = page.get_by_role("link", name="Settings")
            await button.focus()
            await page.keyboard.press("Enter")
            await expect(settings).to_be_visible()
            wrong = await problems(page)
            await page.keyboard.press("Tab")
            await page.keyboard.press("Escape")
            await expect(settings).to_be_hidden()
            await expect(button).to_be_focused()
            await button.click()
            await page.locator("h1").click()
            await expect(settings).to_be_hidden()

    assert rows == {}
    assert wrong == []


async def test_the_menu_works_without_a_script(service: Service, browser: Browser) -> None:
    async with service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        context = await browser.new_context(java_script_enabled=False)
        await context.add_cookies(
            [{"name": name, "value": value, "url": service.url} for name, value in nina.http.cookies.items()]
        )
        page = await context.new_page()
        await page.goto(f"{service.url}/")
        await page.locator("[data-menu] summary").click()
        await page.get_by_role("link", name="Settings").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
        await context.close()


async def _rows_of_the_bar(page: Page) -> dict[int, float]:
    """Where the bar is higher than one line, by the width of the page."""
    high = {}
    for width, height in (WIDE, SMALL, TABLET):
        await page.set_viewport_size({"width": width, "height": height})
        box = await page.locator(".bar").bounding_box()
        assert box
        if box["height"] >= ONE_LINE:
            high[width] = box["height"]
    return high


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
            rows = await _rows_of_the_bar(page)

    assert rows == {}
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


async def test_a_talk_of_a_thousand_entries_is_light_and_its_beginning_is_a_press_away(
    service: Service, browser: Browser, sessions: Sessions, privacy: Privacy
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        case = await bot.open()
        await nina.take_next()
        await _said_long_ago(case, sessions, privacy)
        async with _page(browser, service, nina) as page:
            weight = Weight()
            weight.watch(page)
            await page.goto(f"{service.url}/cases/{case}", wait_until="load")
            taken = await weight.taken()
            entries = page.locator("#thread .entry")
            first = page.get_by_text("long ago 0:", exact=False)
            await expect(page.get_by_text(f"long ago {THOUSAND - 1}:", exact=False)).to_be_visible()
            await expect(first).to_have_count(0)
            read = page.get_by_text(f"long ago {THOUSAND - MOST_ENTRIES}:", exact=False)
            await read.scroll_into_view_if_needed()
            before = await read.bounding_box()
            await page.get_by_role("link", name="Earlier in this talk").evaluate("link => link.click()")
            await expect(entries).to_have_count(2 * MOST_ENTRIES)
            after = await read.bounding_box()
            wrong = await problems(page)

    assert taken <= MOST_BYTES
    assert wrong == []
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 60


async def test_every_earlier_part_of_a_long_talk_is_read_without_a_script_and_written_down(
    service: Service, sessions: Sessions, privacy: Privacy
) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
    ):
        case = await bot.open()
        await nina.take_next()
        await _said_long_ago(case, sessions, privacy)
        address: str | None = f"/cases/{case}"
        read: list[str] = []
        parts, heaviest = 0, 0
        earlier = ""
        while address:
            shown = await nina.see(address)
            read = re.findall(r"long ago (\d+):", shown) + read
            parts, heaviest = parts + 1, max(heaviest, len(shown.encode()))
            link = re.search(r'data-earlier><a href="([^"]+)"', shown)
            address, earlier = (link[1], link[1]) if link else (None, earlier)
        elsewhere = await oleg.http.get(earlier)
    async with transaction(sessions) as session:
        seen = await session.scalar(
            select(func.count()).select_from(AuditRow).where(AuditRow.act == Act.CASE_SEEN)
        )

    assert read == [str(number) for number in range(THOUSAND)]
    assert heaviest <= MOST_BYTES
    assert seen == parts
    assert elsewhere.status_code == 404
    assert "To the newest messages" in shown


async def _said_long_ago(case: UUID, sessions: Sessions, privacy: Privacy) -> None:
    async with transaction(sessions) as session:
        for number in range(THOUSAND):
            entry = uuid4()
            words = f"long ago {number}: {'слово ' * 12}"
            session.add(
                Message(
                    number=entry,
                    case_id=case,
                    kind=EntryKind.VISITOR,
                    text=seal_words(privacy, words, case=case, entry=entry),
                    danger="none",
                    sent_at=datetime.now(UTC),
                )
            )
            await session.flush()


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
