"""How is a time told to a visitor, in their language and by the clock that an operator reads?"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from referral.language import SOURCE
from referral.replies.rules import LOCALES

_DAY = "EEEE, d MMMM"


def told(since: datetime, *, until: datetime | None = None, locale: str, zone: ZoneInfo) -> str:
    """``Tuesday, 1 December, 16:00–18:00``; without an end the time alone."""
    begins = since.astimezone(zone)
    day = format_date(begins, _DAY, locale=locale if locale in LOCALES else SOURCE)
    ends = f"–{until.astimezone(zone):%H:%M}" if until is not None else ""
    return f"{day}, {begins:%H:%M}{ends}"
