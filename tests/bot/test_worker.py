"""The worker answers in order, once, whatever breaks around it: real queue, real database, real content."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from bot.config import Settings
from bot.privacy import Privacy
from bot.store import Store
from bot.worker import work
from tests.bot.conftest import SECRET

#: Nobody listens on the discard port of the loopback address.
NOWHERE = "http://127.0.0.1:9"
SERVICE_SECRET = "whsec_dGVzdHMgb2YgdGhlIGJvdCB1c2UgdGhpcyBzZWNyZXQ="
PATIENCE_SECONDS = 30.0


def settings(database_url: str, *, desk: str = NOWHERE, service_secret: str = SERVICE_SECRET) -> Settings:
    return Settings(
        database_url=database_url,
        secret_key=SECRET,
        service_secret=service_secret,
        nlu_url=NOWHERE,
        referral_url=desk,
    )


@asynccontextmanager
async def working(database_url: str, **desk: str) -> AsyncIterator[None]:
    """A worker in this process; the model is out of reach, and so is the desk unless one is named."""
    running = asyncio.create_task(work(settings(database_url, **desk)))
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class WebVisitor:
    """Somebody on the web chat, as the store sees them."""

    def __init__(self, store: Store, privacy: Privacy, *, address: str = "visitor") -> None:
        self.store = store
        self.address = address
        self.pseudonym = privacy.conversation("web", address)
        self._sent = 0
        self._last = 0

    async def does(self, kind: str, **event: Any) -> None:
        self._sent += 1
        raw = {
            "kind": kind,
            "text": "",
            "media": None,
            "locale": "en",
            "country": None,
            "campaign": None,
            **event,
        }
        update = f"{self.address} {self._sent}"
        await self.store.accept(channel="web", address=self.address, update=update, event=raw)

    async def writes(self, text: str) -> None:
        await self.does("text", text=text)

    async def hears(self, *, at_least: int = 1) -> list[dict[str, Any]]:
        """The messages since the last call, when there are so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                said = await self.store.said_after(self.pseudonym, number=self._last, most=500)
                if len(said) >= at_least:
                    self._last = said[-1][0]
                    return [payload for _, payload in said]
                await asyncio.sleep(0.02)


@pytest.fixture
def visitor(store: Store, privacy: Privacy) -> WebVisitor:
    return WebVisitor(store, privacy)


async def execute(url: str, statement: str) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(statement)
        return await cursor.fetchall() if cursor.description else []


async def test_danger_is_answered_with_the_number_when_model_and_helpline_are_down(
    visitor: WebVisitor, database_url: str
) -> None:
    async with working(database_url):
        await visitor.writes("i want to die")
        said = await visitor.hears()

    assert said[0]["key"].startswith("danger.")
    assert "1098" in said[0]["text"]
    assert "8-801-100-16-11" in said[0]["text"]


async def test_an_unread_message_gets_an_honest_answer_when_the_model_is_down(
    visitor: WebVisitor, database_url: str
) -> None:
    async with working(database_url):
        await visitor.writes("something that no rule knows")
        said = await visitor.hears()

    assert said[0]["choices"], "a way on is offered"


