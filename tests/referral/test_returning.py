"""A case that nobody answers comes back to the line by itself, once, and never out of busy hands."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from referral.cases import rules
from referral.cases.desk import Desk
from referral.cases.intake import Intake
from referral.cases.returning import Returning
from referral.cases.rules import AWAY_AFTER, Happening
from referral.cases.schemas import NewCase
from referral.cases.tables import Case, Message
from referral.clock import utc_now
from referral.database import Sessions, transaction
from referral.errors import CaseNotHeld
from referral.events.tables import EventKind, OutgoingEvent
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.privacy import Privacy
from tests.referral.conftest import Time
from tests.referral.desk import OperatorClient, Service, case_json, eventually
from tests.referral.serving import FakeBot

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TEN = timedelta(minutes=10)
LONG_AGO = NOW - timedelta(hours=5)


def _lapse(**changes: datetime | None) -> Happening | None:
    given: dict[str, datetime | None] = {
        "taken_at": LONG_AGO,
        "awaits_since": None,
        "present_at": NOW,
        "watched_since": LONG_AGO,
    }
    return rules.lapse(**(given | changes), answer_within=TEN, now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"awaits_since": NOW - TEN + timedelta(seconds=1)}, None),
        ({"awaits_since": NOW - TEN}, Happening.UNANSWERED),
        ({"present_at": NOW - AWAY_AFTER + timedelta(seconds=1)}, None),
        ({"present_at": NOW - AWAY_AFTER}, Happening.AWAY),
        ({"present_at": None}, Happening.AWAY),
        ({"present_at": None, "taken_at": NOW - timedelta(seconds=90)}, None),
        # While the desk itself was down nobody could answer or be seen.
        ({"awaits_since": LONG_AGO, "present_at": LONG_AGO, "watched_since": NOW}, None),
    ],
)
def test_when_a_case_goes_back(changes: dict[str, datetime | None], why: Happening | None) -> None:
    assert _lapse(**changes) == why


async def test_a_case_without_an_answer_goes_back_to_its_old_place_and_the_visitor_is_told(
    service: Service, bot: FakeBot, clock: Time
) -> None:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(service.as_bot())
        nina = await stack.enter_async_context(service.as_operator("nina"))
        oleg = await stack.enter_async_context(service.as_operator("oleg"))
        first = await client.open()
        await client.open()
        assert await nina.take_next() == first
        await _pass_with_open_pages(clock, 9, nina)
        assert (await client.status(first))["state"] == "held"

        await _pass_with_open_pages(clock, 1, nina)
        await eventually(lambda: client.status(first), lambda seen: seen["state"] == "waiting")
        status = await client.status(first)
        taken = await oleg.take_next()
        page = await oleg.see(f"/cases/{first}")
        await bot.until(lambda seen: len(seen.events) == 3)

    assert status["place"] == 1
    assert taken == first
    assert "<b>nina</b> did not answer for too long" in page
    assert bot.kinds == ["case.taken", "case.returned", "case.taken"]


async def test_an_answer_gives_time_until_the_visitor_writes_again(service: Service, clock: Time) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await nina.write(case, "здравствуй")
        await _pass_with_open_pages(clock, 30, nina)
        held_while_silent = (await client.status(case))["state"]

        await client.say(case, "ты тут?")
        await _pass_with_open_pages(clock, 6, nina)
        await client.say(case, "ау")
        await _pass_with_open_pages(clock, 3, nina)
        held_for_nine_minutes = (await client.status(case))["state"]
        await _pass_with_open_pages(clock, 1, nina)
        await eventually(lambda: client.status(case), lambda seen: seen["state"] == "waiting")

    assert held_while_silent == held_for_nine_minutes == "held"


async def test_an_operator_whose_pages_are_closed_loses_their_cases_but_not_by_a_reload(
    service: Service, bot: FakeBot, clock: Time
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await nina.write(case, "здравствуй")
        for _ in range(4):
            clock.forward(timedelta(seconds=100))
            await nina.see(f"/cases/{case}")
            await asyncio.sleep(1.2)
        held_while_reloading = (await client.status(case))["state"]

        clock.forward(AWAY_AFTER)
        await eventually(lambda: client.status(case), lambda seen: seen["state"] == "waiting")
        await bot.until(lambda seen: "case.returned" in seen.kinds)

    assert held_while_reloading == "held"


async def test_an_open_stream_is_presence_enough(service: Service, clock: Time) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await nina.write(case, "здравствуй")
        async with nina.http.stream("GET", "/stream", headers={"accept": "text/event-stream"}) as stream:
            lines = stream.aiter_lines()
            for _ in range(4):
                clock.forward(timedelta(seconds=100))
                # Whatever happens in the queue wakes the page, and the page says that it is open.
                other = await client.open()
                await _line(lines, "waiting")
                await client.post(f"/v1/cases/{other}/leave")
                await asyncio.sleep(1.2)
            state = (await client.status(case))["state"]

    assert state == "held"


async def test_a_visitor_who_left_stays_with_the_operator_who_files_the_notes(
    service: Service, sessions: Sessions, clock: Time
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await client.post(f"/v1/cases/{case}/leave")
        clock.forward(timedelta(hours=3))
        await asyncio.sleep(1.5)
        async with transaction(sessions) as session:
            state = (await session.scalars(select(Case.state))).one()

    assert state == "held"


async def test_many_processes_bring_a_case_back_once_and_an_answer_in_time_keeps_it(
    sessions: Sessions, privacy: Privacy
) -> None:
    operator = Operator(number=uuid4(), name="nina", role=Role.OPERATOR)
    began = utc_now()
    async with transaction(sessions) as session:
        session.add(operator)
    cases = [await _held_case(sessions, privacy, operator.number, now=began) for _ in range(10)]
    later = began + TEN
    processes = [Returning(sessions, privacy=privacy, answer_within=TEN) for _ in range(4)]

    async def answer(case: UUID) -> bool:
        async with transaction(sessions) as session:
            desk = Desk(session, operator=operator.number, privacy=privacy, now=later)
            try:
                await desk.write(case, entry=uuid4(), words="я здесь")
            except CaseNotHeld:
                return False
        return True

    *returned, answered = await asyncio.gather(
        *(process.sweep(now=later, watched_since=began) for process in processes), answer(cases[5])
    )

    async with transaction(sessions) as session:
        back = (await session.scalars(select(Case.number).where(Case.state == "waiting"))).all()
        marks = (await session.scalars(select(Message.case_id).where(Message.happened == "unanswered"))).all()
        told = (
            await session.scalars(
                select(OutgoingEvent.case_id).where(OutgoingEvent.kind == EventKind.RETURNED)
            )
        ).all()
    assert sorted(back) == sorted(marks) == sorted(told)
    assert sum(returned) == len(back)
    assert set(cases) - set(back) == ({cases[5]} if answered else set())


async def _held_case(sessions: Sessions, privacy: Privacy, operator: UUID, *, now: datetime) -> UUID:
    wanted = NewCase(**case_json())
    async with transaction(sessions) as session:
        await Intake(session, privacy=privacy, now=now).open(wanted)
    async with transaction(sessions) as session:
        await session.merge(Operator(number=operator, present_at=now + TEN))
        await Desk(session, operator=operator, privacy=privacy, now=now).take_next()
    return wanted.id


async def _pass_with_open_pages(clock: Time, minutes: int, operator: OperatorClient) -> None:
    """Time passes while the operator has the desk before them; the watch has looked at the end of it."""
    for _ in range(minutes):
        clock.forward(timedelta(minutes=1))
        await operator.see("/")
    await asyncio.sleep(1.2)


async def _line(lines: object, wanted: str) -> None:
    async with asyncio.timeout(30):
        async for line in lines:  # type: ignore[attr-defined]
            if wanted in line:
                return
