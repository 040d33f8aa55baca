"""A case goes from one operator to another with a note, and never to somebody who is not there."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from referral.cases.rules import AWAY_AFTER
from referral.operators.rules import Role
from tests.referral.conftest import Time
from tests.referral.desk import OperatorClient, Service
from tests.referral.serving import FakeBot

NOTE = "Knows the boy from school; the mother is told."


async def test_a_colleague_gets_the_case_with_the_note_and_the_visitor_notices_nothing(
    service: Service, bot: FakeBot
) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
    ):
        case = await client.open()
        await oleg.see("/")
        await nina.take_next()
        to = await _colleagues(nina, case)
        answer = await nina.send(f"/cases/{case}/pass-on", {"to": to["oleg"], "note": NOTE})
        gone = await nina.http.get(f"/cases/{case}")
        page = await oleg.see(f"/cases/{case}")
        await oleg.write(case, "я здесь")
        await bot.until(lambda seen: seen.texts == ["я здесь"])

    assert set(to) == {"oleg"}
    assert answer.headers["location"] == "/"
    assert gone.status_code == 404
    assert "<b>nina</b> passed the case to a colleague" in page
    assert NOTE in page
    assert bot.kinds == ["case.taken", "case.message"]


async def test_a_case_is_passed_on_only_with_a_note_and_only_to_a_colleague_who_is_there(
    service: Service, clock: Time
) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
        service.as_operator("vera", role=Role.EDITOR),
    ):
        case = await client.open()
        await oleg.see("/")
        await nina.take_next()
        to = (await _colleagues(nina, case))["oleg"]
        path = f"/cases/{case}/pass-on"
        refused = [
            await nina.send(path, {"to": to, "note": "so"}),
            await nina.send(path, {"to": "", "note": NOTE}),
            await nina.send(path, {"to": to, "note": "x" * 501}),
            await oleg.send(path, {"to": to, "note": NOTE}),
        ]
        clock.forward(AWAY_AFTER - timedelta(seconds=20))
        await nina.see("/")
        clock.forward(timedelta(seconds=30))
        away = await nina.send(path, {"to": to, "note": NOTE})
        page = await nina.see(f"/cases/{case}")

    assert [answer.status_code for answer in refused] == [422, 422, 422, 409]
    assert away.status_code == 409
    assert "Pass to a colleague" not in page


async def test_a_note_goes_back_to_the_queue_with_the_case(service: Service) -> None:
    async with (
        service.as_bot() as client,
        service.as_operator("nina") as nina,
        service.as_operator("oleg") as oleg,
    ):
        case = await client.open()
        await nina.take_next()
        await nina.send(f"/cases/{case}/release", {"note": NOTE})
        await oleg.take_next()
        page = await oleg.see(f"/cases/{case}")

    assert NOTE in page


async def _colleagues(operator: OperatorClient, case: UUID) -> dict[str, str]:
    """Whom the page of a case offers to pass it to, and their ids."""
    page = await operator.see(f"/cases/{case}")
    chooser = page[page.index('id="to"') :].partition("</select>")[0]
    return {name: number for number, name in re.findall(r'<option value="([0-9a-f-]{36})">(\w+)<', chooser)}