async def test_messages_of_one_conversation_are_answered_in_order_and_once(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    visitors = [WebVisitor(store, privacy, address=f"visitor {number}") for number in range(5)]

    async with working(database_url):
        await asyncio.gather(*(visitor.does("started") for visitor in visitors))
        for _ in range(10):
            await asyncio.gather(*(visitor.does("choice", text="m") for visitor in visitors))
        heard = [await visitor.hears(at_least=12) for visitor in visitors]
        await asyncio.sleep(0.3)

    answered = await execute(
        database_url, "SELECT count(*) FROM inbox WHERE done_at IS NULL OR attempts > 0 OR parked IS NOT NULL"
    )
    assert answered == [(0,)]
    for said in heard:
        assert said[0]["key"] == "welcome.hello"
        assert len(said) == len(heard[0])
    by_inbox = await execute(
        database_url,
        "SELECT bool_and(ordered) FROM (SELECT inbox_id >= lag(inbox_id, 1, 0::bigint)"
        " OVER (PARTITION BY conversation_id ORDER BY id) AS ordered FROM outbox) AS o",
    )
    assert by_inbox == [(True,)]


async def test_a_message_that_cannot_be_answered_is_set_aside_and_those_behind_it_are_not(
    visitor: WebVisitor, database_url: str
) -> None:
    async with working(database_url):
        await visitor.does("a kind that nobody knows", text="i want to die")
        await visitor.does("choice", text="m")
        said = await visitor.hears(at_least=2)

    assert "8-801-100-16-11" in said[0]["text"], "even then the visitor is not left without the number"
    assert said[-1]["key"].startswith("menu.")
    parked = await execute(database_url, "SELECT parked, attempts FROM inbox WHERE parked IS NOT NULL")
    assert parked == [("ValueError", 3)]


async def test_what_a_dead_worker_left_is_taken_over(visitor: WebVisitor, database_url: str) -> None:
    # Given a job that was taken by a worker that has not been heard of for a minute
    await visitor.writes("i want to die")
    await execute(
        database_url,
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - interval '1 minute') RETURNING id)"
        " UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead",
    )

    async with working(database_url):
        said = await visitor.hears()

    assert said[0]["key"].startswith("danger.")


async def test_a_message_without_a_job_is_found(visitor: WebVisitor, database_url: str) -> None:
    await visitor.writes("i want to die")
    await execute(database_url, "DELETE FROM procrastinate_jobs")

    async with working(database_url):
        said = await visitor.hears()

    assert said[0]["key"].startswith("danger.")


async def test_a_timer_does_not_hold_up_a_message(visitor: WebVisitor, database_url: str) -> None:
    async with working(database_url):
        # Given a wait with a timer that is due in minutes
        await visitor.writes("i want to die")
        await visitor.hears()
        timers = await execute(
            database_url,
            "SELECT lock, scheduled_at > now() FROM procrastinate_jobs WHERE task_name = 'remind'",
        )
        assert timers == [(None, True)]

        await visitor.does("choice", text="m")
        said = await visitor.hears()

    assert said


async def test_a_visitor_who_says_nothing_more_is_asked_softly(
    visitor: WebVisitor, database_url: str
) -> None:
    async with working(database_url):
        await visitor.writes("i want to die")
        await visitor.hears()
        # The clock is the database's, so time passes by moving what is due.
        await execute(
            database_url, "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE task_name = 'remind'"
        )
        said = await visitor.hears()

    assert said[0]["key"] == "danger.nudge"


async def test_a_case_that_cannot_be_passed_on_yet_is_said_to_be_delayed_and_kept(
    visitor: WebVisitor, database_url: str
) -> None:
    async with working(database_url):
        await visitor.writes("i want to die")
        care = (await visitor.hears())[0]
        connect = next(choice for choice in care["choices"] if choice["payload"].endswith(":connect"))
        await visitor.does("choice", text=connect["payload"])
        keys = [said["key"] for said in await visitor.hears()]
        while "handover.delayed" not in keys:
            keys += [said["key"] for said in await visitor.hears()]

    waiting = await execute(
        database_url, "SELECT kind, done_at FROM outbox WHERE lane = 'referral' AND kind = 'open_case'"
    )
    assert waiting == [("open_case", None)]


async def test_asking_to_be_forgotten_erases_the_words_at_once(
    visitor: WebVisitor, store: Store, database_url: str
) -> None:
    async with working(database_url):
        await visitor.writes("they call me a pig")
        await visitor.hears()
        await visitor.does("choice", text="i:delete_my_data")
        asked = (await visitor.hears())[-1]
        yes = next(choice for choice in asked["choices"] if "yes" in choice["payload"])
        await visitor.does("choice", text=yes["payload"])
        await visitor.hears()

        kept = await execute(database_url, "SELECT count(*) FROM inbox WHERE payload IS NOT NULL")
        erase = await execute(
            database_url,
            "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE task_name = 'erase' RETURNING 1",
        )
        assert (kept, erase) == ([(0,)], [(1,)])
        for _ in range(100):
            await asyncio.sleep(0.05)
            if await store.conversation(visitor.pseudonym) is None:
                return
    pytest.fail("the conversation itself was not erased")
