"""When are people there, when next, and when is a span of open time over? No database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from referral.errors import HoursInvalid
from referral.language import marked

#: As a week begins where we work; the place in this order is Python's ``weekday()``.
WEEKDAYS = (
    marked("Monday"),
    marked("Tuesday"),
    marked("Wednesday"),
    marked("Thursday"),
    marked("Friday"),
    marked("Saturday"),
    marked("Sunday"),
)
#: Nobody plans holidays further ahead, and a mistyped year is noticed.
MOST_SPECIAL_DAYS = 200
MAX_NAME = 80
#: What is not open within so many days is not going to be opened by waiting for it.
_LOOK_AHEAD_DAYS = 60

_SPAN = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-–]\s*(\d{1,2})[:.](\d{2})")
_MIDNIGHT = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when, in minutes after midnight; past midnight ``until`` is more than a day."""

    since: int
    until: int

    def __str__(self) -> str:
        until = self.until if self.until == _MIDNIGHT else self.until % _MIDNIGHT
        return f"{_clock(self.since)}-{_clock(until)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """A date that is not as its weekday: a holiday where there are no spans, else an exceptional opening."""

    name: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Opening hours of a week in one time zone, and the dates that are otherwise."""

    zone: str
    #: From Monday on, seven of them.
    week: Sequence[Sequence[Span]]
    special: Mapping[date, SpecialDay] = field(default_factory=dict)

    def is_open(self, now: datetime) -> bool:
        """True while people are there by the timetable."""
        return any(since <= now < until for since, until in self._spans(now))

    def opens_at(self, now: datetime) -> datetime | None:
        """When people are there next, by the helpline's clocks; now while they are; None if not soon."""
        for since, until in self._spans(now):
            if now < until:
                return max(since, now).astimezone(ZoneInfo(self.zone))
        return None

    def after(self, now: datetime, span: timedelta) -> datetime:
        """When so much open time has passed; as if it was always open where no opening is in sight."""
        left, end = span, now + span
        if self.opens_at(now) is None:
            return end
        at = now
        while True:
            began = at
            for since, until in self._spans(at):
                begin = max(since, at)
                if until <= begin:
                    continue
                if begin + left <= until:
                    return begin + left
                left -= until - begin
                at = until
            if at == began:
                # The timetable ends before the span does: the rest is counted as it is.
                return at + left

    def _spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The openings that end after the day before ``now``, in their order, as instants."""
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        for ahead in range(-1, _LOOK_AHEAD_DAYS):
            day = today + timedelta(days=ahead)
            for span in self._of(day):
                yield _instant(day, span.since, zone=zone), _instant(day, span.until, zone=zone)

    def _of(self, day: date) -> Sequence[Span]:
        special = self.special.get(day)
        return special.spans if special is not None else self.week[day.weekday()]


#: Day and night: what holds until somebody writes hours down.
ALL_DAY = Span(since=0, until=_MIDNIGHT)
ALWAYS = Schedule(zone="UTC", week=((ALL_DAY,),) * 7)


def spans_of(text: str, *, where: str) -> tuple[Span, ...]:
    """``9:00-13:00, 14:00-18:00`` as spans, in order; nothing for an empty text. Raises ``HoursInvalid``."""
    spans: list[Span] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _SPAN.fullmatch(part)
        if found is None:
            raise HoursInvalid(
                f"{where}: “{part}” is no time. Write it as 09:00-18:00, with a comma between two."
            )
        since, until = _minute(found[1], found[2], where=where), _minute(found[3], found[4], where=where)
        if since in (until, _MIDNIGHT):
            raise HoursInvalid(f"{where}: “{part}” is empty. For day and night write 00:00-24:00.")
        spans.append(Span(since=since, until=until if until > since else until + _MIDNIGHT))
    spans.sort(key=lambda span: span.since)
    for before, span in pairwise(spans):
        if span.since < before.until:
            raise HoursInvalid(f"{where}: {before} and {span} overlap.")
    return tuple(spans)


def text_of(spans: Sequence[Span]) -> str:
    """Spans as ``spans_of`` reads them."""
    return ", ".join(str(span) for span in spans)


def special_of(text: str) -> dict[date, SpecialDay]:
    """A line a date: ``2026-12-25 Christmas`` a holiday, ``2026-12-26 10:00-14:00 Open day`` an opening."""
    found: dict[date, SpecialDay] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        day_text, _, rest = line.partition(" ")
        try:
            day = date.fromisoformat(day_text)
        except ValueError:
            raise HoursInvalid(f"“{line}” must begin with a date, such as 2026-12-25.") from None
        hours, name = [], rest.strip()
        while matched := _SPAN.match(name):
            hours.append(matched[0])
            name = name[matched.end() :].lstrip(" ,")
        if not name:
            raise HoursInvalid(f"{day}: please write a name after it, such as Christmas.")
        if len(name) > MAX_NAME:
            raise HoursInvalid(f"{day}: this name is too long: at most {MAX_NAME} characters.")
        if day in found:
            raise HoursInvalid(f"{day} stands there twice.")
        found[day] = SpecialDay(name=name, spans=spans_of(", ".join(hours), where=str(day)))
    if len(found) > MOST_SPECIAL_DAYS:
        raise HoursInvalid(f"At most {MOST_SPECIAL_DAYS} dates: please take out those that are over.")
    return dict(sorted(found.items()))


def special_text(special: Mapping[date, SpecialDay]) -> str:
    """Dates as ``special_of`` reads them."""
    lines = (" ".join(filter(None, (str(day), text_of(one.spans), one.name))) for day, one in special.items())
    return "\n".join(lines)


def checked(*, zone: str, week: Sequence[str], special: str) -> Schedule:
    """The timetable that a form describes; raises ``HoursInvalid`` with what to do about it."""
    if zone not in available_timezones():
        raise HoursInvalid("There is no such time zone. Write a name such as Europe/Minsk or Asia/Dhaka.")
    days = tuple(spans_of(text, where=name) for name, text in zip(WEEKDAYS, week, strict=True))
    if not any(days):
        raise HoursInvalid("Please give at least one weekday opening hours, or visitors wait for nobody.")
    for today, tomorrow, name in zip(days, (*days[1:], days[0]), WEEKDAYS, strict=True):
        if today and tomorrow and today[-1].until - _MIDNIGHT > tomorrow[0].since:
            raise HoursInvalid(f"{name}: {today[-1]} goes on into the hours of the next day.")
    return Schedule(zone=zone, week=days, special=special_of(special))


def _minute(hours: str, minutes: str, *, where: str) -> int:
    found = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or found > _MIDNIGHT:
        raise HoursInvalid(f"{where}: there is no time {hours}:{minutes}.")
    return found


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _instant(day: date, minutes: int, *, zone: ZoneInfo) -> datetime:
    # As the clocks on the wall go: where they are moved that night, the span is longer or shorter.
    days, rest = divmod(minutes, _MIDNIGHT)
    at = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return at.astimezone(UTC)
