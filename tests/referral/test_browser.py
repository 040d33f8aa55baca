"""An operator's shift in a real browser: a case comes, the talk goes both ways live, notes, code, close."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from referral.operators.rules import Role
from tests.referral.browser import chromium
from tests.referral.desk import PASSWORD, BotClient, Service
from tests.referral.serving import FakeBot

pytestmark = pytest.mark.slow


@pytest.fixture
async def complaints() -> list[str]:
    return []


@pytest.fixture
async def page(service: Service, complaints: list[str]) -> AsyncIterator[Page]:
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        opened = await context.new_page()
        opened.set_default_timeout(30_000)
        opened.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        await context.close()


async def _come_in(page: Page, service: Service, name: str = "nina", *, role: Role = Role.OPERATOR) -> None:
    await page.goto(f"{service.url}/invitation/{await service.invitation(name, role=role)}")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("The same once more").fill(PASSWORD)
    await page.get_by_role("button", name="Set password and sign in").click()
    await expect(page.get_by_role("heading", name="Who is waiting")).to_be_visible()


async def _in_talk(page: Page, bot: BotClient, **changes: str) -> UUID:
    case = await bot.open(**changes)
    await page.get_by_role("button", name="Take next").click()
    await expect(page.get_by_label("Write to the visitor")).to_be_visible()
    return case


async def test_a_whole_shift(service: Service, bot: FakeBot, page: Page, complaints: list[str]) -> None:
    async with service.as_bot() as client:
        await _come_in(page, service)
        await expect(page.locator("#queue")).to_contain_text("0 waiting")

        case = await client.open(danger="emergency", reason="suicidal")
        await expect(page.locator("#queue")).to_contain_text("1 emergency")
        assert "EMERGENCY" in await page.title()
        await page.get_by_role("button", name="Take next").click()
        await expect(page.get_by_role("alert").filter(has_text="Emergency.")).to_be_visible()
        await expect(page.locator("#thread").get_by_text("меня травят в чате")).to_be_visible()
        await expect(page.get_by_text("Оператор увидит то, что вы написали.")).to_be_visible()

        await page.get_by_label("Write to the visitor").fill("Привет, я здесь.")
        await page.keyboard.press("Enter")
        await bot.until(lambda seen: seen.texts == ["Привет, я здесь."])
        await expect(page.locator(".entry-operator")).to_contain_text("Delivered")
        await expect(page.get_by_label("Write to the visitor")).to_have_value("")

        await client.say(case, "спасибо что ответили")
        await expect(page.get_by_text("спасибо что ответили")).to_be_visible()

        await page.get_by_role("textbox", name="Private note").fill("Позвонили маме")
        await page.get_by_role("button", name="Save note").click()
        await expect(page.locator(".entry-note")).to_contain_text("Позвонили маме")

        await page.get_by_text("Close this case").click()
        await page.get_by_label("How it ended").select_option("advice_given")
        await page.get_by_role("button", name="Use this code").click()
        await expect(page.get_by_label("Code for the report")).to_have_value("mental_health.suicide")
        await page.get_by_role("radio", name="Not known").check()
        await page.get_by_role("button", name="Close the case").click()
        await expect(page.get_by_text("You hold no case.")).to_be_visible()
        await bot.until(lambda seen: seen.kinds[-1] == "case.closed")

    assert bot.texts == ["Привет, я здесь."]
    assert complaints == []


async def test_a_draft_outlives_a_reload_and_goes_once_it_is_sent(
    service: Service, bot: FakeBot, page: Page
) -> None:
    async with service.as_bot() as client:
        await _come_in(page, service)
        await _in_talk(page, client)

        await page.get_by_label("Write to the visitor").fill("Недописанн")
        await page.reload()
        await expect(page.get_by_label("Write to the visitor")).to_have_value("Недописанн")
        kept = await page.evaluate("[sessionStorage.length, localStorage.length]")
        await page.get_by_role("button", name="Send").click()
        await bot.until(lambda seen: seen.texts == ["Недописанн"])
        await expect(page.get_by_label("Write to the visitor")).to_have_value("")
        left = await page.evaluate("[sessionStorage.length, localStorage.length]")

    assert kept == [1, 0]
    assert left == [0, 0]


async def test_words_are_kept_and_said_once_when_the_connection_breaks(
    service: Service, bot: FakeBot, page: Page
) -> None:
    async with service.as_bot() as client:
        await _come_in(page, service)
        await _in_talk(page, client)

        await page.context.set_offline(True)
        await page.get_by_label("Write to the visitor").fill("Слышно?")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Not sent: no connection.")).to_be_visible()
        await expect(page.get_by_label("Write to the visitor")).to_have_value("Слышно?")
        await page.context.set_offline(False)
        await page.get_by_role("button", name="Send").click()
        await bot.until(lambda seen: seen.texts == ["Слышно?"])


async def test_a_forgotten_visitor_vanishes_from_the_open_page(service: Service, page: Page) -> None:
    async with service.as_bot() as client:
        await _come_in(page, service)
        case = await _in_talk(page, client)
        await page.get_by_label("Write to the visitor").fill("Расскажите")

        await client.post(f"/v1/cases/{case}/forget")
        await expect(page.get_by_text("This case is no longer with you.")).to_be_visible()

        assert "меня травят" not in await page.content()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_the_console_can_be_worked_with_the_keyboard_alone(service: Service, page: Page) -> None:
    async with service.as_bot() as client:
        await _come_in(page, service)
        await client.open()
        for _ in range(20):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.matches('.take-next')"):
                break
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Write to the visitor")).to_be_visible()

    assert outline == "solid"


@pytest.mark.parametrize("width", [320, 768, 1280])
async def test_no_page_is_wider_than_the_screen(service: Service, page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    async with service.as_bot() as client:
        await _come_in(page, service, "a.very.long.supervisor.name", role=Role.SUPERVISOR)
        await client.open(danger="urgent")
        case = await _in_talk(page, client, danger="emergency")
        await client.say(case, "w" * 300)
        await expect(page.get_by_text("w" * 300)).to_be_visible()
        for path in ("/", f"/cases/{case}", "/supervision", "/operators", "/sign-in"):
            await page.goto(service.url + path)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} wide"


@pytest.mark.parametrize("width", [320, 768, 1280])
async def test_take_next_stays_where_it_is_when_an_emergency_comes_in(
    service: Service, page: Page, width: int
) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    async with service.as_bot() as client:
        await _come_in(page, service, "a.very.long.supervisor.name", role=Role.SUPERVISOR)
        button = page.get_by_role("button", name="Take next")
        before = await button.bounding_box()

        await client.open(danger="emergency")
        await expect(page.locator("#queue")).to_contain_text("1 emergency")

        assert await button.bounding_box() == before


async def test_a_slash_opens_the_replies_and_the_keyboard_is_enough(
    service: Service, bot: FakeBot, page: Page, complaints: list[str]
) -> None:
    async with service.as_bot() as client:
        await _come_in(page, service)
        await _in_talk(page, client)
        box = page.get_by_label("Write to the visitor")
        find = page.get_by_label("Search replies")
        await box.press("/")
        await expect(find).to_be_focused()
        await find.fill("breathe slow")
        await expect(page.locator("#reply-list li:visible")).to_have_count(1)
        await find.press("Enter")
        await expect(box).to_be_focused()
        await expect(box).to_have_value(re.compile("Давай на минуту замедлимся"))
        await box.press("Enter")
        await expect(page.locator("#thread .entry-operator .gloss")).to_contain_text("slow down for a minute")
        await expect(box).to_have_value("")

        await box.fill("1")
        await box.press("/")
        await expect(box).to_have_value("1/")
        await expect(find).to_be_hidden()

    assert not [complaint for complaint in complaints if "error" in complaint.lower()]
