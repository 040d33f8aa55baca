"""In which language is a page shown before anybody has signed in, and by which clock?"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from referral.language import Languages, Reader, read_by

#: The script of the pages puts the browser's time zone there.
ZONE_COOKIE = "zone"


class Reading:
    """Takes language and time zone from the browser; the door then puts the operator's choice in place."""

    def __init__(self, app: ASGIApp, *, languages: Languages, zone: ZoneInfo) -> None:
        self._app = app
        self._languages = languages
        self._zone = zone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            asked = HTTPConnection(scope)
            language = self._languages.wanted(asked.headers.get("accept-language", ""))
            read_by(Reader(language=language, zone=_zone(asked.cookies.get(ZONE_COOKIE)) or self._zone))
        await self._app(scope, receive, send)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
