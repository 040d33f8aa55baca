"""A child's browser and an operator's browser, side by side, through the whole product.

``PORCHLIGHT_PICTURES=docs/pictures`` keeps what both saw as the README's pictures.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.acceptance.conftest import invite
from tests.acceptance.product import Product
from tests.bot.webchat.tab import Tab
from tests.referral.browser import chromium
from tests.referral.desk import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: dict[str, Any] = {"viewport": {"width": 400, "height": 780}, "device_scale_factor": 2}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}, "device_scale_factor": 1}


@pytest_asyncio.fixture(loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with chromium() as found:
        yield found


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where this test leaves what it saw."""
    return Path(os.environ.get("PORCHLIGHT_PICTURES") or tmp_path)


async def test_a_child_writes_and_an_operator_answers(
    porchlight: Product, browser: Browser, pictures: Path
) -> None:
    # Given an operator whose desk is open, and a child who has just opened the chat
    desk = await (await browser.new_context(**DESK)).new_page()
    await desk.goto(invite(porchlight, "mira"))
    await desk.locator("[name=password]").fill(PASSWORD)
    await desk.locator("[name=again]").fill(PASSWORD)
    await desk.locator("main button").click()
    take_next = desk.get_by_role("button", name="Take next")
    await expect(take_next).to_be_visible()
    child = Tab(page=await (await browser.new_context(**PHONE)).new_page())
    await child.page.goto(f"{porchlight.bot}/?locale=en")
    await child.greeted()

    # When the child says what happens
    await child.writes("everyone in my class chat calls me a pig")
    await expect(child.said("not your fault")).to_be_visible()
    await child.page.get_by_role("button", name="For weeks").click()
    await child.page.get_by_role("button", name="Just tell me what to do").last.click()
    await expect(child.page.get_by_role("button", name="Save proof")).to_be_visible()
    await child.page.screenshot(path=pictures / "webchat.png")

    # And that they do not want to live, the next message is care and the number
    await child.writes("i want to die")
    await expect(child.said("I am glad you wrote this")).to_contain_text("1098")
    await child.page.screenshot(path=pictures / "danger.png")

    # Then their yes puts a case before the operator within a second, without a reload
    await child.page.get_by_role("button", name="Connect me to a person").click()
    await expect(desk.locator(".level-emergency .level-number")).not_to_have_text("0")
    await desk.screenshot(path=pictures / "desk.png")
    await take_next.click()
    await expect(desk.locator("#thread").get_by_text("i want to die", exact=True)).to_be_visible()
    await expect(desk.get_by_role("heading", name="Hand-over card")).to_be_visible()

    await _they_talk(desk, child, pictures)
    await _it_ends(desk, child)
    assert child.complaints == []


async def _they_talk(desk: Page, child: Tab, pictures: Path) -> None:
    await desk.locator("#message").fill(
        "Hello, I am Mira. I have read what you wrote, and I am here with you."
    )
    await desk.locator("#message").press("Enter")
    await expect(child.said("I am Mira")).to_be_visible()

    await child.writes("thank you. it is every day since september")
    await expect(desk.get_by_text("every day since september")).to_be_visible()

    await desk.locator("#note").fill("Calm now. Lives with grandmother.")
    await desk.get_by_role("button", name="Save note").click()
    await expect(desk.locator("#thread").get_by_text("Lives with grandmother")).to_be_visible()
    await desk.locator(".side").evaluate("side => side.scrollTo(0, 0)")
    await desk.screenshot(path=pictures / "console.png")
    await child.page.screenshot(path=pictures / "talk.png")
    await expect(child.said("grandmother")).to_have_count(0)


async def _it_ends(desk: Page, child: Tab) -> None:
    await desk.get_by_text("Close this case").click()
    await desk.locator("#outcome").select_option(index=1)
    await desk.locator("#code").select_option("violence.cyberbullying")
    await desk.get_by_role("button", name="Close the case").click()
    await expect(child.said("has closed this talk")).to_be_visible()
