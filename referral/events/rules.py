"""What an answer of the bot means for an event, and how long to wait before it is sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: A bot that restarts is back within seconds, and a child is waiting: begin quickly, slow down soon.
DELAYS = tuple(timedelta(seconds=seconds) for seconds in (0.25, 0.5, 1, 2, 5, 10, 20, 40, 60))
#: No answer may make us wait longer than this, or a wrong header would silence a conversation.
LONGEST_DELAY = timedelta(minutes=5)
#: Every delay is stretched by up to this share, so that many cases do not come back at one instant.
JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Delivered:
    """The bot has it on disk."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no conversation any more: stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Try again, not before ``after`` if the bot named a time."""

    reason: str
    after: timedelta | None = None


Answer = Delivered | Gone | Failed


def answer(status: int, *, retry_after: str | None, now: datetime) -> Answer:
    """What a response means; only 2xx is success, as Standard Webhooks says."""
    if 200 <= status < 300:
        return Delivered()
    if status == 410:
        return Gone()
    return Failed(reason=str(status), after=wanted_delay(retry_after, now=now, longest=LONGEST_DELAY))


def delay(attempts: int, *, wanted: timedelta | None, chance: float) -> timedelta:
    """How long to wait after so many failed attempts (at least one); ``chance`` is from 0 to 1."""
    own = DELAYS[min(attempts, len(DELAYS)) - 1] * (1 + JITTER * chance)
    return min(max(own, wanted or own), LONGEST_DELAY)


def wanted_delay(header: str | None, *, now: datetime, longest: timedelta) -> timedelta | None:
    """How long a ``Retry-After`` asks us to wait; None if there is none that can be understood."""
    if header is None:
        return None
    if header.strip().isdecimal():
        # Python refuses to read a number of thousands of digits, which is only ever sent with ill will.
        return min(timedelta(seconds=int(header.strip()[:9])), longest)
    try:
        instant = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(instant.replace(tzinfo=instant.tzinfo or UTC) - now, timedelta())
