"""What is known of the helpline's desk at this moment, and how is it said that nobody sits there?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flows.texts import Texts, fill

#: Lists of ``engine.yaml``: months as in a date, weekdays from Monday on as one says *when*, the 24 hours.
MONTHS, DAYS, HOURS = "month_names", "day_names", "hour_names"
#: What ``branch: desk`` may find; unknown where the desk does not say.
SOMEBODY, NOBODY = "somebody", "nobody"
#: From so many days on the weekday alone no longer tells which one.
_A_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the shell happens to know; everything may be unknown."""

    #: The visitor's place in the line, from 1.
    place: int | None = None
    #: How many minutes an answer took there of late.
    minutes: int | None = None
    #: Whether anybody is there; None where the desk does not say.
    here: bool | None = None
    #: When people are back, as the clocks go where the visitor is; None where nobody knows.
    opens_at: datetime | None = None
    #: The date where the visitor is.
    today: date | None = None
    #: The private code of the case that this turn may open.
    code: str | None = None

    @property
    def people(self) -> str | None:
        """``somebody`` or ``nobody``; None where that is not known."""
        if self.here is None:
            return None
        return SOMEBODY if self.here else NOBODY


def nobody_there(texts: Texts, desk: Desk, *, locale: str) -> str:
    """That nobody is at the desk, and when people are back or that this is not known."""
    if desk.opens_at is None or desk.today is None:
        return _label(texts, "desk_empty", locale=locale)
    when = _when(texts, desk.opens_at, today=desk.today, locale=locale)
    return _label(texts, "desk_closed", locale=locale, when=when)


def _when(texts: Texts, at: datetime, *, today: date, locale: str) -> str:
    """An instant as people say it: ``today at 9:00``, ``on Monday at 9:00``, ``on 4 January at 9:00``."""
    time, ahead = _time(texts, at, locale=locale), (at.date() - today).days
    if ahead <= 1:
        return _label(texts, "at_today" if ahead < 1 else "at_tomorrow", locale=locale, time=time)
    if ahead < _A_WEEK:
        day = texts.listed(DAYS, locale=locale)[at.weekday()]
        return _label(texts, "at_weekday", locale=locale, day=day, time=time)
    day = f"{texts.numeral(at.day, locale=locale)} {texts.listed(MONTHS, locale=locale)[at.month - 1]}"
    return _label(texts, "at_date", locale=locale, date=day, time=time)


def _time(texts: Texts, at: datetime, *, locale: str) -> str:
    hour = texts.listed(HOURS, locale=locale)[at.hour]
    if at.minute == 0:
        return _label(texts, "whole_hour", locale=locale, hour=hour)
    tens, ones = divmod(at.minute, 10)
    minutes = texts.numeral(tens, locale=locale) + texts.numeral(ones, locale=locale)
    return _label(texts, "hour_and_minutes", locale=locale, hour=hour, minutes=minutes)


def _label(texts: Texts, key: str, *, locale: str, **values: str) -> str:
    return fill(texts.label(key, locale=locale) or "", values)
