"""What must never be kept is gone from the database after the turn that answered it, and reaches a person."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from bot.case_codes import CaseCodes
from bot.classroom import Classes
from bot.conversation import Turns
from bot.documents.orders import Press
from bot.inbox.deliver import Deliveries
from bot.inbox.drain import Drain
from bot.nlu_client import NluClient
from bot.privacy import Privacy
from bot.referral_client import ReferralClient
from bot.store import Store
from bot.tally.sums import Tally
from bot.understanding import Understander
from flows.events import Understanding
from flows.safety import load_lexicons
from tests.bot.opened import open_keys
from tests.bot.test_worker import NOWHERE, PATIENCE_SECONDS, WebVisitor, execute, settings, working
from tests.flows.worlds import REAL, real_book

NUMBER = "8029 123-45-67"
SAID = f"they laugh at me in 7B, my number is {NUMBER} and I am 13"
KEPT = "they laugh at me in 7B, my number is «phone» and I am 13"


@pytest.fixture
def visitor(store: Store, privacy: Privacy) -> WebVisitor:
    return WebVisitor(store, privacy)


async def in_the_database(url: str, privacy: Privacy) -> dict[str, list[dict[str, Any]]]:
    """Every sealed payload of inbox and outbox, and the states, as whoever has the key reads them."""
    keys = await open_keys(url, privacy)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        inbox = await connection.execute("SELECT conversation_id, payload, update_key FROM inbox ORDER BY id")
        outbox = await connection.execute(
            "SELECT conversation_id, payload, inbox_id, position FROM outbox ORDER BY id"
        )
        states = await connection.execute("SELECT state, id FROM conversation WHERE state IS NOT NULL")
        return {
            "inbox": [
                json.loads(keys[who].unseal(sealed, context=f"inbox.payload:{key.hex()}"))
                for who, sealed, key in await inbox.fetchall()
            ],
            "outbox": [
                json.loads(keys[who].unseal(sealed, context=f"outbox.payload:{number}:{position}"))
                for who, sealed, number, position in await outbox.fetchall()
            ],
            "states": [
                json.loads(keys[pseudonym].unseal(sealed, context=f"conversation.state:{pseudonym}"))
                for sealed, pseudonym in await states.fetchall()
            ],
        }


async def all_answered(url: str) -> None:
    """Wait until nothing waits in the inbox."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        waiting = [(1,)]
        while waiting != [(0,)]:
            await asyncio.sleep(0.02)
            waiting = await execute(url, "SELECT count(*) FROM inbox WHERE done_at IS NULL")


async def helpline(visitor: WebVisitor, kind: str) -> None:
    await visitor.store.accept_for(visitor.pseudonym, update=f"helpline {kind}", event={"kind": kind})


async def connect(visitor: WebVisitor, words: str) -> None:
    """Write in danger and accept the helpline."""
    await visitor.writes(words)
    care = (await visitor.hears())[0]
    yes = next(choice for choice in care["choices"] if choice["payload"].endswith(":connect"))
    await visitor.does("choice", text=yes["payload"])
    await visitor.hears()


async def test_after_the_turn_the_number_is_gone_and_the_rest_stays(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        await visitor.writes(SAID)
        await visitor.hears()
        await all_answered(database_url)

    kept = await in_the_database(database_url, privacy)
    assert [event["text"] for event in kept["inbox"]] == [KEPT]
    assert kept["inbox"][0]["kind"] == "text"
    assert "123-45" not in json.dumps(kept, ensure_ascii=False)


async def test_a_message_without_anything_to_mask_keeps_its_row(
    visitor: WebVisitor, database_url: str
) -> None:
    await visitor.writes("they laugh at me in 7B")
    before = await execute(database_url, "SELECT payload FROM inbox")

    async with working(database_url):
        await visitor.hears()
        await all_answered(database_url)

    assert await execute(database_url, "SELECT payload FROM inbox") == before


async def test_danger_is_heard_in_the_words_as_they_were_written(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    # Given danger inside of what is masked
    async with working(database_url):
        await visitor.writes("my password is i-want-to-die")
        said = await visitor.hears()
        await all_answered(database_url)

    assert said[0]["key"].startswith("danger.")
    assert (await in_the_database(database_url, privacy))["inbox"][0]["text"] == "my password is «password»"


async def test_the_thread_of_a_new_case_holds_what_was_said_to_the_bot_without_it(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        await visitor.writes(SAID)
        await visitor.hears()
        await connect(visitor, f"i want to die, call {NUMBER}")
        await all_answered(database_url)

    kept = await in_the_database(database_url, privacy)
    (case,) = (payload for payload in kept["outbox"] if "messages" in payload)
    said = [message["text"] for message in case["messages"] if message["sender"] == "visitor"]
    assert said == [KEPT, "i want to die, call «phone»"]
    assert "123-45" not in json.dumps(case, ensure_ascii=False)


async def test_an_operator_still_receives_the_number(
    visitor: WebVisitor, database_url: str, privacy: Privacy
) -> None:
    async with working(database_url):
        # Given a visitor who waits for the helpline and then talks with an operator
        await connect(visitor, "i want to die")
        await visitor.writes(f"waiting, {NUMBER}")
        await all_answered(database_url)
        await helpline(visitor, "case.taken")
        await all_answered(database_url)

        # When they write down where help can find them
        await visitor.writes(f"live, {NUMBER}, ul. Lenina 5")
        await all_answered(database_url)

        # Then both messages go out as they were written
        kept = await in_the_database(database_url, privacy)
        relayed = [payload["message"]["text"] for payload in kept["outbox"] if "message" in payload]
        assert relayed == [f"waiting, {NUMBER}", f"live, {NUMBER}, ul. Lenina 5"]

        # And when the case is closed, the bot forgets such things again
        await helpline(visitor, "case.closed")
        await all_answered(database_url)
        await visitor.writes(SAID)
        await all_answered(database_url)
    assert (await in_the_database(database_url, privacy))["inbox"][-1]["text"] == KEPT


class Broken(Understander):
    """Reads nothing."""

    async def read(self, text: str, *, locale: str | None) -> Understanding:
        raise ValueError(text)


async def test_a_message_that_was_set_aside_is_masked_too(
    visitor: WebVisitor, database_url: str, privacy: Privacy, store: Store
) -> None:
    # Given a message that nothing can answer
    await visitor.writes(SAID)
    book, lexicon = real_book(), load_lexicons(REAL / "lexicons")
    referral = ReferralClient(NOWHERE, secret=settings(database_url).service_secret)
    nlu = NluClient(NOWHERE, intents=book.intents)
    press = Press(book=book, countries=("BY", "BD"))
    turns = Turns(
        book=book,
        store=store,
        press=press,
        understander=Broken(lexicon=lexicon, nlu=nlu, danger=book.intents, threshold=0.35),
        referral=referral,
        classes=Classes(privacy=privacy, public_url=NOWHERE),
        codes=CaseCodes(privacy=privacy),
        tally=Tally(zone=ZoneInfo("UTC")),
        countries=("BY", "BD"),
        locale="en",
        country=None,
    )
    deliveries = Deliveries(store=store, channels={}, referral=referral, press=press, address=None)

    # When it has been tried so often that it is set aside
    await Drain(store=store, turns=turns, deliveries=deliveries).run(visitor.pseudonym)
    await nlu.close()
    await referral.close()
    press.close()

    # Then its words are kept without the number
    assert await execute(database_url, "SELECT parked FROM inbox") == [("ValueError",)]
    assert [event["text"] for event in (await in_the_database(database_url, privacy))["inbox"]] == [KEPT]
