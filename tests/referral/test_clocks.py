"""How long a visitor may wait, what the desk shows of it, and what happens once when it is over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from referral.cases.clocks import Clocks, ClockStep, estimate
from referral.cases.intake import Intake
from referral.cases.overdue import Overdue
from referral.cases.rules import CaseState, DangerLevel, Outcome
from referral.cases.schemas import NewCase
from referral.cases.tables import Case, Message
from referral.clock import utc_now
from referral.database import Sessions, transaction
from referral.operators.rules import Role
from referral.privacy import Privacy
from tests.referral.conftest import Time
from tests.referral.desk import OperatorClient, Service, case_json, eventually

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LEVELS = st.sampled_from(DangerLevel)


@pytest.mark.parametrize(
    ("after", "step"),
    [(0, ClockStep.RUNNING), (674, ClockStep.RUNNING), (675, ClockStep.WARNING), (900, ClockStep.BREACH)],
)
def test_an_urgent_clock_warns_at_three_quarters_of_its_quarter_of_an_hour(
    after: int, step: ClockStep
) -> None:
    running = Clocks().started(DangerLevel.URGENT, now=NOW)

    assert running.step(NOW + timedelta(seconds=after)) is step


@given(LEVELS, LEVELS, st.timedeltas(min_value=timedelta(), max_value=timedelta(days=3)))
def test_more_danger_never_gives_more_time(
    before: DangerLevel, after: DangerLevel, passed: timedelta
) -> None:
    clocks = Clocks()
    running = clocks.started(before, now=NOW)

    hastened = clocks.hastened(running, after, now=NOW + passed)

    assert hastened.due_at <= running.due_at
    assert hastened.due_at <= NOW + passed + clocks.limit(after)
    assert hastened.warn_at <= hastened.due_at


async def test_a_case_that_nobody_answers_is_overdue_and_supervisors_see_it(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_operator("nina") as nina,
    ):
        case = await bot.open(danger="emergency")
        calm = await vera.see("/supervision")
        clock.forward(timedelta(seconds=100))
        warned = await vera.see("/supervision")
        clock.forward(timedelta(seconds=20))
        await eventually(lambda: _marks(sessions), lambda seen: seen == [case])
        late, desk = await vera.see("/supervision"), await nina.see("/")
        metrics = (await vera.http.get("/metrics")).text
        await nina.take_next()
        page = await nina.see(f"/cases/{case}")
        await nina.write(case, "я здесь")
        answered = await vera.see("/supervision")
        await asyncio.sleep(1.2)

    assert "clock-running" in calm
    assert "Due soon:" in warned
    assert "<b>Overdue</b>" in late
    assert "<strong>1 overdue</strong>" in late
    assert "<b>1 overdue</b>" in desk
    assert 'porchlight_cases_overdue{danger="emergency"} 1.0' in metrics
    assert "Nobody has answered in time" in page
    assert "<strong>0 overdue</strong>" in answered
    assert "clock-" not in answered.split("<main")[1]
    assert await _marks(sessions) == [case]


async def test_taking_a_case_without_a_word_does_not_stop_the_clock(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        case = await bot.open(danger="emergency")
        await nina.take_next()
        clock.forward(timedelta(minutes=2))
        await nina.see("/")

        await eventually(lambda: _marks(sessions), lambda seen: seen == [case])


async def test_a_visitor_who_was_answered_and_given_back_gets_a_new_clock(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        case = await bot.open(danger="urgent")
        await nina.take_next()
        await nina.write(case, "здравствуй")
        clock.forward(timedelta(minutes=20))
        await nina.send(f"/cases/{case}/release")
        await asyncio.sleep(1.2)
        marked_at_once = await _marks(sessions)
        clock.forward(timedelta(minutes=15))

        await eventually(lambda: _marks(sessions), lambda seen: seen == [case])

    assert marked_at_once == []


async def test_an_overdue_case_that_gets_more_dangerous_is_overdue_anew(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as bot:
        case = await bot.open(danger="concern")
        clock.forward(timedelta(hours=4))
        await eventually(lambda: _marks(sessions), lambda seen: seen == [case])
        await bot.post(f"/v1/cases/{case}/danger", {"danger": "emergency"})

        await eventually(lambda: _marks(sessions), lambda seen: seen == [case, case])


async def test_who_left_is_not_overdue(service: Service, clock: Time, sessions: Sessions) -> None:
    async with service.as_bot() as bot:
        case = await bot.open(danger="emergency")
        await bot.post(f"/v1/cases/{case}/leave")
        clock.forward(timedelta(hours=1))
        await asyncio.sleep(1.5)

    assert await _marks(sessions) == []


async def test_an_open_desk_hears_at_once_that_a_case_is_overdue(service: Service, clock: Time) -> None:
    async with service.as_bot() as bot, service.as_operator("vera", role=Role.SUPERVISOR) as vera:
        await bot.open(danger="emergency")
        async with vera.http.stream("GET", "/stream", headers={"accept": "text/event-stream"}) as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            clock.forward(timedelta(minutes=2))
            async with asyncio.timeout(30):
                while "<strong>1 overdue</strong>" not in await anext(lines):
                    pass


@pytest.mark.parametrize(
    ("median", "number", "told"),
    [
        (timedelta(minutes=7), 5, 10),
        (timedelta(minutes=10), 5, 10),
        (timedelta(seconds=1), 90, 5),
        (timedelta(minutes=7), 4, None),
        (None, 0, None),
    ],
)
def test_an_estimate_is_rounded_up_and_needs_five_cases(
    median: timedelta | None, number: int, told: int | None
) -> None:
    assert estimate(median, number=number) == told


async def test_who_waits_learns_how_long_it_took_for_others_as_urgent_in_the_last_hours(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as bot:
        case = await bot.open(danger="urgent")
        calm = await bot.open(danger="concern")
        before = await bot.status(case)
        async with transaction(sessions) as session:
            for minutes in (2, 3, 8, 30, 50):
                session.add(_answered(after=timedelta(minutes=minutes)))
        told, other = await bot.status(case), await bot.status(calm)
        clock.forward(timedelta(hours=7))
        later = await bot.status(case)

    assert (before["usual_minutes"], told["usual_minutes"]) == (None, 10)
    assert (other["usual_minutes"], later["usual_minutes"]) == (None, None)


async def test_many_processes_mark_a_case_once(sessions: Sessions, privacy: Privacy) -> None:
    now = utc_now()
    cases = [await _open(sessions, privacy, now=now) for _ in range(12)]
    processes = [Overdue(sessions, privacy=privacy) for _ in range(4)]

    marked = await asyncio.gather(*(each.sweep(now=now + timedelta(hours=4)) for each in processes))

    assert sum(marked) == len(cases)
    assert sorted(await _marks(sessions)) == sorted(cases)


async def test_an_instant_answer_leaves_no_clock_to_a_closed_case(
    service: Service, sessions: Sessions
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        case = await bot.open()
        await nina.take_next()
        await _answer_and_close(nina, case)

    async with transaction(sessions) as session:
        stored = (await session.scalars(select(Case))).one()
    assert stored.answered_at is not None
    assert (stored.warn_at, stored.due_at, stored.overdue_at) == (None, None, None)


async def _answer_and_close(operator: OperatorClient, case: UUID) -> None:
    await operator.write(case, "я здесь")
    assert (await operator.close(case)).status_code == 303


async def _open(sessions: Sessions, privacy: Privacy, *, now: datetime) -> UUID:
    wanted = NewCase(**case_json())
    async with transaction(sessions) as session:
        await Intake(session, privacy=privacy, now=now).open(wanted)
    return wanted.id


def _answered(*, after: timedelta) -> Case:
    """An urgent case that is over, and was answered after this time."""
    now = utc_now()
    return Case(
        number=uuid4(),
        designation="quiet heron",
        state=CaseState.CLOSED,
        danger=DangerLevel.URGENT,
        conversation="a pseudonym",
        channel="web",
        locale="en",
        reason="threats",
        card=b"sealed",
        opened_at=now - after,
        received_at=now - after,
        answered_at=now,
        closed_at=now,
        outcome=Outcome.LEFT,
        gone_at=now,
    )


async def _marks(sessions: Sessions) -> list[UUID]:
    """The cases that were marked as overdue, once for every mark."""
    async with transaction(sessions) as session:
        query = select(Message.case_id).where(Message.happened == "overdue").order_by(Message.seq)
        return list((await session.scalars(query)).all())
