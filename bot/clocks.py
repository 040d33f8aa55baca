"""What time is it where the visitor is?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, timezone

#: Belarus has not moved its clocks since 2011, Bangladesh since 2010 (IANA time zone database).
CLOCKS: Mapping[str, timezone] = {
    "BY": timezone(timedelta(hours=3)),
    "BD": timezone(timedelta(hours=6)),
}
