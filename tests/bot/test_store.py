"""The inbox and the outbox in a real PostgreSQL: once, in order, sealed, and never stranded."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text

from bot.messages import InboxDown
from bot.privacy import Privacy
from bot.store import Conversation, Effect, Store, TurnLost, open_engine, wake_drain
from tests.bot.conftest import SECRET

WORDS = "they call me a pig"


async def write(store: Store, update: str, *, words: str = WORDS, address: str = "42") -> None:
    event = {"kind": "text", "text": words}
    await store.accept(channel="telegram", address=address, update=update, event=event)


async def talking(store: Store, privacy: Privacy, *, address: str = "42") -> Conversation:
    conversation = await store.conversation(privacy.conversation("telegram", address))
    assert conversation is not None
    return conversation


def say(words: str) -> Effect:
    payload = {"text": words, "choices": [], "sender": "bot", "key": "insults.believe", "locale": "en"}
    return Effect(lane="channel", kind="say", payload=payload)


async def rows(url: str, query: str) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await (await connection.execute(query)).fetchall()


async def idle(store: Store, privacy: Privacy, address: str) -> None:
    """Let a month go by without a word from this visitor."""
    async with store.transaction() as connection:
        await connection.execute(
            text("UPDATE conversation SET active_at = now() - interval '31 days' WHERE id = :id"),
            {"id": privacy.conversation("telegram", address)},
        )


async def test_a_second_copy_of_a_delivery_is_dropped(store: Store, privacy: Privacy) -> None:
    await write(store, "1")
    await write(store, "1", words="the same delivery, whatever it says")

    waiting = (await store.backlog((await talking(store, privacy)).pseudonym, most=10)).messages

    assert [message.event["text"] for message in waiting] == [WORDS]


async def test_the_same_platform_id_on_two_channels_is_two_messages(store: Store, privacy: Privacy) -> None:
    await write(store, "1")
    await store.accept(channel="viber", address="42", update="1", event={"kind": "text", "text": WORDS})

    viber = (await store.backlog(privacy.conversation("viber", "42"), most=10)).messages

    assert len(viber) == 1


async def test_messages_come_out_in_the_order_in_which_they_came_in(store: Store, privacy: Privacy) -> None:
    for number in range(20):
        await write(store, str(number), words=f"message {number}")

    waiting = (await store.backlog((await talking(store, privacy)).pseudonym, most=50)).messages

    assert [message.event["text"] for message in waiting] == [f"message {number}" for number in range(20)]


async def test_many_messages_wait_under_one_job(store: Store, database_url: str) -> None:
    await asyncio.gather(*(write(store, str(number)) for number in range(25)))

    assert await rows(database_url, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'drain'") == [
        (1,)
    ]


async def test_a_message_that_meets_a_job_being_fetched_gets_a_job_of_its_own(
    store: Store, database_url: str
) -> None:
    # Given a waiting job that a worker takes before the second message is committed
    await write(store, "1")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as worker:
        await worker.execute("UPDATE procrastinate_jobs SET status = 'doing'")

    await write(store, "2")

    found = await rows(database_url, "SELECT status::text FROM procrastinate_jobs ORDER BY id")
    assert found == [("doing",), ("todo",)]


async def test_a_worker_cannot_take_the_waiting_job_while_a_message_is_being_added(
    store: Store, database_url: str, privacy: Privacy
) -> None:
    # Given the second message's transaction, still open
    await write(store, "1")
    pseudonym = (await talking(store, privacy)).pseudonym

    async with store.transaction() as connection:
        await wake_drain(connection, pseudonym)

        # When a worker looks for work meanwhile
        fetched = await rows(database_url, "SELECT id FROM procrastinate_fetch_job_v2(NULL, NULL)")

        # Then it does not get the job, which it would leave before the second message is visible
        assert fetched == [(None,)]
    assert await rows(database_url, "SELECT id IS NULL FROM procrastinate_fetch_job_v2(NULL, NULL)") == [
        (False,)
    ]


async def test_no_word_and_no_address_can_be_read_in_the_database(store: Store, database_url: str) -> None:
    await write(store, "update-77", address="visitor-4711")

    found = await rows(database_url, "SELECT i::text || c::text FROM inbox AS i, conversation AS c")

    assert len(found) == 1
    for secret in (WORDS, "visitor-4711", "update-77", WORDS.encode().hex(), b"visitor-4711".hex()):
        assert secret not in found[0][0]


async def test_another_process_reads_a_conversation_and_adds_to_it(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    await write(store, "1")
    engine = open_engine(database_url)
    elsewhere = Store(engine, privacy=privacy)

    await write(elsewhere, "2", words="and again")
    await write(store, "3", words="every day")

    pseudonym = privacy.conversation("telegram", "42")
    assert await elsewhere.address(pseudonym) == "42"
    for side in (store, elsewhere):
        waiting = (await side.backlog(pseudonym, most=10)).messages
        assert [message.event["text"] for message in waiting] == [WORDS, "and again", "every day"]
    await engine.dispose()


async def test_who_writes_again_after_an_erasure_elsewhere_is_understood(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    # Given a process that remembers the key of a conversation that another has erased
    await write(store, "1", words="old words")
    engine = open_engine(database_url)
    elsewhere = Store(engine, privacy=privacy)
    await idle(elsewhere, privacy, "42")
    await elsewhere.erase_idle(older_than=timedelta(days=30), duplicates_until=timedelta(days=7))
    assert await rows(database_url, "SELECT * FROM conversation_key") == []

    await write(store, "2", words="it is me again")

    pseudonym = privacy.conversation("telegram", "42")
    (message,) = (await elsewhere.backlog(pseudonym, most=10)).messages
    assert message.event["text"] == "it is me again"
    assert await elsewhere.address(pseudonym) == "42"
    await engine.dispose()


async def test_a_key_destroyed_while_somebody_writes_costs_no_message(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    # Given a process that is about to keep a message under a key that another destroys
    await write(store, "1")
    engine = open_engine(database_url)
    elsewhere = Store(engine, privacy=privacy)
    await write(elsewhere, "2", words="the second")
    conversation = await talking(store, privacy)

    async with store.transaction() as connection:
        await store.renew_key(connection, conversation)
        writing = asyncio.create_task(write(elsewhere, "3", words="the third"))
        await asyncio.sleep(0.2)
    await writing

    waiting = (await store.backlog(conversation.pseudonym, most=10)).messages
    assert [message.event["text"] for message in waiting] == [WORDS, "the second", "the third"]
    assert await store.address(conversation.pseudonym) == "42"
    await engine.dispose()


async def left_by_the_version_before(store: Store, privacy: Privacy, words: str) -> UUID:
    """A conversation without a key of its own, in which a message waits."""
    pseudonym, key = privacy.conversation("telegram", "42"), privacy.update_key("telegram", "1")
    event = json.dumps({"kind": "text", "text": words})
    values = {
        "id": pseudonym,
        "address": privacy.seal("42", context=f"conversation.address:{pseudonym}"),
        "state": privacy.seal('{"old": 1}', context=f"conversation.state:{pseudonym}"),
        "key": key,
        "payload": privacy.seal(event, context=f"inbox.payload:{key.hex()}"),
    }
    async with store.transaction() as connection:
        for statement in (
            "INSERT INTO conversation (id, channel, address, state)"
            " VALUES (:id, 'telegram', :address, :state)",
            "INSERT INTO inbox (conversation_id, update_key, payload) VALUES (:id, :key, :payload)",
        ):
            await connection.execute(text(statement), values)
    return pseudonym


async def test_what_the_version_before_sealed_is_read_beside_what_comes_after(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    pseudonym = await left_by_the_version_before(store, privacy, "old words")

    await write(store, "2", words="new words")

    assert await rows(database_url, "SELECT count(*) FROM conversation_key") == [(1,)]
    backlog = await store.backlog(pseudonym, most=10)
    assert [message.event["text"] for message in backlog.messages] == ["old words", "new words"]
    assert backlog.conversation is not None
    assert backlog.conversation.state == '{"old": 1}'
    assert await store.address(pseudonym) == "42"


async def test_an_event_finds_its_way_to_a_conversation_of_the_version_before(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    pseudonym = await left_by_the_version_before(store, privacy, "old words")

    assert await store.accept_for(pseudonym, update="x", event={"kind": "case.taken"})

    messages = (await store.backlog(pseudonym, most=10)).messages
    assert [message.event["kind"] for message in messages] == ["text", "case.taken"]
    assert await rows(database_url, "SELECT count(*) FROM conversation_key") == [(1,)]


async def test_a_turn_is_kept_once_whoever_comes_second(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    await write(store, "1")
    conversation = await talking(store, privacy)
    (message,) = (await store.backlog(conversation.pseudonym, most=10)).messages

    async def keep() -> None:
        async with store.transaction() as connection:
            await store.keep_turn(
                connection, conversation, number=message.number, state="{}", effects=[say("I believe you.")]
            )

    await keep()
    with pytest.raises(TurnLost):
        await keep()

    assert await rows(database_url, "SELECT count(*) FROM outbox") == [(1,)]
    assert (await store.backlog(conversation.pseudonym, most=10)).messages == []


async def test_a_worker_that_was_thought_dead_cannot_overwrite_a_newer_state(
    store: Store, privacy: Privacy
) -> None:
    # Given a worker that has read the state before two messages were answered by another
    await write(store, "1")
    await write(store, "2")
    stale = await talking(store, privacy)
    first, second = (await store.backlog(stale.pseudonym, most=10)).messages
    async with store.transaction() as connection:
        await store.keep_turn(connection, stale, number=first.number, state='{"new": 1}', effects=[])

    # When it wants to keep a turn of its own
    with pytest.raises(TurnLost):
        async with store.transaction() as connection:
            await store.keep_turn(connection, stale, number=second.number, state='{"old": 1}', effects=[])

    # Then the newer state stands and the message still waits
    assert (await talking(store, privacy)).state == '{"new": 1}'
    assert len((await store.backlog(stale.pseudonym, most=10)).messages) == 1


async def test_a_postponed_delivery_is_not_due(store: Store, privacy: Privacy) -> None:
    await write(store, "1")
    conversation = await talking(store, privacy)
    (message,) = (await store.backlog(conversation.pseudonym, most=10)).messages
    async with store.transaction() as connection:
        await store.keep_turn(
            connection, conversation, number=message.number, state="{}", effects=[say("one"), say("two")]
        )
    first, second = await store.due(conversation.pseudonym, lane="channel", most=10)

    await store.postpone(first.number, after=timedelta(minutes=1))
    await store.delivered(second.number)

    (left,) = await store.due(conversation.pseudonym, lane="channel", most=10)
    assert left.number == first.number
    assert left.attempts == 1
    assert timedelta(seconds=50) < left.due_in <= timedelta(minutes=1)


async def test_forgetting_leaves_no_words_behind(store: Store, privacy: Privacy, database_url: str) -> None:
    # Given a conversation with words on both sides and a case
    await write(store, "1")
    conversation = await talking(store, privacy)
    (message,) = (await store.backlog(conversation.pseudonym, most=10)).messages
    async with store.transaction() as connection:
        conversation = await store.keep_turn(
            connection, conversation, number=message.number, state="{}", effects=[say("one")]
        )
        await store.case_opened(connection, uuid4(), conversation=conversation.pseudonym)
    await write(store, "2", words="forget me")
    (message,) = (await store.backlog(conversation.pseudonym, most=10)).messages

    (old,) = await rows(database_url, "SELECT number, wrapped FROM conversation_key")
    async with store.transaction() as connection:
        conversation = await store.renew_key(connection, conversation)
        await store.keep_turn(
            connection, conversation, number=message.number, state="{}", effects=[say("It is gone.")]
        )
        await store.erase_words(connection, conversation.pseudonym, before=message.number)

    kept = await rows(
        database_url,
        "SELECT (SELECT count(*) FROM inbox WHERE payload IS NOT NULL), (SELECT count(*) FROM outbox),"
        " (SELECT count(*) FROM referral_case)",
    )
    assert kept == [(0, 1, 0)]
    said = await store.said_after(conversation.pseudonym, number=0, most=10)
    assert [payload["text"] for _, payload in said] == ["It is gone."]
    # And the key of what was said before is not there any more
    (new,) = await rows(database_url, "SELECT number, wrapped FROM conversation_key")
    assert new[0] != old[0]
    assert new[1] != old[1]
    assert await store.address(conversation.pseudonym) == "42"


async def test_an_erased_conversation_stays_unless_it_has_gone_on(store: Store, privacy: Privacy) -> None:
    await write(store, "1")
    conversation = await talking(store, privacy)
    pseudonym = conversation.pseudonym
    (message,) = (await store.backlog(pseudonym, most=10)).messages

    # A message waits for its answer
    await store.erase(pseudonym, version=0)
    assert await store.conversation(pseudonym) is not None

    async with store.statement() as connection:
        await store.keep_turn(connection, conversation, number=message.number, state="{}", effects=[])
    await store.erase(pseudonym, version=7)
    assert await store.conversation(pseudonym) is not None

    await store.erase(pseudonym, version=1)
    assert await store.conversation(pseudonym) is None


async def test_idle_conversations_are_erased_and_others_are_not(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    await write(store, "1", address="old")
    await write(store, "2", address="new")
    await idle(store, privacy, "old")

    erased = await store.erase_idle(older_than=timedelta(days=30), duplicates_until=timedelta(days=7))

    assert erased == 1
    assert await store.conversation(privacy.conversation("telegram", "new")) is not None
    assert await rows(database_url, "SELECT count(*) FROM inbox WHERE payload IS NOT NULL") == [(1,)]


async def test_an_event_for_an_erased_conversation_is_told_so(store: Store) -> None:
    assert not await store.accept_for(UUID(int=1), update="x", event={"kind": "case.taken"})


async def test_a_database_that_does_not_answer_is_an_inbox_that_is_down(tmp_path: Any) -> None:
    engine = open_engine(f"postgresql:///bot?host={tmp_path}")
    nowhere = Store(engine, privacy=Privacy(SECRET))

    with pytest.raises(InboxDown):
        await write(nowhere, "1")

    assert not await nowhere.alive()
    await engine.dispose()


async def test_the_end_of_a_job_wakes_the_one_that_waits_behind_it(store: Store, database_url: str) -> None:
    # Given a running job and another of the same conversation behind it
    await write(store, "1")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as worker:
        await worker.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        await write(store, "2")
        await worker.execute("LISTEN procrastinate_any_queue_v1")

        await worker.execute("DELETE FROM procrastinate_jobs WHERE status = 'doing'")

        woken = [notice async for notice in worker.notifies(timeout=5, stop_after=1)]
    assert len(woken) == 1
