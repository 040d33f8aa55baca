"""Operator and visitor see of each other whether they write and have read; never what, and not for long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from playwright.async_api import BrowserContext, Page, expect

from referral.operators.rules import Role
from tests.referral.browser import chromium
from tests.referral.desk import BotClient, OperatorClient, Service, eventually
from tests.referral.pages import come_in
from tests.referral.serving import FakeBot

pytestmark = pytest.mark.slow

PATIENCE = 30_000
#: Counts how often the page sounds: the browser's own voice, replaced by a tally.
_LISTENING = """
window.sounded = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.sounded += 1; return start.apply(this, at); };
"""


@pytest.fixture
async def nina(service: Service) -> AsyncIterator[OperatorClient]:
    async with service.as_operator("nina") as operator:
        yield operator


@pytest.fixture
async def context(service: Service, nina: OperatorClient) -> AsyncIterator[BrowserContext]:
    async with chromium() as browser:
        opened = await come_in(browser, service.url, nina.http.cookies)
        opened.set_default_timeout(PATIENCE)
        yield opened
        await opened.close()


async def _in_talk(service: Service, context: BrowserContext, bot: BotClient) -> tuple[Page, UUID]:
    case = await bot.open()
    page = await context.new_page()
    await page.goto(service.url)
    await page.get_by_role("button", name="Take next").click()
    await expect(page.get_by_label("Write to the visitor")).to_be_visible(timeout=PATIENCE)
    return page, case


async def test_the_operator_sees_that_the_visitor_writes_and_has_read(
    service: Service, bot: FakeBot, context: BrowserContext
) -> None:
    async with service.as_bot() as client:
        page, case = await _in_talk(service, context, client)
        await expect(page.locator("#writing")).to_be_hidden()

        await client.post(f"/v1/cases/{case}/presence", {"writes": True})
        await expect(page.locator("#writing")).to_be_visible(timeout=PATIENCE)
        await expect(page.locator("#writing")).to_be_hidden(timeout=PATIENCE)

        await page.get_by_label("Write to the visitor").fill("Я здесь.")
        await page.keyboard.press("Enter")
        await expect(page.locator(".entry-operator")).to_contain_text("Delivered", timeout=PATIENCE)
        await client.post(f"/v1/cases/{case}/presence", {"saw": True})
        await expect(page.locator(".entry-operator")).to_contain_text("Seen", timeout=PATIENCE)


async def test_the_visitor_learns_that_somebody_writes_and_not_what(
    service: Service, bot: FakeBot, context: BrowserContext
) -> None:
    async with service.as_bot() as client:
        page, case = await _in_talk(service, context, client)

        await page.get_by_label("Write to the visitor").press_sequentially("Секретно")
        await bot.until(lambda seen: "case.writing" in seen.kinds, within=30)

    hints = [event for event in bot.events if event["type"] == "case.writing"]
    assert [hint["data"] for hint in hints] == [{"case": str(case)}]


async def test_only_the_holder_can_say_that_somebody_writes(
    service: Service, bot: FakeBot, nina: OperatorClient
) -> None:
    async with service.as_bot() as client, service.as_operator("olga") as olga:
        case = await client.open()
        assert await nina.take_next() == case

        assert (await olga.send(f"/cases/{case}/typing")).status_code == 204
        assert (await nina.send(f"/cases/{case}/typing")).status_code == 204
        await bot.until(lambda seen: "case.writing" in seen.kinds, within=30)

    assert bot.kinds.count("case.writing") == 1


async def test_a_draft_is_there_again_when_the_case_comes_back(
    service: Service, bot: FakeBot, context: BrowserContext
) -> None:
    async with service.as_bot() as client, service.as_operator("boss", role=Role.SUPERVISOR) as boss:
        page, case = await _in_talk(service, context, client)
        await page.get_by_label("Write to the visitor").fill("Я хотела сказать")

        await boss.send(f"/cases/{case}/pick", {"reason": "nina has left the room"})
        await expect(page.get_by_text("What you were writing is kept in this tab")).to_be_visible(
            timeout=PATIENCE
        )
        await boss.send(f"/cases/{case}/release", {"note": ""})
        await page.get_by_role("link", name="Back to the desk").click()
        await page.get_by_role("button", name="Take next").click()

        await expect(page.get_by_label("Write to the visitor")).to_have_value(
            "Я хотела сказать", timeout=PATIENCE
        )


async def test_keys_work_only_while_nobody_writes(
    service: Service, bot: FakeBot, context: BrowserContext
) -> None:
    async with service.as_bot() as client:
        page, _ = await _in_talk(service, context, client)
        words = page.get_by_label("Write to the visitor")
        closing, keys = page.locator("details[data-closing]"), page.locator("#keys")

        await words.press_sequentially("c?wd")
        assert await words.input_value() == "c?wd"
        assert not await closing.evaluate("(details) => details.open")
        await words.press("Escape")
        await page.keyboard.press("Control+c")
        assert not await closing.evaluate("(details) => details.open")
        await page.keyboard.press("c")
        assert await closing.evaluate("(details) => details.open")
        await page.locator("h1").first.click()
        await page.keyboard.press("?")
        await expect(keys).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(keys).to_be_hidden()
        await page.keyboard.press("w")
        await expect(words).to_be_focused()
        await words.press("Escape")
        await page.keyboard.press("d")
        await expect(page.get_by_role("heading", name="Who is waiting")).to_be_visible(timeout=PATIENCE)
        await page.keyboard.press("1")
        await expect(words).to_be_visible(timeout=PATIENCE)


async def test_an_emergency_is_heard_unless_somebody_muted_it_for_good(
    service: Service, bot: FakeBot, context: BrowserContext
) -> None:
    await context.add_init_script(_LISTENING)
    page = await context.new_page()
    await page.goto(service.url)
    async with service.as_bot() as client:
        await page.locator("h1").click()
        await expect(page.locator("#queue")).to_contain_text("0 waiting", timeout=PATIENCE)

        await client.open(danger="emergency")
        heard = await eventually(lambda: _sounded(page), lambda times: times > 0)
        await page.get_by_role("button", name="Sound for emergencies").click()
        await page.reload()
        muted = page.get_by_role("button", name="Sound for emergencies")
        await expect(muted).to_have_attribute("aria-pressed", "false")
        await client.open(danger="emergency", conversation="another")
        await expect(page.locator("#queue")).to_contain_text("2 emergencies", timeout=PATIENCE)

    assert heard == 4
    assert await _sounded(page) == 0
    assert await page.evaluate("Notification.permission") != "granted"


async def _sounded(page: Page) -> int:
    times: int = await page.evaluate("window.sounded")
    return times
