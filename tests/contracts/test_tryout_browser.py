"""An editor tries conversations out in a real browser, at the real console before the real bot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from referral.operators.rules import Role
from tests.contracts.tryout import Stage, plays_as_saved, stage
from tests.referral.browser import chromium
from tests.referral.conftest import Time
from tests.referral.desk import PASSWORD

pytestmark = pytest.mark.slow


@pytest.fixture
async def tried(database_url: str, database: str, clock: Time) -> AsyncIterator[Stage]:
    async with stage(bot_database=database_url, desk_database=database, clock=clock) as ready:
        yield ready


@pytest.fixture
async def complaints() -> list[str]:
    return []


@pytest.fixture
async def page(tried: Stage, complaints: list[str]) -> AsyncIterator[Page]:
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1024, "height": 768})
        opened = await context.new_page()
        opened.set_default_timeout(30_000)
        opened.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        link = await tried.service.invitation("olga", role=Role.EDITOR)
        await opened.goto(f"{tried.service.url}/invitation/{link}")
        await opened.get_by_label("Password").fill(PASSWORD)
        await opened.get_by_label("The same once more").fill(PASSWORD)
        await opened.get_by_role("button", name="Set password and sign in").click()
        await expect(opened.get_by_role("heading", name="Try the conversation")).to_be_visible()
        yield opened
        await context.close()


async def test_an_editor_tries_a_whole_conversation_and_saves_it_as_a_test(
    page: Page, complaints: list[str], tmp_path: Path
) -> None:
    turns = page.locator(".turn")
    await page.get_by_label("Who writes").select_option("child")
    await page.get_by_label("Country").select_option("BY")
    await page.get_by_role("button", name="Begin").click()
    await expect(turns.nth(0)).to_contain_text("welcome.hello")

    await page.get_by_label("Your words").fill("they call me names")
    await page.keyboard.press("Enter")
    await expect(turns.nth(1)).to_contain_text("by the model, 87 % sure")
    await expect(turns.nth(1)).to_contain_text("flows/texts/en/insults.yaml, line")
    await expect(turns.nth(1).locator(".why .place").first).to_have_text("incident_questions › how_long")
    await expect(turns.nth(1)).to_contain_text("harm")
    await expect(page.get_by_label("Your words")).to_be_focused()

    await page.get_by_label("Your words").fill("i want to die")
    await page.keyboard.press("Enter")
    await expect(turns.nth(2).locator("mark")).to_have_text("want to die")
    await expect(turns.nth(2)).to_contain_text("A timer would run for 5 min")
    await expect(turns.nth(2)).to_contain_text(re.compile(r"Comes back to:?\s+incident_questions › how_long"))

    await page.get_by_role("button", name="Let 5 min pass").click()
    await expect(turns.nth(3)).to_contain_text("danger.nudge")
    await turns.nth(3).get_by_role("button", name="Connect me to a person").click()
    await expect(turns.nth(4)).to_contain_text("A case would be opened for")

    await page.get_by_role("button", name="Take the case").click()
    await expect(turns.nth(5)).to_contain_text("An operator talks")
    await page.get_by_label("Write as").select_option("operator")
    await page.get_by_label("Your words").fill("I am Nina.")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(turns.nth(6).locator(".message-operator")).to_contain_text("I am Nina.")
    await page.get_by_role("button", name="Send a photo").click()
    await expect(turns).to_have_count(8)
    await page.get_by_role("button", name="Take back the last turn").click()
    await expect(turns).to_have_count(7)
    await page.get_by_role("button", name="Close the case").click()
    await expect(turns.nth(7)).to_contain_text("handover.closed")

    await page.get_by_label("Save this conversation as a test").fill("A child in danger gets a person")
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Download").click()
    download = await downloading.value
    played = plays_as_saved((await download.path()).read_text(encoding="utf-8"), tmp_path)

    assert [next(iter(turn)) for turn in played] == [
        "start", "intent", "lexicon", "timer", "press", "helpline", "helpline", "helpline"
    ]  # fmt: skip
    assert await page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 0]
    assert complaints == []


async def test_a_conversation_can_be_tried_with_the_keyboard_alone(page: Page) -> None:
    async def tab_to(what: str) -> None:
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await page.evaluate("(what) => document.activeElement.matches(what)", what):
                return
        raise AssertionError(f"{what} is not reached")

    await tab_to("#flow")
    await page.keyboard.type("bystander")
    await tab_to("#setup button")
    await page.keyboard.press("Enter")
    await expect(page.locator(".turn")).to_have_count(1)
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Shift+Tab")
    await tab_to(".acts button[data-event*=photo]")
    await page.keyboard.press("Enter")
    await expect(page.locator(".turn")).to_have_count(2)
    await expect(page.locator(".turn").nth(1)).to_be_focused()
    assert await page.locator(".turn").nth(0).get_by_text("flows/texts/en/bystander.yaml").count() >= 1


async def test_when_the_bot_is_away_the_words_stay_and_one_press_tries_again(page: Page) -> None:
    await page.get_by_role("button", name="Begin").click()
    await expect(page.locator(".turn")).to_have_count(1)

    await page.context.set_offline(True)
    await page.get_by_label("Your words").fill("they call me names")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nothing is lost: please try again.")).to_be_visible()
    await expect(page.get_by_label("Your words")).to_have_value("they call me names")
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Try again").click()

    await expect(page.locator(".turn").nth(1)).to_contain_text("insults.believe")
    await expect(page.get_by_label("Your words")).to_have_value("")


async def test_an_editor_says_what_a_text_means_where_the_model_would_not_know(page: Page) -> None:
    await page.get_by_role("button", name="Begin").click()
    await page.get_by_label("Your words").fill("qwerty")
    await page.get_by_label("Understood as").select_option("threats")
    await page.get_by_role("button", name="Send", exact=True).click()

    await expect(page.locator(".turn").nth(1)).to_contain_text("because you said so")
    await expect(page.locator(".turn").nth(1)).to_contain_text("threats.believe")
    await expect(page.get_by_label("Understood as")).to_have_value("")


async def test_drawings_and_problems_are_a_press_away(page: Page) -> None:
    await page.get_by_role("link", name="Problems 0").click()
    await expect(page.get_by_text("No problem:")).to_be_visible()
    await page.get_by_role("link", name="Drawings").click()
    await page.get_by_label("Flow", exact=True).select_option("blackmail")
    await page.get_by_label("Language").select_option("ru")
    await page.get_by_role("button", name="Draw").click()
    await expect(page.get_by_role("heading", name="blackmail")).to_be_visible()


@pytest.mark.parametrize("width", [320, 768, 1024, 1280])
async def test_nothing_is_wider_than_the_screen(tried: Stage, page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 768})
    await page.get_by_label("Begin").select_option("blackmail")
    await page.get_by_role("button", name="Begin").click()
    await page.get_by_label("Your words").fill("w" * 300)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".turn")).to_have_count(2)

    wide = [await page.evaluate("document.documentElement.scrollWidth")]
    for path in ("/tryout/flows?flow=blackmail", "/tryout/problems"):
        await page.goto(tried.service.url + path)
        wide.append(await page.evaluate("document.documentElement.scrollWidth"))

    assert max(wide) <= width
