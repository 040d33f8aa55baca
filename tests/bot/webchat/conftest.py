"""One server and one browser for all tests of the page; every test has tabs of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.bot.webchat.site import Site, running_site
from tests.bot.webchat.tab import Tabs
from tests.databases import Template

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def site(bot_template: Template) -> AsyncIterator[Site]:
    """The web chat with somebody who answers."""
    async with bot_template.copy() as url, running_site(url) as site:
        yield site


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def broken_site() -> AsyncIterator[Site]:
    """The web chat whose database does not answer."""
    async with running_site("postgresql:///bot?host=/nowhere", listening=False) as site:
        yield site


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
async def tabs(browser: Browser, site: Site) -> AsyncIterator[Tabs]:
    """Opens tabs; at the end none of them may have complained in its console."""
    site.stand_in.answers.clear()
    site.stand_in.received.clear()
    site.stand_in.begun.clear()
    tabs = Tabs(browser=browser)
    yield tabs
    await tabs.close()
    assert tabs.complaints() == []
