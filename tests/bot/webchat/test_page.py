"""What the server sends for the page: language, headers, files and how long they may be kept."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import fields

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from bot.config import LOCALES, Settings
from bot.webchat import page
from bot.webchat.words import WORDS
from tests.bot.conftest import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="package")

#: All that a phone loads before the first word can be exchanged.
MOST_BYTES = 60_000

SETTINGS = Settings(
    database_url="postgresql:///unused", secret_key=SECRET, service_secret="whsec_dGVzdA==", retention_days=21
)


@pytest_asyncio.fixture(loop_scope="package")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the page alone."""
    app = FastAPI()
    app.include_router(page.router(SETTINGS, numbers={"en": "\nCall 112 & ask\n"}, dial=("112",)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat") as client:
        yield client


def policy(answer: httpx.Response) -> dict[str, str]:
    """The content security policy by directive."""
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize(
    ("query", "accepted", "expected"),
    [
        ("?locale=bn", "ru", "bn"),
        ("", "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("", "de-DE,be;q=0.4,en;q=0.3", "be"),
        ("", "en;q=0.2, bn-BD;q=0.7", "bn"),
        ("", "de, fr;q=0.5", "en"),
        ("", "ru;q=0", "en"),
        ("", "ru;q=often", "en"),
        ("", "", "en"),
        ("?locale=xx", "be", "be"),
    ],
)
async def test_the_page_speaks_the_visitors_language(
    http: httpx.AsyncClient, query: str, accepted: str, expected: str
) -> None:
    answer = await http.get(f"/{query}", headers={"accept-language": accepted})

    assert answer.headers["content-language"] == expected
    assert f'<html lang="{expected}">' in answer.text
    assert WORDS[expected].what in answer.text.replace("&#39;", "'")


async def test_the_page_is_locked_down_and_never_kept(http: httpx.AsyncClient) -> None:
    answer = await http.get("/")

    assert policy(answer) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "set-cookie" not in answer.headers


async def test_only_the_embedded_page_may_stand_in_another(http: httpx.AsyncClient) -> None:
    assert policy(await http.get("/?embed=1"))["frame-ancestors"] == "*"
    assert policy(await http.get("/?embed=yes"))["frame-ancestors"] == "'none'"


async def test_there_is_no_script_or_style_within_the_page(http: httpx.AsyncClient) -> None:
    html = (await http.get("/")).text

    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", html) == []


async def test_what_the_address_says_cannot_break_out_of_the_page(http: httpx.AsyncClient) -> None:
    html = (await http.get("/", params={"campaign": '"><script>', "country": "'>", "locale": "<b>"})).text

    assert '"><script>' not in html
    assert 'data-campaign=""' in html
    assert 'data-country=""' in html


async def test_the_page_says_how_long_words_are_kept(http: httpx.AsyncClient) -> None:
    assert "через 21 день" in (await http.get("/?locale=ru")).text
    assert "২১ দিন" in (await http.get("/?locale=bn")).text


@pytest.mark.parametrize(
    ("locale", "number", "expected"),
    [
        ("en", 1, "1 day"),
        ("ru", 1, "1 день"),
        ("ru", 2, "2 дня"),
        ("ru", 11, "11 дней"),
        ("ru", 12, "12 дней"),
        ("be", 21, "21 дзень"),
        ("be", 30, "30 дзён"),
    ],
)
async def test_days_are_counted_as_people_count_them(locale: str, number: int, expected: str) -> None:
    assert WORDS[locale].days(number) == expected


async def test_the_numbers_of_a_locale_without_any_are_left_out(http: httpx.AsyncClient) -> None:
    assert '<p>Call <a href="tel:112">112</a> &amp; ask</p>' in (await http.get("/?locale=en")).text
    assert 'id="why"' not in (await http.get("/?locale=ru")).text


async def test_files_are_kept_for_ever_under_an_address_that_changes_with_them(
    http: httpx.AsyncClient,
) -> None:
    html = (await http.get("/")).text
    addresses = re.findall(r'(?:src|href)="(/chat/static/[^"]+)"', html)
    assert len(addresses) > 5

    for address in addresses:
        file = await http.get(address)
        assert file.status_code == 200
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert file.headers["x-content-type-options"] == "nosniff"

    # A page from before an update still gets its file, but nobody keeps it under the old address.
    old = await http.get("/chat/static/0123456789abcdef/chat.js")
    assert old.status_code == 200
    assert old.headers["cache-control"] == "no-store"


async def test_nothing_but_the_files_can_be_fetched(http: httpx.AsyncClient) -> None:
    for name in ("nothing.js", "..%2Fpage.py", "%2E%2E%2Fwords.py"):
        assert (await http.get(f"/chat/static/x/{name}")).status_code == 404


async def test_an_old_phone_on_a_slow_line_has_little_to_load(http: httpx.AsyncClient) -> None:
    page_itself = await http.get("/?locale=bn")
    addresses = re.findall(r'(?:src|href)="(/chat/static/[^"]+)"', page_itself.text)

    sizes = [len((await http.get(address)).content) for address in set(addresses)]

    assert len(page_itself.content) + sum(sizes) < MOST_BYTES


async def test_the_widget_may_be_loaded_by_any_site(http: httpx.AsyncClient) -> None:
    widget = await http.get("/chat/widget.js")

    assert widget.headers["content-type"].startswith("text/javascript")
    assert widget.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in widget.headers


async def test_a_monitor_may_ask_for_the_head_alone(http: httpx.AsyncClient) -> None:
    answer = await http.head("/")

    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_language_has_every_word(locale: str) -> None:
    empty = {
        field.name
        for field in fields(WORDS[locale])
        if isinstance(value := getattr(WORDS[locale], field.name), str) and not value.strip()
    }

    assert empty == set()
    assert WORDS[locale].leave[0]
    assert sum("{days}" in answer for answer in WORDS[locale].answers) == 1


@pytest.mark.parametrize(
    ("asked", "campaign"), [("48217390", "class_48217390"), ("4821", ""), ("<script>", ""), ("4821739০", "")]
)
async def test_a_teachers_link_leads_into_the_class(
    http: httpx.AsyncClient, asked: str, campaign: str
) -> None:
    html = (await http.get("/", params={"class": asked})).text

    assert f'data-campaign="{campaign}"' in html
