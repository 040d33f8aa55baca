"""What time is it where the visitor is?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

#: Belarus has not moved its clocks since 2011, Bangladesh since 2010 (IANA time zone database).
CLOCKS: Mapping[str, timezone] = {
    "BY": timezone(timedelta(hours=3)),
    "BD": timezone(timedelta(hours=6)),
}


def local(at: datetime, *, country: str | None) -> datetime:
    """An instant by the clocks of this country; where those are not known, by those that it came with."""
    clock = CLOCKS.get(country or "")
    return at.astimezone(clock) if clock else at
