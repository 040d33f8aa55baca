"""A case is set aside until a time that its visitor is told, and wakes then, or as soon as they write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from referral.cases.rules import MAX_ASIDE
from referral.cases.tables import Case, Message, rehearse
from referral.database import Sessions, transaction
from referral.operators.rules import Role
from referral.replies.rules import LOCALES
from referral.replies.times import told
from tests.referral.conftest import Time
from tests.referral.desk import OperatorClient, Service, eventually
from tests.referral.serving import FakeBot
from tests.referral.test_rehearsal import children_of, practise

NOTE = "Exam in the morning; wants to talk about the chat."
SINCE = datetime(2026, 12, 1, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "Tuesday, 1 December, 16:00–18:00"),
        ("ru", "вторник, 1 декабря, 16:00–18:00"),
        ("be", "аўторак, 1 снежня, 16:00–18:00"),
        ("bn", "মঙ্গলবার, 1 ডিসেম্বর, 16:00–18:00"),
    ],
)
def test_a_time_is_told_in_the_visitors_language_by_the_operators_clock(locale: str, words: str) -> None:
    assert locale in LOCALES
    assert (
        told(SINCE, until=SINCE + timedelta(hours=2), locale=locale, zone=ZoneInfo("Europe/Minsk")) == words
    )


async def test_the_visitor_reads_when_somebody_writes_again_and_no_clock_runs_meanwhile(
    service: Service, clock: Time, sessions: Sessions, bot: FakeBot
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        answer = await set_aside(nina, case, clock, until="18:00")
        desk, page = await nina.see("/"), await nina.see(f"/cases/{case}")
        await bot.until(lambda seen: len(seen.texts) == 1)
        clock.forward(timedelta(minutes=20))
        await nina.see("/")
        queue = await nina.take_next()
        found = await _case(sessions, case)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    assert "–18:00" in bot.texts[0]
    assert "Тебе снова напишут" in bot.texts[0]
    assert bot.kinds == ["case.taken", "case.message"]
    assert "Set aside until" in desk
    assert "<b>nina</b> set the case aside" in page
    assert NOTE in page
    assert queue is None
    assert found.state == "held"
    assert found.due_at is None


async def test_at_its_time_it_is_with_whoever_is_here_and_the_clock_begins_anew(
    service: Service, clock: Time, sessions: Sessions, bot: FakeBot
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open(danger="urgent")
        await nina.take_next()
        soon = clock() + timedelta(minutes=20)
        await nina.send(
            f"/cases/{case}/set-aside",
            {"entry": str(uuid4()), "day": f"{soon:%Y-%m-%d}", "since": f"{soon:%H:%M}", "note": NOTE},
        )
        aside = await _case(sessions, case)
        await _present_until(nina, clock, aside.aside_until)
        woken = await eventually(lambda: _case(sessions, case), lambda seen: seen.aside_until is None)
        page = await nina.see(f"/cases/{case}")

    assert woken.state == "held"
    assert woken.due_at is not None
    assert woken.due_at >= aside.aside_until + timedelta(minutes=15)  # type: ignore[operator]
    assert "The case is awake again" in page
    assert "Set aside</strong> until" not in page
    assert "case.returned" not in bot.kinds


async def test_at_its_time_it_goes_to_the_line_if_its_operator_is_not_here(
    service: Service, clock: Time, sessions: Sessions, bot: FakeBot
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await set_aside(nina, case, clock)
        clock.forward(timedelta(days=2))
        await eventually(lambda: _case(sessions, case), lambda seen: seen.state == "waiting")
        await bot.until(lambda seen: "case.returned" in seen.kinds)
    async with service.as_operator("oleg") as oleg:
        taken = await oleg.take_next()
        page = await oleg.see(f"/cases/{case}")

    assert taken == case
    assert NOTE in page


async def test_it_wakes_at_once_when_the_visitor_writes(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await set_aside(nina, case, clock)
        await client.say(case, "он опять пишет")
        woken = await eventually(lambda: _case(sessions, case), lambda seen: seen.aside_until is None)

    assert woken.due_at is not None


async def test_it_wakes_at_once_when_danger_is_heard(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await set_aside(nina, case, clock)
        await client.post(f"/v1/cases/{case}/danger", {"danger": "emergency"})
        woken = await eventually(lambda: _case(sessions, case), lambda seen: seen.aside_until is None)

    assert woken.danger == "emergency"
    assert woken.due_at is not None
    assert woken.due_at <= clock() + timedelta(minutes=2)


async def test_only_its_holder_sets_it_aside_and_only_for_two_weeks(
    service: Service, clock: Time, sessions: Sessions, bot: FakeBot
) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
    ):
        case = await client.open()
        await nina.take_next()
        refused = [
            await set_aside(oleg, case, clock),
            await set_aside(nina, case, clock, ahead=-timedelta(days=1)),
            await set_aside(nina, case, clock, ahead=MAX_ASIDE + timedelta(days=1)),
            await set_aside(nina, case, clock, until="15:00"),
            await nina.send(f"/cases/{case}/set-aside", {"entry": str(uuid4()), "day": "", "since": ""}),
        ]
        found = await _case(sessions, case)

    assert [answer.status_code for answer in refused] == [409, 422, 422, 422, 422]
    assert found.aside_until is None
    assert bot.texts == []


async def test_sending_the_form_twice_tells_the_visitor_once(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        entry = uuid4()
        for _ in range(2):
            await set_aside(nina, case, clock, entry=entry)
        thread = await _happened(sessions, case)

    assert thread.count("set_aside") == 1


async def test_a_macro_sets_aside_until_the_next_day(
    service: Service, clock: Time, sessions: Sessions, bot: FakeBot
) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
    ):
        await vera.send("/macros", {"slug": "tomorrow", "title": "Tomorrow", "reply": "", "then": "aside"})
        case = await client.open()
        await vera.take_next()
        answer = await vera.send(f"/cases/{case}/macros/tomorrow", {"entry": str(uuid4())})
        await bot.until(lambda seen: len(seen.texts) == 1)
        found = await _case(sessions, case)

    assert answer.status_code == 303
    assert found.aside_until is not None
    assert timedelta(hours=23) < found.aside_until - clock() <= timedelta(days=1)


async def test_whoever_leaves_while_set_aside_is_waited_for_no_longer(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as nina:
        case = await client.open()
        await nina.take_next()
        await set_aside(nina, case, clock)
        await client.post(f"/v1/cases/{case}/leave")
        found = await _case(sessions, case)

    assert found.aside_until is None
    assert found.holder_id is not None


async def test_a_rehearsal_wakes_too(service: Service, clock: Time, sessions: Sessions) -> None:
    async with service.as_operator("nina") as nina:
        await practise(nina)
        case = await children_of(service).arrive("blackmail", locale="en")
        await nina.take_next()
        await set_aside(nina, case, clock)
        aside = await _case(sessions, case, rehearsal=True)
        clock.forward(timedelta(days=2))
        woken = await eventually(
            lambda: _case(sessions, case, rehearsal=True), lambda seen: seen.aside_until is None
        )

    assert aside.aside_until is not None
    assert woken.state == "waiting"


async def set_aside(
    operator: OperatorClient,
    case: UUID,
    clock: Time,
    *,
    ahead: timedelta = timedelta(days=1),
    until: str = "",
    entry: UUID | None = None,
) -> httpx.Response:
    """Until four in the afternoon of another day, by an operator whose browser has no time zone: UTC."""
    fields = {
        "entry": str(entry or uuid4()),
        "day": f"{clock() + ahead:%Y-%m-%d}",
        "since": "16:00",
        "until": until,
        "note": NOTE,
    }
    return await operator.send(f"/cases/{case}/set-aside", fields)


async def _present_until(operator: OperatorClient, clock: Time, until: datetime | None) -> None:
    """Time passes; the operator's page is open shortly before and after its end."""
    assert until is not None
    clock.forward(until - clock() - timedelta(seconds=60))
    await operator.see("/")
    clock.forward(timedelta(seconds=61))


async def _case(sessions: Sessions, number: UUID, *, rehearsal: bool = False) -> Case:
    async with transaction(sessions) as session:
        if rehearsal:
            rehearse(session)
        return (await session.scalars(select(Case).where(Case.number == number))).one()


async def _happened(sessions: Sessions, case: UUID) -> list[str | None]:
    async with transaction(sessions) as session:
        query = select(Message.happened).where(Message.case_id == case).order_by(Message.seq)
        return list((await session.scalars(query)).all())
