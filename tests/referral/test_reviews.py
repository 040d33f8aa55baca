"""Who reads and marks closed talks, and what of it is stored."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from referral.audit.rules import Act
from referral.audit.tables import AuditRow
from referral.database import Sessions, transaction
from referral.errors import FormIncomplete, ReviewNotYours
from referral.operators.rules import Role
from referral.reviews.rules import Dimension, checked
from tests.referral.desk import BotClient, OperatorClient, Service

NINA, OLGA = uuid4(), uuid4()


def test_nobody_marks_their_own_talk_and_marks_are_those_of_the_form() -> None:
    assert checked({Dimension.SAFETY: 3}, reviewer=OLGA, operator=NINA) == {Dimension.SAFETY: 3}
    with pytest.raises(ReviewNotYours):
        checked({Dimension.SAFETY: 3}, reviewer=NINA, operator=NINA)
    with pytest.raises(ReviewNotYours):
        checked({Dimension.SAFETY: 3}, reviewer=NINA, operator=None)
    with pytest.raises(FormIncomplete):
        checked({}, reviewer=OLGA, operator=NINA)
    with pytest.raises(FormIncomplete):
        checked({Dimension.SAFETY: 4}, reviewer=OLGA, operator=NINA)


async def test_a_supervisor_reads_and_marks_a_closed_talk_and_its_operator_sees_the_marks(
    service: Service, sessions: Sessions
) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("olga", role=Role.SUPERVISOR) as olga,
    ):
        case = await _closed(bot, nina)
        listed = await olga.see("/reviews")
        read = await olga.see(f"/reviews/{case}")
        await olga.send(f"/reviews/{case}", {"opening": "2", "safety": "1", "help": ""})
        saved = await olga.send(f"/reviews/{case}", {"opening": "2", "safety": "3", "help": ""})
        after = await olga.see("/reviews")
        own = await nina.see("/reviews")
    async with transaction(sessions) as session:
        query = select(AuditRow.act).where(AuditRow.case_id == case).order_by(AuditRow.seq)
        acts = list(await session.scalars(query))

    assert acts[-3:] == [Act.CASE_SEEN, Act.CASE_REVIEWED, Act.CASE_REVIEWED]
    assert f"/reviews/{case}" in listed
    assert "меня травят в чате" in read
    assert saved.status_code == 303
    assert f"/reviews/{case}" not in after
    assert "<td>1</td><td>2</td><td>–</td><td>3</td>" in own


async def test_own_open_and_forgotten_talks_are_not_marked_and_operators_read_no_others(
    service: Service,
) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
        service.as_operator("olga", role=Role.SUPERVISOR) as olga,
    ):
        own = await _closed(bot, olga)
        other = await _closed(bot, nina)
        forgotten = await _closed(bot, nina)
        await bot.post(f"/v1/cases/{forgotten}/forget")
        opened = await bot.open(conversation=str(uuid4()))
        marked = await olga.send(f"/reviews/{own}", {"opening": "3"})
        seen = [
            (await olga.http.get(f"/reviews/{case}")).status_code for case in (forgotten, opened, uuid4())
        ]
        read = await nina.http.get(f"/reviews/{other}")
        empty = await olga.send(f"/reviews/{other}", {"opening": ""})
        odd = await olga.send(f"/reviews/{other}", {"opening": "best"})

    assert marked.status_code == 403
    assert seen == [404, 404, 404]
    assert read.status_code == 403
    assert (empty.status_code, odd.status_code) == (422, 422)


async def _closed(bot: BotClient, operator: OperatorClient) -> UUID:
    case = await bot.open(conversation=str(uuid4()))
    await operator.take_next()
    await operator.close(case)
    return case
