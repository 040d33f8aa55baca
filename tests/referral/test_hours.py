"""When people are there, what visitors are told of it, and which clocks count only open time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from referral.audit.rules import Act
from referral.audit.tables import AuditRow
from referral.cases.clocks import Clocks
from referral.cases.rules import DangerLevel
from referral.cases.tables import Case
from referral.database import Sessions, transaction
from referral.errors import HoursInvalid
from referral.hours.rules import ALWAYS, Schedule, checked, spans_of, special_of, special_text, text_of
from referral.operators.rules import Role
from tests.referral.conftest import Time
from tests.referral.desk import Service

#: A Sunday, 03:00 in Minsk.
NIGHT = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
WEEK = ["09:00-18:00"] * 5 + ["", ""]


def _schedule(special: str = "", *, week: list[str] = WEEK, zone: str = "Europe/Minsk") -> Schedule:
    return checked(zone=zone, week=week, special=special)


def test_on_a_closed_sunday_people_are_there_again_on_monday_morning() -> None:
    schedule = _schedule()

    assert not schedule.is_open(NIGHT)
    assert schedule.opens_at(NIGHT) == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def test_a_holiday_is_closed_and_an_exceptional_opening_is_open() -> None:
    schedule = _schedule("2026-11-23 A holiday\n2026-11-22 10:00-12:00 Night of the open door")

    assert schedule.opens_at(NIGHT) == datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    assert not schedule.is_open(datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    assert schedule.is_open(datetime(2026, 11, 24, 8, 0, tzinfo=UTC))


def test_hours_past_midnight_belong_to_the_evening_on_which_they_began() -> None:
    schedule = _schedule(week=["", "", "", "", "20:00-02:00", "", ""])

    # Saturday, 01:30 and 02:00 in Minsk.
    assert schedule.is_open(datetime(2026, 11, 20, 22, 30, tzinfo=UTC))
    assert not schedule.is_open(datetime(2026, 11, 20, 23, 0, tzinfo=UTC))


def test_open_time_is_counted_over_nights_and_breaks() -> None:
    schedule = _schedule(week=["09:00-12:00, 13:00-18:00"] * 5 + ["", ""])
    friday_evening = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # 17:00 in Minsk

    # An hour on Friday, three on Monday morning, the last after the break.
    assert schedule.after(friday_evening, timedelta(hours=5)) == datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


@given(
    st.integers(min_value=0, max_value=365 * 24 * 60).map(lambda minutes: NIGHT + timedelta(minutes=minutes)),
    st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=5)),
    st.sampled_from(["Europe/Minsk", "Asia/Dhaka", "Europe/Berlin"]),
)
def test_open_time_is_never_shorter_than_time_and_ends_while_open(
    now: datetime, span: timedelta, zone: str
) -> None:
    schedule = _schedule(zone=zone)

    end = schedule.after(now, span)

    assert end >= now + span
    assert schedule.is_open(end - timedelta(microseconds=1))
    assert ALWAYS.after(now, span) == now + span


def test_an_emergency_and_what_is_urgent_count_at_night_and_a_concern_does_not() -> None:
    clocks = Clocks(hours=_schedule())

    due = {danger: clocks.started(danger, now=NIGHT).due_at for danger in DangerLevel}

    assert due[DangerLevel.EMERGENCY] == NIGHT + timedelta(minutes=2)
    assert due[DangerLevel.URGENT] == NIGHT + timedelta(minutes=15)
    assert due[DangerLevel.CONCERN] == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"zone": "Minsk"}, "no such time zone"),
        ({"week": [""] * 7}, "at least one weekday"),
        ({"week": ["9 to 5", *WEEK[1:]]}, "Monday: “9 to 5” is no time"),
        ({"week": ["09:00-25:00", *WEEK[1:]]}, "there is no time 25:00"),
        ({"week": ["09:00-14:00, 13:00-18:00", *WEEK[1:]]}, "overlap"),
        ({"week": ["20:00-10:00", *WEEK[1:]]}, "goes on into the hours of the next day"),
        ({"special": "Christmas"}, "must begin with a date"),
        ({"special": "2026-12-25"}, "write a name"),
        ({"special": "2026-12-25 a\n2026-12-25 b"}, "stands there twice"),
    ],
)
def test_hours_that_cannot_be_are_refused_with_a_sentence(changes: dict[str, object], sentence: str) -> None:
    fields = {"zone": "Europe/Minsk", "week": WEEK, "special": ""} | changes

    with pytest.raises(HoursInvalid, match=sentence):
        checked(**fields)  # type: ignore[arg-type]


def test_hours_and_dates_are_read_as_they_are_written() -> None:
    assert text_of(spans_of("9:00-13:00,14:00 – 24:00", where="")) == "09:00-13:00, 14:00-24:00"
    special = "2026-12-25 Christmas\n2026-12-26 10:00-12:00, 13:00-15:00 Open day"
    assert special_text(special_of(special)) == special
    assert special_of(special)[date(2026, 12, 25)].spans == ()


async def test_a_supervisor_writes_hours_down_and_the_bot_learns_when_people_are_there(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    tomorrow = (clock() + timedelta(days=1)).date()
    fields = {"zone": "UTC", "special": f"{clock().date()} A holiday"}
    fields |= {f"day{day}": "09:00-18:00" for day in range(7)}
    async with service.as_bot() as bot, service.as_operator("vera", role=Role.SUPERVISOR) as vera:
        await vera.see("/")
        before = (await bot.get("/v1/helpline")).json()
        refused = await vera.send("/hours", fields | {"day0": "soon"})
        accepted = await vera.send("/hours", fields)
        page = await vera.see("/hours")
        after = (await bot.get("/v1/helpline")).json()
        calm, urgent = await bot.open(danger="concern"), await bot.open(danger="urgent")
        status = await bot.status(calm)

    assert before == {"here": True, "opens_at": None}
    assert refused.status_code == 422
    assert "“soon” is no time" in refused.text
    assert 'value="soon"' in refused.text
    assert accepted.status_code == 303
    assert "A holiday" in page
    assert after == {"here": False, "opens_at": f"{tomorrow}T09:00:00Z"}
    assert (status["here"], status["opens_at"]) == (False, after["opens_at"])
    async with transaction(sessions) as session:
        due = {case.number: case.due_at for case in await session.scalars(select(Case))}
        acts = (await session.scalars(select(AuditRow.act))).all()
    assert due[calm] == datetime(tomorrow.year, tomorrow.month, tomorrow.day, 13, tzinfo=UTC)
    assert (due[urgent] or clock()) < clock() + timedelta(minutes=15)
    assert acts.count(Act.HOURS_CHANGED) == 1


async def test_a_helpline_that_is_open_without_anybody_at_the_desk_promises_no_time(
    service: Service, clock: Time
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        await nina.see("/")
        there = (await bot.get("/v1/helpline")).json()
        clock.forward(timedelta(minutes=3))
        gone = (await bot.get("/v1/helpline")).json()

    assert there == {"here": True, "opens_at": None}
    assert gone == {"here": False, "opens_at": None}
