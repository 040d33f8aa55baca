"""What happens on a school's page that embeds the chat with one line."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.bot.webchat.site import HELLO, Site, school
from tests.bot.webchat.tab import Tabs

pytestmark = pytest.mark.asyncio(loop_scope="package")

#: What other people's style sheets do to everything on their page.
HOSTILE = """
* { font-family: fantasy !important; color: red !important; box-sizing: content-box !important; }
button, iframe, porchlight-chat { display: none !important; background: lime !important; }
div, body > * { position: static !important; margin: 40px !important; transform: rotate(5deg); }
"""


def opener(page: Page, name: str = "Open the help chat") -> Locator:
    """The round button."""
    return page.get_by_role("button", name=name)


async def test_the_button_opens_the_chat_and_escape_closes_it(tabs: Tabs, site: Site) -> None:
    async with school(f"{site.url}/chat/widget.js") as page:
        tab = await tabs.open(page)
        button = opener(tab.page)
        await expect(button).to_have_attribute("aria-expanded", "false")

        # By keyboard: to the button, open, and straight to writing.
        await tab.page.keyboard.press("Tab")
        await tab.page.keyboard.press("Tab")
        await expect(button).to_be_focused()
        await tab.page.keyboard.press("Enter")
        chat = tab.page.frame_locator("iframe")
        await expect(chat.get_by_text(HELLO["en"])).to_be_visible()
        await expect(chat.locator("textarea")).to_be_focused()
        await tab.page.keyboard.type("hello from school")
        await tab.page.keyboard.press("Enter")
        await expect(chat.get_by_text("You wrote: hello from school")).to_be_visible()
        await tab.page.keyboard.press("Escape")

        await expect(tab.page.locator("iframe")).to_be_hidden()
        await expect(button).to_be_focused()

        # Opened again it is the same conversation.
        await button.click()
        await expect(chat.get_by_text("You wrote: hello from school")).to_be_visible()
        await tab.page.get_by_role("button", name="Close the chat").click()
        await expect(tab.page.locator("iframe")).to_be_hidden()
        assert len(site.stand_in.begun) == 1


async def test_nothing_is_loaded_or_stored_before_somebody_opens_it(tabs: Tabs, site: Site) -> None:
    async with school(f"{site.url}/chat/widget.js") as page:
        tab = await tabs.blank()
        asked: list[str] = []
        tab.page.on("request", lambda request: asked.append(request.url))
        await tab.page.goto(page)
        await expect(opener(tab.page)).to_be_visible()

        assert [url for url in asked if url.startswith(site.url)] == [f"{site.url}/chat/widget.js"]
        await opener(tab.page).click()
        await expect(tab.page.frame_locator("iframe").get_by_text(HELLO["en"])).to_be_visible()
        assert await tab.context.cookies() == []
        assert await tab.page.evaluate("localStorage.length + sessionStorage.length") == 0


async def test_language_country_and_campaign_are_the_schools_to_set(tabs: Tabs, site: Site) -> None:
    attributes = 'data-locale="be" data-country="BY" data-campaign="school_7"'
    async with school(f"{site.url}/chat/widget.js", attributes=attributes) as page:
        tab = await tabs.open(page)
        await opener(tab.page, "Адкрыць чат дапамогі").click()
        await expect(tab.page.frame_locator("iframe").get_by_text(HELLO["be"])).to_be_visible()

        (begun,) = site.stand_in.begun
        assert (begun["locale"], begun["country"], begun["campaign"]) == ("be", "BY", "school_7")


async def test_the_schools_style_sheet_cannot_break_it(tabs: Tabs, site: Site) -> None:
    async with school(f"{site.url}/chat/widget.js", css=HOSTILE) as page:
        tab = await tabs.open(page)
        box = await opener(tab.page).bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (56, 56)
        assert (box["x"] + box["width"], box["y"] + box["height"]) == (1024 - 16, 768 - 16)

        await opener(tab.page).click()

        await expect(tab.page.frame_locator("iframe").get_by_text(HELLO["en"])).to_be_visible()
        panel = await tab.page.locator("iframe").bounding_box()
        assert panel is not None
        assert (panel["width"], panel["height"]) == (400, 640)


async def test_a_strict_content_policy_of_the_school_is_enough_with_two_entries(
    tabs: Tabs, site: Site
) -> None:
    policy = f"default-src 'none'; script-src {site.url}; frame-src {site.url}; img-src data:"
    async with school(f"{site.url}/chat/widget.js", policy=policy) as page:
        tab = await tabs.open(page)

        await opener(tab.page).click()

        await expect(tab.page.frame_locator("iframe").get_by_text(HELLO["en"])).to_be_visible()


async def test_on_a_phone_the_chat_fills_the_screen(tabs: Tabs, site: Site) -> None:
    phone = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
    async with school(f"{site.url}/chat/widget.js") as page:
        tab = await tabs.open(page, **phone)
        await opener(tab.page).tap()
        await expect(tab.page.frame_locator("iframe").get_by_text(HELLO["en"])).to_be_visible()

        box = await tab.page.locator("iframe").bounding_box()

        assert box == {"x": 0, "y": 0, "width": 360, "height": 640}


async def test_leaving_quickly_takes_the_schools_page_along(tabs: Tabs, site: Site) -> None:
    async with school(f"{site.url}/chat/widget.js") as page:
        tab = await tabs.open("https://homework.example/")
        await tab.page.goto(page)
        await opener(tab.page).click()
        await expect(tab.page.frame_locator("iframe").get_by_text(HELLO["en"])).to_be_visible()

        await tab.page.frame_locator("iframe").locator("#leave").click()

        await expect(tab.page).to_have_url("https://en.wikipedia.org/")
        await tab.page.go_back()
        assert tab.page.url == "https://homework.example/"


async def test_escape_three_times_leaves_from_within_the_widget(tabs: Tabs, site: Site) -> None:
    async with school(f"{site.url}/chat/widget.js") as page:
        tab = await tabs.open(page)
        await opener(tab.page).click()
        await expect(tab.page.frame_locator("iframe").locator("textarea")).to_be_focused()

        await tab.page.keyboard.press("Escape")
        await expect(opener(tab.page)).to_be_focused()
        await tab.page.keyboard.press("Escape")
        await tab.page.keyboard.press("Escape")

        await expect(tab.page).to_have_url("https://en.wikipedia.org/")


async def test_escape_on_the_schools_own_page_is_the_schools(tabs: Tabs, site: Site) -> None:
    async with school(f"{site.url}/chat/widget.js") as page:
        tab = await tabs.open(page)
        await expect(opener(tab.page)).to_be_visible()

        for _ in range(4):
            await tab.page.keyboard.press("Escape")

        await expect(opener(tab.page)).to_be_visible()
        assert tab.page.url.rstrip("/") == page
