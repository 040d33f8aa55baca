"""Which months does a report cover?

Whole months only: with days of one's choice, two reports that differ by a day would tell about that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from referral.errors import FormIncomplete

#: As far back as the page offers.
OFFERED_MONTHS = 36
#: A longer period is counted by month, since nobody reads a hundred days.
DAILY_MONTHS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From the first day of a month to the last day of the same or a later one, in the desk's time zone."""

    first: date
    #: The first day that is no longer part of it.
    end: date
    zone: ZoneInfo

    @property
    def begins_at(self) -> datetime:
        """The instant from which it counts."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=self.zone)

    @property
    def ends_at(self) -> datetime:
        """The instant at which it no longer counts."""
        return datetime(self.end.year, self.end.month, self.end.day, tzinfo=self.zone)

    @property
    def months(self) -> Sequence[str]:
        """Its months, as ``2026-11``."""
        found, month = [], self.first
        while month < self.end:
            found.append(f"{month:%Y-%m}")
            month = _next(month)
        return found

    @property
    def days(self) -> Sequence[str]:
        """Its days, as ``2026-11-29``."""
        return [str(self.first + timedelta(days=day)) for day in range((self.end - self.first).days)]

    @property
    def daily(self) -> bool:
        """True when it is short enough to be counted by day."""
        return len(self.months) <= DAILY_MONTHS


def period_of(first: str, last: str, *, zone: ZoneInfo, now: datetime) -> Period:
    """From one month (``2026-11``) to another; this month where none is given. Raises ``FormIncomplete``."""
    this = f"{now.astimezone(zone):%Y-%m}"
    begin, until = _month(first or last or this), _month(last or first or this)
    if begin > until:
        raise FormIncomplete("The first month must not come after the last.")
    if (until.year - begin.year) * 12 + until.month - begin.month >= OFFERED_MONTHS:
        raise FormIncomplete("A report covers at most %(most)s months.", most=OFFERED_MONTHS)
    return Period(first=begin, end=_next(until), zone=zone)


def offered(*, zone: ZoneInfo, now: datetime) -> Sequence[str]:
    """The months to choose from, the present one first."""
    month = now.astimezone(zone).date().replace(day=1)
    found = []
    for _ in range(OFFERED_MONTHS):
        found.append(f"{month:%Y-%m}")
        month = (month - timedelta(days=1)).replace(day=1)
    return found


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise FormIncomplete("Please choose a month, such as 2026-11.") from None


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
