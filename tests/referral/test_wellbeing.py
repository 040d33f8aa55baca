"""What an operator is told about their own shift, and nobody else."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from referral.cases.rules import MANY_HEAVY, SHIFT
from referral.operators.rules import Role
from tests.referral.conftest import Time
from tests.referral.desk import PASSWORD, BotClient, OperatorClient, Service


async def test_heavy_cases_are_counted_for_whoever_had_them_and_a_break_is_offered(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        quiet = await nina.see()
        await _had(bot, nina, danger="concern")
        await _had(bot, nina, danger="urgent")
        some = await nina.see()
        for _ in range(MANY_HEAVY - 1):
            await _had(bot, nina, danger="emergency")
        many = await nina.see()
        async with service.as_operator("olga", role=Role.SUPERVISOR) as olga:
            colleague = await olga.see()

    assert "Only you see this" not in quiet
    assert "last twelve hours: <b>1</b>" in some
    assert "ten minutes" not in some
    assert f"last twelve hours: <b>{MANY_HEAVY}</b>" in many
    assert "ten minutes" in many
    assert "Take next" in many
    assert "Only you see this" not in colleague


async def test_the_next_shift_begins_anew(service: Service, clock: Time) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        await _had(bot, nina, danger="emergency")
        before = await nina.see()
        clock.forward(SHIFT + timedelta(minutes=1))
    async with service.browser() as client:
        await client.post("/sign-in", data={"name": "nina", "password": PASSWORD})
        after = await OperatorClient(client).see()

    assert "Only you see this" in before
    assert "Only you see this" not in after


async def _had(bot: BotClient, operator: OperatorClient, *, danger: str) -> None:
    await bot.open(danger=danger, conversation=str(uuid4()))
    case = await operator.take_next()
    assert case is not None
    await operator.close(case)
