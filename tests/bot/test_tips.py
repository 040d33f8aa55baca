"""Does a daily tip come once a day, by day, whatever happens to the worker, and never to who has left?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.orders import Press
from bot.inbox.deliver import Deliveries
from bot.privacy import Privacy
from bot.referral_client import ReferralClient
from bot.store import Effect, Store, TipCall
from bot.tips import HOUR, LATEST, day_of_tip, latest, next_tip
from tests.bot.test_worker import NOWHERE, PATIENCE_SECONDS, WebVisitor, execute, working
from tests.flows.worlds import real_book

moments = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001  # The zone is given below.
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
countries = st.sampled_from(["BY", "BD", None, "XX"])


@given(moments, countries)
def test_the_next_tip_is_within_a_day_at_an_hour_of_day_in_both_countries(
    now: datetime, country: str | None
) -> None:
    then = next_tip(now, country=country)

    assert now < then <= now + timedelta(days=1)
    assert day_of_tip(then, country=country) is not None
    assert then < latest(then, country=country)
    for hours in (3, 6) if country in (None, "XX") else ():
        assert time(9) <= (then + timedelta(hours=hours)).time() <= time(20)


@pytest.mark.parametrize(("country", "hours"), [("BY", 3), ("BD", 6)])
def test_a_tip_comes_at_four_in_the_afternoon_and_never_at_night(country: str, hours: int) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC) - timedelta(hours=hours)

    assert next_tip(midnight, country=country) - midnight == timedelta(hours=16)
    allowed = [
        hour
        for hour in range(24)
        if day_of_tip(midnight + timedelta(hours=hour), country=country) is not None
    ]
    assert allowed == list(range(HOUR.hour, LATEST.hour))


class TelegramVisitor(WebVisitor):
    """Somebody on Telegram, as the store sees them."""

    def __init__(self, store: Store, privacy: Privacy) -> None:
        super().__init__(store, privacy)
        self.pseudonym = privacy.conversation("telegram", self.address)
        self._number = 0

    async def does(self, kind: str, **event: Any) -> None:
        self._number += 1
        raw = {"kind": kind, "text": "", "media": None, "locale": "en", "country": "BY", "campaign": None}
        update = f"{self.address} {self._number}"
        await self.store.accept(
            channel="telegram", address=self.address, update=update, event={**raw, **event}
        )


@pytest.fixture
def visitor(store: Store, privacy: Privacy) -> TelegramVisitor:
    return TelegramVisitor(store, privacy)


async def calls(url: str) -> list[Any]:
    return await execute(
        url, "SELECT queueing_lock, lock, args->>'token' FROM procrastinate_jobs WHERE task_name = 'tip'"
    )


async def subscribe(visitor: TelegramVisitor) -> None:
    await visitor.does("choice", text="n:daily_tip:offer:yes")
    assert [said["key"] for said in await visitor.hears()] == ["daily_tip.begun"]


async def strike(visitor: TelegramVisitor, url: str, *, day: str) -> None:
    """The hour of the tip on this day, whatever the clock on the wall says."""
    token = (await calls(url))[0][2]
    event = {"kind": "tip", "token": token, "day": day, "until": "2100-01-01T00:00:00+00:00"}
    update = f"tip {visitor.pseudonym} {token}"
    for _ in range(2):  # A worker that died in between would do it again.
        await visitor.store.accept_for(visitor.pseudonym, update=update, event=event, counts=False)


async def test_tips_come_one_a_day_and_one_call_waits_for_the_next(
    visitor: TelegramVisitor, database_url: str
) -> None:
    async with working(database_url):
        await subscribe(visitor)
        assert [(lock, other) for lock, other, _ in await calls(database_url)] == [
            (f"tip:{visitor.pseudonym}", None)
        ]
        heard = []
        for day in ("2026-12-01", "2026-12-02"):
            await strike(visitor, database_url, day=day)
            heard += [said["key"] for said in await visitor.hears()]
            await asyncio.sleep(0.2)

        assert heard == ["tips.tip_01", "tips.tip_02"]
        assert len(await calls(database_url)) == 1


async def test_a_tip_whose_hour_struck_while_no_worker_ran_comes_by_day_only(
    visitor: TelegramVisitor, database_url: str
) -> None:
    async with working(database_url):
        await subscribe(visitor)
    await execute(database_url, "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE task_name = 'tip'")
    by_day = day_of_tip(datetime.now(UTC), country="BY") is not None

    async with working(database_url):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                ahead = await execute(
                    database_url,
                    "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'tip' AND status = 'todo'"
                    " AND scheduled_at > now()",
                )
                if ahead:
                    break
                await asyncio.sleep(0.05)
        said = await visitor.store.said_after(visitor.pseudonym, number=0, most=10)

    assert day_of_tip(ahead[0][0], country="BY") is not None
    assert any(payload["key"] == "tips.tip_01" for _, payload in said) is by_day


async def test_who_is_forgotten_is_not_called_any_more(visitor: TelegramVisitor, database_url: str) -> None:
    async with working(database_url):
        await subscribe(visitor)
        await visitor.does("choice", text="n:delete_my_data:confirm:yes")
        await visitor.hears()

        assert await calls(database_url) == []


async def test_a_tip_is_no_sign_of_life(visitor: TelegramVisitor, database_url: str) -> None:
    async with working(database_url):
        await subscribe(visitor)
        await execute(database_url, "UPDATE conversation SET active_at = now() - interval '29 days'")
        await strike(visitor, database_url, day="2026-12-01")
        await visitor.hears()

    assert (
        await visitor.store.erase_idle(older_than=timedelta(days=28), duplicates_until=timedelta(days=7)) == 1
    )


async def test_a_later_call_takes_the_place_of_the_one_that_waits(
    visitor: TelegramVisitor, database_url: str
) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    async with visitor.store.statement() as connection:
        for token in ("1.0", "2.0"):
            call = TipCall(token=token, country="BY", at=at)
            await visitor.store.call_for_tip(connection, visitor.pseudonym, call)

    assert [token for _, _, token in await calls(database_url)] == ["2.0"]


async def test_a_tip_that_could_not_be_delivered_by_evening_is_dropped(
    visitor: TelegramVisitor, database_url: str
) -> None:
    await visitor.does("started")
    conversation = await visitor.store.conversation(visitor.pseudonym)
    assert conversation is not None
    said = {"text": "A tip", "choices": [], "sender": "bot", "key": "tips.tip_01", "locale": "en", "runs": []}
    late = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    effect = Effect(lane="channel", kind="say", payload={**said, "until": late})
    await visitor.store.put_effects(conversation, number=1, effects=[effect])
    referral = ReferralClient(NOWHERE, secret="whsec_dGVzdHMgb2YgdGhlIGJvdCB1c2UgdGhpcyBzZWNyZXQ=")

    press = Press(book=real_book(), countries=("BY", "BD"))
    deliveries = Deliveries(store=visitor.store, channels={}, referral=referral, press=press, address=None)

    await deliveries.run(visitor.pseudonym, lane="channel")
    await referral.close()

    parked = await execute(database_url, "SELECT parked FROM outbox")
    assert parked == [("it came too late",)]
