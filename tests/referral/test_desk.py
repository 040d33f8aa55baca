"""Operators never hold the same case, and see what they may and nothing else."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID, uuid4

from sqlalchemy import select, update

from referral.cases.desk import Desk
from referral.cases.intake import Intake
from referral.cases.repository import CaseRepository
from referral.cases.rules import DangerLevel, turn
from referral.cases.schemas import NewCase, NewMessage
from referral.cases.tables import Case
from referral.clock import utc_now
from referral.database import Sessions, transaction
from referral.operators.rules import Role
from referral.operators.tables import Operator
from referral.privacy import Privacy
from tests.referral.desk import Service, case_json
from tests.referral.serving import FakeBot

REASON = "The mother called and asks for help."


async def test_many_operators_who_race_never_hold_the_same_case(sessions: Sessions, privacy: Privacy) -> None:
    operators = await _operators(sessions, 20)
    cases = await _cases(sessions, privacy, [DangerLevel.CONCERN] * 60)

    async def take(operator: UUID) -> list[UUID]:
        taken: list[UUID] = []
        while True:
            async with transaction(sessions) as session:
                desk = Desk(session, operator=operator, privacy=privacy, now=utc_now())
                case = await desk.take_next()
                if case is None:
                    return taken
                taken.append(case.number)

    taken = await asyncio.gather(*(take(operator) for operator in operators))

    holders = Counter(case for row in taken for case in row)
    assert set(holders) == set(cases)
    assert max(holders.values()) == 1
    async with transaction(sessions) as session:
        stored = (await session.execute(select(Case.holder_id, Case.number))).all()
    assert {(operator, case) for operator, row in zip(operators, taken, strict=True) for case in row} == {
        (holder, case) for holder, case in stored
    }


async def test_cases_are_taken_by_danger_and_then_by_age(sessions: Sessions, privacy: Privacy) -> None:
    (operator,) = await _operators(sessions, 1)
    none, concern, urgent, emergency = DangerLevel
    levels = [none, urgent, concern, emergency, urgent, none, emergency]
    await _cases(sessions, privacy, levels)
    async with transaction(sessions) as session:
        stored = (await session.scalars(select(Case))).all()
        expected = sorted(
            stored,
            key=lambda case: turn(DangerLevel(case.danger), received_at=case.received_at, number=case.number),
        )

    taken = []
    for _ in levels:
        async with transaction(sessions) as session:
            case = await Desk(session, operator=operator, privacy=privacy, now=utc_now()).take_next()
            assert case is not None
            taken.append(case.number)

    assert taken == [case.number for case in expected]


async def test_a_visitor_who_is_writing_is_not_passed_over(sessions: Sessions, privacy: Privacy) -> None:
    (operator,) = await _operators(sessions, 1)
    first, _ = await _cases(sessions, privacy, [DangerLevel.URGENT, DangerLevel.NONE])

    async with transaction(sessions) as writing:
        message = NewMessage(id=uuid4(), text="ау", sent_at=utc_now(), danger=DangerLevel.NONE)
        await Intake(writing, privacy=privacy, now=utc_now()).hear(first, message)
        async with transaction(sessions) as session:
            # The row alone, as Take next locks it, while the message is not yet on disk.
            case = await CaseRepository(session).first_waiting()
            assert case is not None
            taken = case.number

    assert taken == first
    async with transaction(sessions) as session:
        case = await Desk(session, operator=operator, privacy=privacy, now=utc_now()).take_next()
    assert case is not None
    assert case.number == first


async def test_an_operator_cannot_look_into_a_case_of_a_colleague(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
    ):
        case = await bot.open()
        await nina.take_next()

        answers = [
            await oleg.http.get(f"/cases/{case}"),
            await oleg.write(case, "привет"),
            await oleg.send(f"/cases/{case}/notes", {"entry": str(uuid4()), "words": "x"}),
            await oleg.send(f"/cases/{case}/release"),
            await oleg.close(case),
            await oleg.send(f"/cases/{case}/pick", {"reason": REASON}),
            await oleg.http.get("/supervision"),
        ]

    assert [answer.status_code for answer in answers] == [404, 409, 409, 409, 409, 403, 403]
    assert "меня травят" not in "".join(answer.text for answer in answers)


async def test_a_case_given_back_keeps_its_age_and_goes_to_the_next_operator(
    service: Service, bot: FakeBot
) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
    ):
        first = await client.open()
        await client.open()
        await nina.take_next()

        answer = await nina.send(f"/cases/{first}/release")
        status = await client.status(first)
        taken = await oleg.take_next()
        await bot.until(lambda seen: len(seen.events) == 3)

    assert answer.status_code == 303
    assert status["place"] == 1
    assert taken == first
    assert bot.kinds == ["case.taken", "case.returned", "case.taken"]


async def test_a_supervisor_takes_a_case_past_the_queue_only_with_a_reason(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_operator("nina") as nina,
    ):
        await bot.open(danger="emergency")
        case = await bot.open(danger="none")

        refused = await vera.send(f"/cases/{case}/pick", {"reason": "so"})
        answer = await vera.send(f"/cases/{case}/pick", {"reason": REASON})
        page = await vera.see(f"/cases/{case}")
        listed = await vera.see("/supervision")
        other = await nina.take_next()

    assert refused.status_code == 422
    assert answer.headers["location"] == f"/cases/{case}"
    assert REASON in page
    assert "with <b>vera</b>" in listed
    assert other != case


async def test_a_supervisor_can_take_a_case_out_of_a_colleagues_hands_unseen_by_the_visitor(
    service: Service, bot: FakeBot
) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_operator("nina") as nina,
    ):
        case = await client.open()
        await nina.take_next()
        await vera.send(f"/cases/{case}/pick", {"reason": REASON})
        lost = await nina.http.get(f"/cases/{case}")
        await vera.write(case, "здравствуй")
        await bot.until(lambda seen: seen.texts == ["здравствуй"])

    assert lost.status_code == 404
    assert bot.kinds == ["case.taken", "case.message"]


async def test_a_note_never_leaves_the_desk(service: Service, bot: FakeBot) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        case = await client.open()
        await operator.take_next()
        await operator.send(f"/cases/{case}/notes", {"entry": str(uuid4()), "words": "звонила школа"})
        await operator.close(case)
        await bot.until(lambda seen: "case.closed" in seen.kinds)

    assert bot.kinds == ["case.taken", "case.closed"]


async def test_a_case_is_closed_with_an_outcome_and_a_code_or_not_at_all(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        await operator.take_next()
        wrong = [
            {"outcome": "", "code": "violence.cyberbullying"},
            {"outcome": "advice_given", "code": "nonsense"},
            {"outcome": "forgotten", "code": "violence.cyberbullying"},
        ]
        refused = [await operator.send(f"/cases/{case}/close", fields) for fields in wrong]
        closed = await operator.close(case)
        again = await operator.close(case)

    assert [answer.status_code for answer in refused] == [422] * 3
    assert closed.status_code == 303
    assert again.status_code == 409


async def test_open_cases_have_different_names_even_if_they_want_the_same_one(
    sessions: Sessions, privacy: Privacy
) -> None:
    cases = await _cases(sessions, privacy, [DangerLevel.NONE] * 5)
    async with transaction(sessions) as session:
        names = set((await session.scalars(select(Case.designation))).all())
        wanted = (await session.scalars(select(Case.designation).where(Case.number == cases[0]))).one()
        # Whatever the next case would be called is taken.
        await session.execute(update(Case).where(Case.number == cases[1]).values(designation="quiet heron"))
        again = case_json()
        opened, _ = await Intake(session, privacy=privacy, now=utc_now()).open(NewCase(**again))

    assert len(names) == 5
    assert opened.designation not in {"quiet heron", wanted}


async def _operators(sessions: Sessions, number: int) -> list[UUID]:
    made = [Operator(number=uuid4(), name=f"operator{index}", role=Role.OPERATOR) for index in range(number)]
    async with transaction(sessions) as session:
        session.add_all(made)
    return [operator.number for operator in made]


async def _cases(sessions: Sessions, privacy: Privacy, levels: list[DangerLevel]) -> list[UUID]:
    numbers = []
    async with transaction(sessions) as session:
        for danger in levels:
            wanted = NewCase(**case_json(danger=danger))
            await Intake(session, privacy=privacy, now=utc_now()).open(wanted)
            numbers.append(wanted.id)
    return numbers
