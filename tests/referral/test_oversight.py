"""What a supervisor sees of how everything is doing and what is in force, and what they can set."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.cases.clocks import Clocks
from referral.config import Settings
from referral.database import Sessions, transaction
from referral.errors import PolicyInvalid
from referral.operators.rules import Role
from referral.policy.repository import PolicyRepository
from referral.policy.rules import BOUNDS, Rule, check, policy_of
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import OperatorClient, Service, eventually, running
from tests.referral.serving import SERVICE_SECRET, FakeBot

DEFAULTS = {
    Rule.EMERGENCY: 2,
    Rule.URGENT: 15,
    Rule.CONCERN: 240,
    Rule.NONE: 1440,
    Rule.ANSWER_WITHIN: 10,
    Rule.HIDE_BELOW: 5,
}
CONDITION: dict[str, Any] = {
    "waiting": {
        "messages": 0,
        "oldest_message_seconds": 0,
        "parked": 0,
        "deliveries": {"channel": 0, "referral": 0},
        "oldest_delivery_seconds": 0,
    },
    "models": [{"answers": True, "model": "nlu-3f2a9c81d2aa"}],
    "channels": ["web", "telegram"],
    "content": "0123456789ab",
    "locales": ["be", "bn", "en", "ru"],
    "countries": ["BY", "BD"],
    "retention_days": 30,
}


@given(st.fixed_dictionaries({rule: st.integers(-5, 50_000) for rule in Rule}))
def test_no_rules_are_in_force_by_which_more_danger_waits_longer(values: dict[Rule, int]) -> None:
    within = all(lowest <= values[rule] <= highest for rule, (lowest, highest) in BOUNDS.items())
    clocks = [values[rule] for rule in (Rule.EMERGENCY, Rule.URGENT, Rule.CONCERN, Rule.NONE)]

    if within and clocks == sorted(clocks):
        check(values)
    else:
        with pytest.raises(PolicyInvalid):
            check(values)


def test_what_is_set_comes_before_what_the_machine_has() -> None:
    policy = policy_of(DEFAULTS, {Rule.URGENT: 20, Rule.ANSWER_WITHIN: 5}, clocks=Clocks())

    assert policy.clocks.urgent == timedelta(minutes=20)
    assert policy.clocks.emergency == timedelta(minutes=2)
    assert policy.answer_within == timedelta(minutes=5)


async def test_a_clock_that_a_supervisor_sets_is_in_force_for_the_next_visitor(
    service: Service, sessions: Sessions
) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina", role=Role.SUPERVISOR) as nina,
        service.as_operator("olga", role=Role.AUDITOR) as olga,
    ):
        answer = await _set(nina, {Rule.EMERGENCY: 7, Rule.URGENT: 30})
        await bot.open(danger="emergency")
        (due,) = await _rows(service, 'SELECT due_at - received_at FROM "case"')
        page = await nina.see(answer.headers["location"])
        assert "in force for everybody within a second" in page
        log = await olga.see("/audit")

    assert answer.status_code == 303
    assert due == (timedelta(minutes=7),)
    assert 'value="7"' in page
    assert "Set here; this machine has 2" in page
    assert "nina" in page
    assert "Changed the clocks, or what reports hide" in log
    async with transaction(sessions) as session:
        assert await PolicyRepository(session).changed() == {Rule.EMERGENCY: 7, Rule.URGENT: 30}


async def test_going_back_to_what_the_machine_has_follows_the_machine(
    service: Service, sessions: Sessions
) -> None:
    async with service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await _set(nina, {Rule.EMERGENCY: 7})
        await _set(nina, {Rule.EMERGENCY: 2})
        unchanged = await _set(nina, {})
        page = await nina.see("/settings")

    async with transaction(sessions) as session:
        assert await PolicyRepository(session).changed() == {}
        assert len(await PolicyRepository(session).newest(limit=10)) == 2
    assert unchanged.headers["location"] == "/settings?saved=no"
    assert "as this machine has it" in page


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({Rule.HIDE_BELOW: 4}, "choose a number from 5 to 50"),
        ({Rule.EMERGENCY: 20, Rule.URGENT: 15}, "Nobody in more danger may wait longer"),
    ],
)
async def test_what_would_harm_is_refused_with_a_sentence(
    service: Service, sessions: Sessions, wanted: dict[Rule, int], sentence: str
) -> None:
    async with service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        answer = await _set(nina, wanted)

    assert answer.status_code == 422
    assert sentence in answer.text
    for rule, value in wanted.items():
        assert re.search(rf'id="{rule}"[^>]* value="{value}"', answer.text), "what was typed stays"
    async with transaction(sessions) as session:
        assert await PolicyRepository(session).changed() == {}


async def test_the_table_refuses_what_the_page_would(service: Service) -> None:
    async with service.as_operator("nina", role=Role.SUPERVISOR):
        pass
    statement = (
        "INSERT INTO policy_change (rule, value, changed_at, changed_by)"
        " SELECT 'report_hide_below', 2, now(), id FROM operator"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        await _rows(service, statement)


async def test_what_is_set_at_one_process_is_in_force_at_the_others(
    service: Service, database: str, clock: Time
) -> None:
    async with _another(database, clock=clock, bot_url=service.settings.bot_url) as other:
        async with service.as_operator("nina", role=Role.SUPERVISOR) as nina:
            await _set(nina, {Rule.CONCERN: 60})

        async def there() -> timedelta:
            return other.services.policy.clocks.concern

        assert await eventually(there, lambda found: found == timedelta(hours=1))


async def test_two_supervisors_who_save_at_once_leave_rules_that_fit_together(
    service: Service, sessions: Sessions
) -> None:
    async with (
        service.as_operator("nina", role=Role.SUPERVISOR) as nina,
        service.as_operator("ivan", role=Role.SUPERVISOR) as ivan,
    ):
        await asyncio.gather(_set(nina, {Rule.EMERGENCY: 14}), _set(ivan, {Rule.URGENT: 10}))

    async with transaction(sessions) as session:
        check({**DEFAULTS, **await PolicyRepository(session).changed()})


async def test_reports_hide_what_a_supervisor_wants_hidden(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        for number in range(7):
            await bot.open(conversation=f"x{number}")
        shown = await nina.see("/reports")
        await _set(nina, {Rule.HIDE_BELOW: 10})
        hidden = await nina.see("/reports")

    assert "<strong>7</strong> contacts" in shown
    assert "Fewer than 10 contacts" in hidden


async def test_settings_say_what_is_in_force_and_where_it_is_changed_but_no_secret(
    service: Service, bot: FakeBot
) -> None:
    bot.condition = CONDITION
    async with service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        page = await nina.see("/settings")
        bot.condition = None
        alone = await nina.see("/settings")

    for told in (
        "Web chat, Telegram",
        "30 days",
        "0123456789ab",
        "nlu-3f2a9c81d2aa",
        "PORCHLIGHT_RETENTION_DAYS",
    ):
        assert told in page
    assert 'href="/hours"' in page
    assert "nobody: only the desk itself says so" in page
    assert "not known: the bot does not answer" in alone
    assert SERVICE_SECRET not in page
    assert SECRET_KEY not in page
    assert service.settings.referral_database_url not in page


async def test_the_status_page_tells_who_waits_and_that_all_is_well(service: Service, bot: FakeBot) -> None:
    bot.condition = CONDITION
    async with service.as_bot() as client, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await client.open(danger="urgent")
        states = _states(await nina.see("/status"))

    assert set(states.values()) == {"Well", "Off"}
    assert states["Pager"] == "Off"
    assert states["Bot"] == states["Model"] == states["Parked messages"] == "Well"


async def test_the_status_page_tells_what_is_down_late_or_set_aside(
    service: Service, bot: FakeBot, clock: Time
) -> None:
    waiting = {
        "messages": 3,
        "oldest_message_seconds": 300,
        "parked": 2,
        "deliveries": {"channel": 4, "referral": 0},
        "oldest_delivery_seconds": 90,
    }
    bot.condition = CONDITION | {"waiting": waiting, "models": [{"answers": False, "model": ""}]}
    async with service.as_bot() as client, service.as_operator("nina", role=Role.SUPERVISOR) as nina:
        await client.open(danger="emergency")
        bot.fail(*[500] * 50)
        await nina.take_next()
        clock.forward(timedelta(minutes=5))
        page = await nina.see("/status")
        bot.condition = None
        without = _states(await nina.see("/status"))

    states = _states(page)
    assert states["Bot"] == states["Parked messages"] == "Look at it"
    assert states["From the bot to visitors and to the desk"] == "Look at it"
    assert states["From the desk to the bot"] == "Look at it"
    assert states["Model"] == "Down"
    assert "2 messages set aside" in page
    assert "the oldest for 5 mins" in page
    assert without["Bot"] == "Down"


def _states(page: str) -> dict[str, str]:
    rows = re.findall(r'<th scope="row">([^<]+)</th>\s*<td><span class="health[^"]*">([^<]+)</span>', page)
    assert rows
    return dict(rows)


async def _set(supervisor: OperatorClient, wanted: dict[Rule, int]) -> Any:
    page = await supervisor.see("/settings")
    fields = {rule.value: _value(page, rule) for rule in Rule}
    return await supervisor.send(
        "/settings", {**fields, **{rule.value: str(value) for rule, value in wanted.items()}}
    )


def _value(page: str, rule: Rule) -> str:
    found = re.search(rf'id="{rule}"[^>]* value="(\d+)"', page)
    assert found
    return found[1]


async def _rows(service: Service, statement: str) -> list[Any]:
    url = service.settings.referral_database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(statement)
        return await cursor.fetchall()


@asynccontextmanager
async def _another(database: str, *, clock: Time, bot_url: str) -> AsyncIterator[Service]:
    settings = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        bot_url=bot_url,
    )
    async with running(settings, clock=clock) as service:
        yield service
