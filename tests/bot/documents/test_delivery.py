"""What happens to a promised document that cannot be made, cannot be sent, or is asked for too often?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from bot.channels.telegram import TelegramChannel
from bot.channels.viber import ViberChannel
from bot.config import Settings
from bot.documents.orders import Press
from bot.inbox.deliver import BATCH, MAX_TRIES_TO_MAKE, MOST_HANDED, MOST_WAITING, Deliveries
from bot.messages import Channel
from bot.privacy import Privacy
from bot.referral_client import ReferralClient
from bot.store import Conversation, Effect, Store
from flows.effects import Hand
from flows.model import Book
from tests.bot.test_store import say
from tests.bot.test_worker import NOWHERE, settings
from tests.fakes.messenger import Broken, FakeMessenger, FakeVisitor
from tests.fakes.telegram import FakeTelegram
from tests.fakes.viber import FakeViber
from tests.flows.worlds import small_book

HAND = Hand(document="plan", locale="en", country="BY", slots={"my_helps": "music"})
NOW = datetime(2026, 11, 29, tzinfo=UTC)
BROKEN = replace(small_book(), pictures={"lamp": "no picture"})
#: The clock is the database's, so time passes by moving what is due.
DUE_NOW = "UPDATE outbox SET next_at = now()"


@dataclass(slots=True, kw_only=True)
class Post:
    """One visitor of one messenger, and the deliveries to them."""

    url: str
    store: Store
    channel: Channel
    messenger: FakeMessenger
    visitor: FakeVisitor
    conversation: Conversation
    referral: ReferralClient

    async def deliver(
        self,
        *effects: Effect,
        book: Book | None = None,
        press: Press | None = None,
        address: str | None = None,
    ) -> None:
        """Keep these effects, if any, and deliver what is due."""
        own = Press(book=book or small_book(), countries=("BY", "BD"))
        if effects:
            (number,) = (await self.rows("SELECT max(id) FROM inbox"))[0]
            await self.store.put_effects(self.conversation, number=number, effects=effects)
        deliveries = Deliveries(
            store=self.store,
            channels={self.channel.name: self.channel},
            referral=self.referral,
            press=press or own,
            address=address,
        )
        await deliveries.run(self.conversation.pseudonym, lane="channel")
        own.close()

    async def rows(self, query: str) -> list[Any]:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            cursor = await connection.execute(query)
            return await cursor.fetchall() if cursor.description else []

    @property
    def texts(self) -> list[str]:
        """What the visitor has read so far; a file counts as its name."""
        return [seen.file.name if seen.file else seen.text for seen in self.visitor.said]


def hand(*, token: str = "") -> Effect:
    press = Press(book=small_book(), countries=("BY", "BD"))
    (order,) = press.orders(HAND, at=NOW, linked=False)
    press.close()
    return Effect(lane="channel", kind="hand", payload=replace(order, token=token).payload(), token=token)


async def _post(messenger: FakeTelegram | FakeViber, channel: Channel, store: Store, url: str) -> Post:
    visitor = messenger.visitor()
    visitor.writes("hello")
    privacy = Privacy(settings(url).secret_key)
    event = {"kind": "text", "text": "hello"}
    await store.accept(channel=channel.name, address=visitor.address, update="1", event=event)
    conversation = await store.conversation(privacy.conversation(channel.name, visitor.address))
    assert conversation is not None
    return Post(
        url=url,
        store=store,
        channel=channel,
        messenger=messenger,
        visitor=visitor,
        conversation=conversation,
        referral=ReferralClient(NOWHERE, secret=settings(url).service_secret),
    )


@pytest.fixture
async def post(store: Store, database_url: str) -> AsyncIterator[Post]:
    """Somebody on Telegram."""
    with FakeTelegram() as telegram:
        channel = TelegramChannel(telegram.token, api_url=telegram.url)
        made = await _post(telegram, channel, store, database_url)
        yield made
        await made.referral.close()
        await channel.close()


@pytest.fixture
async def viber_post(store: Store, database_url: str) -> AsyncIterator[Post]:
    """Somebody on Viber."""
    with FakeViber() as viber:
        channel = ViberChannel(viber.token, api_url=viber.url)
        made = await _post(viber, channel, store, database_url)
        yield made
        await made.referral.close()
        await channel.close()


async def test_a_document_that_cannot_be_made_holds_up_nothing_and_is_apologised_for(post: Post) -> None:
    await post.deliver(say("before"), hand(), say("after"), book=BROKEN)
    assert post.texts == ["before", "after"]

    for _ in range(MAX_TRIES_TO_MAKE - 1):
        await post.rows(DUE_NOW)
        await post.deliver(book=BROKEN)

    assert len(post.texts) == 3
    assert post.texts[2].startswith("The sheet did not come out just now")
    parked = await post.rows("SELECT parked FROM outbox WHERE kind = 'hand'")
    assert parked == [("not made after 3 tries",)]
    await post.deliver(book=BROKEN)
    assert len(post.texts) == 3


async def test_what_is_said_comes_before_a_document_that_takes_longer(post: Post) -> None:
    await post.deliver(say("before"), hand(), say("after"))

    assert post.texts == ["before", "after", "plan.pdf"]


async def test_a_document_behind_many_others_is_given_later_and_no_try_is_counted(post: Post) -> None:
    press = Press(book=small_book(), countries=("BY", "BD"))
    order = next(press.orders(HAND, at=NOW, linked=False))
    others = [asyncio.create_task(press.file(order)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)

    await post.deliver(hand(), say("after"), press=press)
    waiting = await post.rows("SELECT attempts, next_at > now() FROM outbox WHERE kind = 'hand'")
    await asyncio.gather(*others)
    await post.rows(DUE_NOW)
    await post.deliver(press=press)

    assert waiting == [(0, True)]
    assert post.texts == ["after", "plan.pdf"]


async def test_a_document_that_can_be_made_the_second_time_is_given(post: Post) -> None:
    await post.deliver(hand(), book=BROKEN)
    await post.rows(DUE_NOW)

    await post.deliver()

    assert post.texts == ["plan.pdf"]


async def test_a_document_that_the_messenger_does_not_take_yet_holds_up_nothing(post: Post) -> None:
    post.messenger.fail(Broken(), method="sendDocument")
    await post.deliver(hand(), say("8-801-100-16-11"))
    assert post.texts == ["8-801-100-16-11"]

    await post.rows(DUE_NOW)
    await post.deliver()

    assert post.texts == ["8-801-100-16-11", "plan.pdf"]


async def test_words_behind_very_many_documents_come_through(post: Post) -> None:
    await post.deliver(*(hand() for _ in range(BATCH + 1)), book=BROKEN)

    await post.rows("UPDATE outbox SET next_at = now() + interval '1 hour'")
    await post.rows("INSERT INTO inbox (update_key, attempts) VALUES ('2', 0)")
    await post.deliver(say("8-801-100-16-11"), book=BROKEN)

    assert post.texts == ["8-801-100-16-11"]


async def test_a_visitor_gets_so_many_documents_an_hour(post: Post) -> None:
    await post.deliver(hand())
    # Given as many as one may have
    for _ in range(1, MOST_HANDED):
        await post.rows(
            "INSERT INTO outbox (conversation_id, inbox_id, position, lane, kind, payload, done_at)"
            " SELECT conversation_id, inbox_id, position + 1, lane, kind, payload, now()"
            " FROM outbox ORDER BY position DESC LIMIT 1"
        )
    await post.rows("INSERT INTO inbox (update_key, attempts) VALUES ('2', 0)")

    await post.deliver(hand(), say("after"))

    assert post.texts == ["plan.pdf", "after"]
    assert await post.rows("SELECT parked FROM outbox WHERE parked IS NOT NULL") == [("too many documents",)]


async def test_on_viber_a_document_is_fetched_from_our_address(viber_post: Post) -> None:
    await viber_post.deliver(hand(token="x" * 32), address="https://porch.by")

    (seen,) = viber_post.visitor.said
    assert seen.file is not None
    assert seen.file.address == f"https://porch.by/documents/{'x' * 32}.pdf"


async def test_without_a_public_address_viber_gets_an_honest_sentence(viber_post: Post) -> None:
    await viber_post.deliver(hand(token="x" * 32), say("after"))

    assert viber_post.texts[0] == "after"
    assert viber_post.texts[1].startswith("Files do not work in this chat yet")
    assert await viber_post.rows("SELECT parked FROM outbox WHERE kind = 'hand'") == [("no public address",)]


async def test_the_database_alone_opens_no_link(post: Post) -> None:
    await post.deliver(hand(token="x" * 32), say("words"))

    kept = await post.rows("SELECT token_key, payload FROM outbox ORDER BY id")

    assert kept[1][0] is None
    assert len(kept[0][0]) == 32
    assert not any(b"x" * 32 in bytes(value) or b"music" in bytes(value) for value in kept[0])


@pytest.mark.parametrize(
    ("public", "viber", "reached"),
    [
        ("http://127.0.0.1:8000", "https://chatapi.viber.com", None),
        ("http://localhost:8000", "https://chatapi.viber.com", None),
        ("https://porch.by/", "https://chatapi.viber.com", "https://porch.by"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000", "http://127.0.0.1:8000"),
    ],
)
def test_an_address_of_this_machine_alone_is_none(public: str, viber: str, reached: str | None) -> None:
    made = Settings(
        database_url="postgresql:///unused",
        secret_key="x",
        service_secret="whsec_dGVzdA==",
        public_url=public,
        viber_api_url=viber,
    )

    assert made.reachable_address == reached
