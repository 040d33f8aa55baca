"""What a browser gets before any word is exchanged: the chat page, its files, and a school's widget."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Header, HTTPException, Query, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.config import LOCALES, Settings
from bot.webchat.numbers import linked
from bot.webchat.words import WORDS, Words

_HERE = Path(__file__).parent

#: Where "leave quickly" leads: no child has to explain an encyclopedia, and it opens in both countries.
EXITS: Mapping[str, str] = {locale: f"https://{locale}.wikipedia.org/" for locale in LOCALES}

#: The button of ``flows/definitions/change_language.yaml`` that the page's own language switch presses.
CHANGE_LANGUAGE = "n:change_language:which:{locale}"

_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

_COUNTRY = re.compile("[A-Z]{2}")
_CAMPAIGN = re.compile("[A-Za-z0-9_]{1,32}")
#: The code of a teacher's class, which goes on as a campaign of its own (``flows.classroom``).
_CLASS = re.compile("[0-9]{8}")

_NOSNIFF = {"x-content-type-options": "nosniff"}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
)

_PAGE_HEADERS = {
    **_NOSNIFF,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), midi=()",
    "vary": "Accept-Language",
}

#: A new version has a new address, so a copy is good for a year, the longest that HTTP caches honour.
_FOREVER = "public, max-age=31536000, immutable"
#: Schools never change the widget's address, so this long an old copy may live.
_AN_HOUR = "public, max-age=3600"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """The static files, and a version that changes with any of them."""

    version: str
    contents: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path) -> _Files:
        contents = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        version = hashlib.sha256(b"\0".join(contents.values())).hexdigest()[:16]
        return cls(version=version, contents=contents)


def router(
    settings: Settings, *, numbers: Mapping[str, str] | None = None, dial: Collection[str] = ()
) -> APIRouter:
    """The page at ``/`` and what it loads.

    ``numbers`` is what each locale's page shows while the chat cannot run (``numbers.shown``), ``dial`` the
    short numbers that become links (``numbers.short``).
    """
    files = _Files.read(_HERE / "static")
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template("chat.html")
    # ``.js`` is no HTML; everything that goes into it is JSON.
    widget = templates.get_template("widget.js").render(words=_widget_words())
    texts = {
        locale: [line for line in linked(text, dial=dial).splitlines() if line.strip()]
        for locale, text in (numbers or {}).items()
    }
    routes = APIRouter(include_in_schema=False)  # For browsers.

    @routes.api_route("/", methods=["GET", "HEAD"])
    async def chat(
        locale: str | None = None,
        country: str = "",
        campaign: str = "",
        room: str = Query("", alias="class"),
        embed: str = "",
        accept_language: str = Header(default=""),
    ) -> Response:
        spoken = locale if locale in LOCALES else preferred(accept_language, otherwise=settings.locale)
        words = WORDS[spoken]
        if _CLASS.fullmatch(room):
            campaign = f"class_{room}"
        embedded = embed == "1"
        html = page.render(
            locale=spoken,
            words=words,
            answers=[
                answer.replace("{days}", words.days(settings.retention_days)) for answer in words.answers
            ],
            languages={name: WORDS[name].language for name in LOCALES},
            country=country.upper() if _COUNTRY.fullmatch(country.upper()) else "",
            campaign=campaign if _CAMPAIGN.fullmatch(campaign) else "",
            embed=embedded,
            exit=EXITS[spoken],
            change_language=CHANGE_LANGUAGE.format(locale=spoken),
            numbers=texts.get(spoken, []),
            dial=" ".join(sorted(dial)),
            static=f"/chat/static/{files.version}",
            script_words=json.dumps(_script_words(words), ensure_ascii=False),
        )
        headers = {
            **_PAGE_HEADERS,
            "content-language": spoken,
            "content-security-policy": _POLICY.format(ancestors="*" if embedded else "'none'"),
        }
        return Response(html, media_type="text/html", headers=headers)

    @routes.get("/chat/static/{version}/{name}")
    async def static(version: str, name: str) -> Response:
        content = files.contents.get(name)
        if content is None:
            raise HTTPException(404, {"error": "not_found", "detail": "There is no such file."})
        # A page that was opened before an update asks for the old version: it gets the new one, uncached.
        caching = _FOREVER if version == files.version else "no-store"
        headers = {**_NOSNIFF, "cache-control": caching, "cross-origin-resource-policy": "same-origin"}
        return Response(content, media_type=_MEDIA_TYPES[Path(name).suffix], headers=headers)

    @routes.get("/chat/widget.js")
    async def widget_script() -> Response:
        headers = {**_NOSNIFF, "cache-control": _AN_HOUR, "cross-origin-resource-policy": "cross-origin"}
        return Response(widget, media_type="text/javascript", headers=headers)

    return routes


def preferred(accept_language: str, *, otherwise: str) -> str:
    """The locale of ours that an ``Accept-Language`` header wants most."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language.split(","):
        tag, _, quality = part.partition(";")
        base = tag.strip().lower().partition("-")[0]
        if base in LOCALES:
            wanted.append((_quality(quality), base))
    best = max(wanted, key=lambda wish: wish[0], default=(0.0, otherwise))
    return best[1] if best[0] > 0 else otherwise


def _quality(written: str) -> float:
    name, _, value = written.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _script_words(words: Words) -> Mapping[str, str]:
    """The words that the page's script puts in later."""
    names = ("not_sent", "refused", "too_long", "no_connection", "choices", "new_tab", "writing")
    return {name: getattr(words, name) for name in (*names, "leave_after_one", "leave_after_two", "call")}


def _widget_words() -> Mapping[str, Mapping[str, str]]:
    return {
        locale: {
            "open": words.open_chat,
            "close": words.close_chat,
            "title": words.title,
            "exit": EXITS[locale],
        }
        for locale, words in WORDS.items()
    }
