"""What a visitor agreed to, taking it back, and what they say of a talk when it is over."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from referral.audit.rules import Act
from referral.audit.tables import AuditRow
from referral.cases.rules import CaseState, DangerLevel, Face, Outcome, Standing, may_be_rated
from referral.cases.tables import Rating
from referral.database import Sessions, transaction
from referral.operators.rules import Role
from tests.referral.desk import OperatorClient, Service
from tests.referral.serving import FakeBot
from tests.referral.test_card import _handed_over

CONSENT = "Оператор увидит то, что вы написали."


async def test_the_sentence_the_language_the_scope_and_the_time_stand_on_the_card(service: Service) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        await client.open(**_handed_over())
        page = await operator.see(f"/cases/{await operator.take_next()}")

    assert CONSENT in page
    consent = page.partition(CONSENT)[2]
    assert "Russian" in consent
    assert "2026-11-22" in consent
    assert "the messages of the chat" in consent


async def test_the_holder_sees_at_once_that_consent_was_taken_back_and_may_talk_on(service: Service) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        case = await _held(client, operator)
        for _ in range(2):
            assert (await client.post(f"/v1/cases/{case}/revoke")).status_code == 200
        page = await operator.see(f"/cases/{case}")
        answer = await operator.write(case, "хорошо")

    assert "does not want anything shared any more" in page
    assert page.count("took their consent back") == 1
    assert "меня травят в чате" in page
    assert answer.status_code == 303


async def test_who_takes_the_case_afterwards_reads_nothing_of_before(service: Service) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("olga") as olga,
        service.as_operator("vera", role=Role.SUPERVISOR) as supervisor,
    ):
        case = await _held(client, nina)
        await client.say(case, "до отзыва")
        await client.post(f"/v1/cases/{case}/revoke")
        await client.say(case, "после отзыва")
        await nina.send(f"/cases/{case}/release")
        assert await olga.take_next() == case
        page = await olga.see(f"/cases/{case}")
        picked = {"reason": "the child asked for a supervisor"}
        await supervisor.send(f"/cases/{case}/pick", picked)
        theirs = await supervisor.see(f"/cases/{case}")

    for seen in (page, theirs):
        assert "после отзыва" in seen
        assert CONSENT in seen
        for words in (
            "до отзыва",
            "меня травят в чате",
            "не могу спать",
            "For some days",
            "A person will write",
        ):
            assert words not in seen, words


async def test_nobody_reviews_a_talk_whose_consent_was_taken_back(service: Service) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("vera", role=Role.SUPERVISOR) as supervisor,
    ):
        case = await _held(client, nina)
        await nina.close(case)
        assert str(case) in await supervisor.see("/reviews")
        await client.post(f"/v1/cases/{case}/revoke")
        offered = await supervisor.see("/reviews")
        answer = await supervisor.http.get(f"/reviews/{case}")

    assert str(case) not in offered
    assert answer.status_code == 404


async def test_need_to_know_an_operator_their_own_a_supervisor_the_list_an_auditor_the_log_alone(
    service: Service,
) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("olga") as olga,
        service.as_operator("vera", role=Role.SUPERVISOR) as supervisor,
        service.as_operator("anna", role=Role.AUDITOR) as auditor,
    ):
        case = await _held(client, nina)
        waiting = await client.open()
        queue = await olga.see("/")
        others = [(await olga.http.get(f"/cases/{number}")).status_code for number in (case, waiting)]
        listed = await supervisor.see("/supervision")
        log = await auditor.see("/audit")
        shut = [
            (await auditor.http.get(path)).status_code
            for path in (f"/cases/{case}", "/supervision", "/replies", "/reports", "/reviews")
        ]

    assert "меня травят в чате" not in queue + listed + log
    assert others == [404, 404]
    assert str(case) in listed
    assert str(waiting) in listed
    assert shut == [403] * 5


@pytest.mark.parametrize(
    ("outcome", "changes", "asked"),
    [
        (Outcome.ADVICE_GIVEN, {}, True),
        (Outcome.CHILD_PROTECTION, {}, True),
        (Outcome.EMERGENCY_SERVICES, {}, False),
        (Outcome.VISITOR_SILENT, {}, False),
        (Outcome.LEFT, {}, False),
        (Outcome.FORGOTTEN, {}, False),
        (None, {"state": CaseState.HELD, "holder": uuid4()}, False),
        (Outcome.ADVICE_GIVEN, {"revoked": True}, False),
        (Outcome.ADVICE_GIVEN, {"gone": True}, False),
    ],
)
def test_how_a_talk_was_is_asked_after_it_and_never_after_a_crisis_or_a_no(
    outcome: Outcome | None, changes: dict[str, Any], asked: bool
) -> None:
    case = Standing(**{"state": CaseState.CLOSED, "danger": DangerLevel.NONE, "outcome": outcome} | changes)

    assert may_be_rated(case) is asked


async def test_the_bot_hears_whether_it_may_ask(service: Service, bot: FakeBot) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        for outcome in ("advice_given", "emergency_services"):
            case = await _held(client, operator, plain=True)
            fields = {"outcome": outcome, "code": "violence.cyberbullying"}
            await operator.send(f"/cases/{case}/close", fields)
        await bot.until(lambda heard: heard.kinds.count("case.closed") == 2)

    closed = [event["data"] for event in bot.events if event["type"] == "case.closed"]
    assert [data.get("rate", False) for data in closed] == [True, False]


async def test_an_answer_is_counted_once_and_apart_from_the_case(
    service: Service, sessions: Sessions
) -> None:
    async with service.as_bot() as client, service.as_operator("nina") as operator:
        case = await _held(client, operator)
        early = await client.post(f"/v1/cases/{case}/rating", {"face": "bad"})
        await operator.close(case)
        for face in ("good", "bad"):
            assert (await client.post(f"/v1/cases/{case}/rating", {"face": face})).status_code == 200
    async with transaction(sessions) as session:
        counted = (await session.execute(select(Rating.face, Rating.number, Rating.locale))).all()
        noted = await session.scalar(
            select(func.count()).select_from(AuditRow).where(AuditRow.act == Act.TALK_RATED)
        )

    assert early.status_code == 200
    assert [tuple(row) for row in counted] == [(Face.GOOD, 1, "ru")]
    assert noted == 1


async def test_few_answers_are_hidden_in_the_report(service: Service, engine: AsyncEngine) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("vera", role=Role.SUPERVISOR) as supervisor,
    ):
        for number in range(12):
            case = await client.open(conversation=f"pseudonym {number}")
            assert await supervisor.take_next() == case
            await supervisor.close(case)
            face = "good" if number < 9 else "bad"
            await client.post(f"/v1/cases/{case}/rating", {"face": face})
        few = await supervisor.see("/reports")
        async with engine.begin() as connection:
            await connection.execute(update(Rating).values(number=20))
        many = await supervisor.see("/reports")

    assert ">hidden<" in _talk(few)
    assert ">hidden<" not in _talk(many)
    assert "20" in _talk(many)


def _talk(page: str) -> str:
    return page.partition('id="sheet-talk"')[2].partition("</section>")[0]


async def _held(client: Any, operator: OperatorClient, *, plain: bool = False) -> UUID:
    handed = {} if plain else {name: value for name, value in _handed_over().items() if name != "messages"}
    case: UUID = await client.open(**handed)
    assert await operator.take_next() == case
    return case
