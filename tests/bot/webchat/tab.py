"""A visitor's browser tab, and what can be noticed in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, Route

#: What the browser itself writes when a request fails, which some tests provoke.
_FAILED_REQUEST = "Failed to load resource"

ENCYCLOPEDIA = "<!doctype html><title>Encyclopedia</title><h1>Today's featured article</h1>"


@dataclass(slots=True, kw_only=True)
class Tab:
    """One tab on the chat page."""

    page: Page
    #: Errors and warnings of the console and exceptions of scripts.
    complaints: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        """The browser profile that this tab lives in."""
        return self.page.context

    @property
    def field(self) -> Locator:
        """Where the visitor writes."""
        return self.page.locator("textarea")

    @property
    def leave(self) -> Locator:
        """The way out."""
        return self.page.locator("#leave")

    def said(self, words: str) -> Locator:
        """A message of the bot or the helpline with these words."""
        return self.page.locator(".message:not(.visitor)").filter(has_text=words)

    def own(self, words: str) -> Locator:
        """A message of the visitor with these words."""
        return self.page.locator(".message.visitor").filter(has_text=words)

    async def greeted(self) -> None:
        """Wait for the buttons of the greeting."""
        await self.page.locator(".choices").first.wait_for()

    async def writes(self, words: str) -> None:
        """Write and press the send button."""
        await self.field.fill(words)
        await self.page.locator(".send").click()

    async def texts(self) -> list[str]:
        """All messages' words in the order of the page, without the names."""
        found = await self.page.locator(".message > p:not(.name):not(.state)").all_inner_texts()
        return [text.strip() for text in found]

    async def style(self, selector: str, name: str) -> str:
        """A computed style of the first element that matches."""
        value: str = await self.page.locator(selector).first.evaluate(
            "(element, name) => getComputedStyle(element)[name]", name
        )
        return value


@dataclass(slots=True, kw_only=True)
class Tabs:
    """Opens tabs, each in a fresh browser profile, and closes them all."""

    browser: Browser
    _open: list[Tab] = field(default_factory=list)

    async def open(self, url: str, **profile: Any) -> Tab:
        """A tab on this address; ``profile`` as Playwright's ``new_context`` takes it."""
        tab = await self.blank(**profile)
        await tab.page.goto(url)
        return tab

    async def blank(self, **profile: Any) -> Tab:
        """A tab on nothing yet."""
        context = await self.browser.new_context(**{"viewport": {"width": 1024, "height": 768}, **profile})
        # Nothing leaves this machine: the page that one leaves to is a page of ours.
        await context.route("https://**", _encyclopedia)
        tab = Tab(page=await context.new_page())
        tab.page.on("console", lambda message: _note(tab, message))
        tab.page.on("pageerror", lambda error: tab.complaints.append(_words(error)))
        self._open.append(tab)
        return tab

    def complaints(self) -> list[str]:
        """What any of the tabs wrote into its console."""
        return [complaint for tab in self._open for complaint in tab.complaints]

    async def close(self) -> None:
        """Close all tabs."""
        for tab in self._open:
            await tab.context.close()


def _note(tab: Tab, message: ConsoleMessage) -> None:
    if message.type in ("error", "warning") and not message.text.startswith(_FAILED_REQUEST):
        tab.complaints.append(message.text)


def _words(error: Error) -> str:
    return error.message


async def _encyclopedia(route: Route) -> None:
    await route.fulfill(content_type="text/html", body=ENCYCLOPEDIA)
