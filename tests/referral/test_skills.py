"""Who gets whom: danger, then age, among those whom an operator serves; nobody is left behind."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from referral.database import Sessions, transaction
from referral.operators.rules import Role, Skills
from referral.operators.tables import Operator
from tests.referral.conftest import Time
from tests.referral.desk import OperatorClient, Service


def test_what_is_not_known_of_a_visitor_keeps_nobody_away() -> None:
    skills = Skills(locales=frozenset({"bn"}), roles=frozenset({"child", "teen"}))

    assert skills.serve(locale="bn", country="BD", role=None)
    assert not skills.serve(locale="ru", country=None, role="child")
    assert not skills.serve(locale="bn", country=None, role="teacher")
    assert Skills().serve(locale="ru", country="BY", role="teacher")


async def test_an_operator_gets_whom_they_serve_then_others_who_have_waited(
    service: Service, clock: Time, sessions: Sessions
) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_operator("nina") as nina,
    ):
        await _serves(vera, "nina", sessions, locales="bn")
        russian = await bot.open(locale="ru", danger="urgent")
        bangla = await bot.open(locale="bn", danger="concern")
        desk = await nina.see("/")
        first, second = await nina.take_next(), await nina.take_next()
        clock.forward(timedelta(minutes=5))
        third = await nina.take_next()

    assert "You serve Bangla" in desk
    assert (first, second, third) == (bangla, None, russian)


async def test_an_emergency_goes_to_anybody_at_once(service: Service, sessions: Sessions) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_operator("nina") as nina,
    ):
        await _serves(vera, "nina", sessions, locales="bn", countries="BD", roles="child")
        await bot.open(locale="bn", country="BD", role="child", danger="urgent")
        emergency = await bot.open(locale="ru", country="BY", role="teacher", danger="emergency")

        assert await nina.take_next() == emergency


async def test_skills_that_nobody_offers_are_refused(service: Service, sessions: Sessions) -> None:
    async with service.as_operator("vera", role=Role.SUPERVISOR) as vera:
        number = await _number(sessions, "vera")
        answer = await vera.send(f"/operators/{number}/skills", {"locales": "tlh"})

    assert answer.status_code == 422


async def _serves(vera: OperatorClient, name: str, sessions: Sessions, **skills: str) -> None:
    answer = await vera.send(f"/operators/{await _number(sessions, name)}/skills", skills)
    assert answer.status_code == 303


async def _number(sessions: Sessions, name: str) -> str:
    async with transaction(sessions) as session:
        return str((await session.scalars(select(Operator.number).where(Operator.name == name))).one())
