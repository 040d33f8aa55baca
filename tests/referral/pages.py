"""How tests look at every page of the console: who sees which, and what must hold for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.async_api import Browser, BrowserContext, Page, Response

#: What WCAG 2.2 AA asks for, as far as a program can tell.
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
#: No page of the console is heavier, with everything it loads.
MOST_BYTES = 200_000

#: A desk's screen, the smallest one, a tablet held upright.
WIDE, SMALL, TABLET = (1280, 800), (1024, 768), (768, 1024)

#: Says what does not fit into the width of the page; nothing if all does.
OVERFLOW = """() => {
    const page = document.documentElement;
    if (page.scrollWidth <= page.clientWidth) return "";
    const wide = [...document.querySelectorAll("main *, header *")].filter((element) => {
        const box = element.getBoundingClientRect();
        const scrolls = element.closest(".scrolls, .wide, .thread, pre");
        return !scrolls && (box.right > page.clientWidth + 1 || box.left < -1);
    });
    return wide.slice(0, 3).map((element) => element.outerHTML.slice(0, 120)).join(" | ") || "the page";
}"""


@dataclass(slots=True)
class Weight:
    """Adds up what a page loads."""

    bytes: int = 0
    _seen: list[Response] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Count from here on."""
        page.on("response", lambda response: self._seen.append(response))

    async def taken(self) -> int:
        """All bytes that were transferred, bodies and heads; a stream counts as far as it came."""
        total = 0
        for response in self._seen:
            if "/stream" in response.url:
                continue
            sizes = await response.request.sizes()
            total += sizes["responseBodySize"] + sizes["responseHeadersSize"]
        return total


async def problems(page: Page) -> list[str]:
    """What is wrong with the page as it stands there: axe's violations, and a width that does not fit."""
    found = [
        f"{violation['id']}: {violation['help']} {[node['target'] for node in violation['nodes']][:4]}"
        for violation in (await Axe().run(page, options=RULES)).response["violations"]
    ]
    if wide := await page.evaluate(OVERFLOW):
        found.append(f"too wide: {wide}")
    return found


async def come_in(
    browser: Browser, url: str, cookies: Mapping[str, str], *, language: str = "en"
) -> BrowserContext:
    """A browser in which somebody is signed in already."""
    context = await browser.new_context(
        viewport={"width": WIDE[0], "height": WIDE[1]}, locale=language, reduced_motion="reduce"
    )
    await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    return context


def addresses(app: FastAPI, *, case: UUID, closed: UUID) -> Sequence[str]:
    """Every address that a browser can open: a new page is looked at without being named here."""
    paths = {
        context.path
        for context in iter_route_contexts(app.routes)
        if context.path is not None
        and "GET" in (context.methods or ())
        and not context.path.startswith(("/v1", "/static"))
    }
    filled = (
        path.replace("/cases/{number}", f"/cases/{case}").replace("/reviews/{number}", f"/reviews/{closed}")
        for path in paths
    )
    return sorted(path for path in filled if "{" not in path and path not in _NO_PAGES)


#: What is no page: states, figures, streams.
_NO_PAGES = {"/healthz", "/readyz", "/metrics", "/session", "/stream"}


def spelled(text: str) -> str:
    """A text as a pseudo-language writes it: longer, and no letter of English left."""
    parts = re.split(r"(%\(\w+\)s|%%|<[^>]+>)", text)
    return "".join(part if index % 2 else _mirrored(part) for index, part in enumerate(parts))


def _mirrored(words: str) -> str:
    return "".join(_SIGNS.get(sign.lower(), sign) for sign in words)


# Letters of a script that runs from right to left, one for each of ours.
_SIGNS = dict(zip("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיכלמנסעפצקרשתאבגד", strict=True))
