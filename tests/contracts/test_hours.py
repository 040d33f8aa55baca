"""What the desk knows of its hours reaches a visitor: the real worker asks the real referral service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.privacy import Privacy
from bot.referral_client import ReferralClient, Standing
from bot.store import Store, open_engine
from referral.operators.rules import Role
from tests.bot.conftest import SECRET
from tests.bot.test_worker import WebVisitor, execute, working
from tests.referral.conftest import Time
from tests.referral.desk import Service, case_json, eventually
from tests.referral.serving import SERVICE_SECRET

_EVERY_DAY = {f"day{day}": "09:00-18:00" for day in range(7)}


@pytest.fixture
async def client(service: Service) -> AsyncIterator[ReferralClient]:
    made = ReferralClient(service.url, secret=SERVICE_SECRET)
    yield made
    await made.close()


@asynccontextmanager
async def visitor_of(database_url: str, service: Service) -> AsyncIterator[WebVisitor]:
    """Somebody on the web chat of a bot that reaches this desk."""
    engine, privacy = open_engine(database_url), Privacy(SECRET)
    async with working(database_url, desk=service.url, service_secret=SERVICE_SECRET):
        yield WebVisitor(Store(engine, privacy=privacy), privacy)
    await engine.dispose()


async def _closed_today(service: Service, clock: Time) -> None:
    async with service.as_operator("vera", role=Role.SUPERVISOR) as vera:
        fields = {"zone": "UTC", "special": f"{clock().date()} A holiday", **_EVERY_DAY}
        assert (await vera.send("/hours", fields)).status_code == 303


async def test_a_visitor_hears_that_nobody_is_there_and_when_people_are_back_by_their_own_clocks(
    service: Service, clock: Time, database_url: str
) -> None:
    await _closed_today(service, clock)
    opens_at = (clock() + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    in_minsk = timedelta(hours=3)

    async with visitor_of(database_url, service) as visitor:
        for pressed in ("i:talk_to_human", "n:handover:offer:yes", "i:report_status"):
            await visitor.does("choice", text=pressed, locale="ru", country="BY")
        said = await visitor.hears(at_least=5)

    same_day = (opens_at + in_minsk).date() == (clock() + in_minsk).date()
    back = f"Люди снова будут здесь {'сегодня' if same_day else 'завтра'} в 12:00."
    assert [message["key"] for message in said[:5]] == [
        "handover.nobody_here",
        "handover.offer",
        "handover.kept",
        "handover.code",
        "report_status.waiting",
    ]
    for message in (said[0], said[2], said[4]):
        assert back in message["text"]


async def test_a_visitor_hears_no_time_while_somebody_should_be_there_and_is_not(
    service: Service, database_url: str
) -> None:
    async with visitor_of(database_url, service) as visitor:
        await visitor.does("choice", text="i:talk_to_human", locale="en", country="BD")
        said = await visitor.hears(at_least=2)

    assert "I can't see when somebody will be" in said[0]["text"]
    assert "1098" in said[0]["text"]


async def test_a_visitor_hears_nothing_of_hours_while_somebody_is_there(
    service: Service, database_url: str
) -> None:
    async with visitor_of(database_url, service) as visitor, service.as_operator("nina") as nina:
        await nina.see("/")
        for pressed in ("i:talk_to_human", "n:handover:offer:yes", "n:handover:others:no"):
            await visitor.does("choice", text=pressed)
        said = await visitor.hears(at_least=3)

    keys = [message["key"] for message in said[:3]]
    assert keys == ["handover.offer", "handover.others", "handover.waiting"]


async def test_a_private_code_tells_from_another_device_how_the_case_stands_and_no_word_of_it(
    service: Service, database_url: str
) -> None:
    async with visitor_of(database_url, service) as visitor, service.as_operator("nina") as nina:
        await nina.see("/")
        for pressed in ("i:talk_to_human", "n:handover:offer:yes", "n:handover:others:no"):
            await visitor.does("choice", text=pressed, locale="en", country="BY")
        told = (await visitor.hears(at_least=4))[3]
        code = "".join(filter(str.isdecimal, told["text"]))[:10]
        elsewhere = WebVisitor(visitor.store, Privacy(SECRET), address="another device")
        for pressed in ("i:report_status", "n:report_status:nothing_open:have_code"):
            await elsewhere.does("choice", text=pressed)
        await elsewhere.hears(at_least=2)
        # Given that the case has come to the desk
        await eventually(nina.take_next, lambda taken: taken is not None)

        await elsewhere.writes(f"{code[:3]} {code[3:6]} {code[6:]}")
        answer = await elsewhere.hears(at_least=1)
        kept = await execute(database_url, "SELECT count(*) FROM case_code")

    assert told["key"] == "handover.code"
    assert [message["key"] for message in answer] == ["report_status.code_live"]
    assert kept == [(1,)]


async def test_opening_a_case_and_its_status_say_whether_anybody_is_there(
    service: Service, clock: Time
) -> None:
    await _closed_today(service, clock)
    async with service.as_bot() as bot:
        wanted = case_json(danger="urgent")
        opened = (await bot.post("/v1/cases", wanted)).json()
        status = (await bot.get(f"/v1/cases/{wanted['id']}/status")).json()
        helpline = (await bot.get("/v1/helpline")).json()

    assert {told["here"] for told in (opened, status, helpline)} == {False}
    assert opened["opens_at"] == status["opens_at"] == helpline["opens_at"] is not None


async def test_of_a_case_that_has_not_come_to_the_desk_yet_only_the_hours_are_known(
    client: ReferralClient,
) -> None:
    assert await client.standing(uuid4()) == Standing(here=False)


async def test_of_a_desk_that_does_not_answer_nothing_is_claimed() -> None:
    away = ReferralClient("http://127.0.0.1:9", secret=SERVICE_SECRET)

    assert await away.standing(None) == await away.standing(uuid4()) == Standing()
    await away.close()
