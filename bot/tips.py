"""When does a daily tip come? At four in the afternoon where the visitor is, and never at night."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from bot.clocks import CLOCKS

#: School is over, and nobody sleeps.
HOUR = time(16)
#: A tip that is late may come until then.
LATEST = time(20)

#: Four in the afternoon on this clock is day in both.
_ELSEWHERE = CLOCKS["BD"]


def next_tip(now: datetime, *, country: str | None) -> datetime:
    """The next moment after now at which a tip comes in this country."""
    here = now.astimezone(_clock(country))
    today = datetime.combine(here.date(), HOUR, here.tzinfo)
    return (today if today > here else today + timedelta(days=1)).astimezone(UTC)


def day_of_tip(now: datetime, *, country: str | None) -> date | None:
    """The date there if a tip may come now, None if it is too early or too late in the day for one."""
    here = now.astimezone(_clock(country))
    return here.date() if HOUR <= here.time() < LATEST else None


def latest(now: datetime, *, country: str | None) -> datetime:
    """Until when a tip of this day may still be delivered."""
    here = now.astimezone(_clock(country))
    return datetime.combine(here.date(), LATEST, here.tzinfo).astimezone(UTC)


def _clock(country: str | None) -> timezone:
    return CLOCKS.get(country or "", _ELSEWHERE)
