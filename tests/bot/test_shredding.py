"""After "delete my data", what do the files of the database still hold, and can anybody read it?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from bot.keys import FileKeys, Keys, Seal, WrappedKey, master_keys
from bot.launch.postgres import EmbeddedPostgres
from bot.migrate import migrate
from bot.privacy import Privacy, SealBroken
from bot.store import Effect, Store, open_engine

MARKED = "zebrafinch"
ADDRESS = "visitor-4711-marked"


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A durable server of this test's own, whose files it may read."""
    folder = Path(tempfile.mkdtemp(prefix="porchlight-shred-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder)
    server.start()
    migrate(server.url("bot"))
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def masters(privacy: Privacy, tmp_path: Path) -> FileKeys:
    masters = master_keys(privacy, file=tmp_path / "master.keys")
    assert isinstance(masters, FileKeys)
    return masters


@pytest.fixture
async def store(server: EmbeddedPostgres, privacy: Privacy, masters: FileKeys) -> AsyncIterator[Store]:
    engine = open_engine(server.url("bot"))
    yield Store(engine, privacy=privacy, masters=masters)
    await engine.dispose()


async def rows(server: EmbeddedPostgres, query: str) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(server.url("bot"), autocommit=True) as connection:
        cursor = await connection.execute(query)
        return await cursor.fetchall() if cursor.description else []


def say(words: str) -> Effect:
    payload = {"text": words, "choices": [], "sender": "bot", "key": "insults.believe", "locale": "en"}
    return Effect(lane="channel", kind="say", payload=payload)


async def talk(store: Store, pseudonym: UUID, address: str) -> None:
    """One message with marked words, its answer, a case and what the helpline is told of it."""
    event = {"kind": "text", "text": f"they call me {MARKED}"}
    await store.accept(channel="telegram", address=address, update=f"{address} 1", event=event)
    backlog = await store.backlog(pseudonym, most=10)
    assert backlog.conversation is not None
    told = Effect(lane="referral", kind="open_case", payload={"words": f"they call me {MARKED}"})
    async with store.transaction() as connection:
        await store.case_opened(connection, uuid4(), conversation=pseudonym)
        await store.keep_turn(
            connection,
            backlog.conversation,
            number=backlog.messages[0].number,
            state=f'{{"nick": "{MARKED}"}}',
            effects=[say(f"I believe you, {MARKED}"), told],
        )


async def forget(store: Store, pseudonym: UUID, address: str) -> None:
    """As a turn that ends in "delete my data" does it, and the timer a minute later."""
    await store.accept(
        channel="telegram", address=address, update=f"{address} 2", event={"kind": "text", "text": MARKED}
    )
    backlog = await store.backlog(pseudonym, most=10)
    assert backlog.conversation is not None
    number = backlog.messages[0].number
    async with store.transaction() as connection:
        conversation = await store.renew_key(connection, backlog.conversation)
        kept = await store.keep_turn(
            connection, conversation, number=number, state="{}", effects=[say("Gone.")]
        )
        await store.erase_words(connection, pseudonym, before=number)
    await store.erase(pseudonym, version=kept.version)


async def sealed_values(server: EmbeddedPostgres) -> list[tuple[bytes, str]]:
    """Everything sealed that is stored now, with its place."""
    found = [
        (sealed, f"conversation.{column}:{who}")
        for who, *both in await rows(server, "SELECT id, address, state FROM conversation")
        for column, sealed in zip(("address", "state"), both, strict=True)
    ]
    found += [
        (sealed, f"inbox.payload:{key.hex()}")
        for key, sealed in await rows(server, "SELECT update_key, payload FROM inbox")
    ]
    return found + [
        (sealed, f"outbox.payload:{number}:{position}")
        for number, position, sealed in await rows(server, "SELECT inbox_id, position, payload FROM outbox")
    ]


async def wrapped_keys(server: EmbeddedPostgres) -> dict[UUID, WrappedKey]:
    return {
        who: WrappedKey(number=number, wrapped=wrapped, master=master)
        for who, number, wrapped, master in await rows(
            server, "SELECT conversation_id, number, wrapped, master FROM conversation_key"
        )
    }


def files(server: EmbeddedPostgres) -> Iterator[tuple[Path, bytes]]:
    """Every file of the server: tables, indexes, its write-ahead log and its log."""
    for file in server.home.rglob("*"):
        if file.is_file():
            yield file, file.read_bytes()


def where(server: EmbeddedPostgres, what: bytes) -> set[str]:
    """In which files these bytes stand."""
    return {str(file.relative_to(server.home)) for file, content in files(server) if what in content}


def opens(key: Seal, sealed: bytes, place: str) -> bool:
    try:
        key.unseal(sealed, context=place)
    except SealBroken:
        return False
    return True


async def test_what_is_left_of_a_deleted_conversation_can_be_read_by_nobody(
    server: EmbeddedPostgres, store: Store, privacy: Privacy, masters: FileKeys
) -> None:
    # Given one visitor whose words are to go and another who stays
    gone, stays = privacy.conversation("telegram", ADDRESS), privacy.conversation("telegram", "other")
    await talk(store, gone, ADDRESS)
    before = await sealed_values(server)
    old = (await wrapped_keys(server))[gone]
    assert len(before) == 5
    its_own = await Keys(masters, older=privacy).open(gone, old)
    assert all(opens(its_own, *value) for value in before)
    await talk(store, stays, "other")

    # When they ask for it
    await forget(store, gone, ADDRESS)
    for command in ("VACUUM", "CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"):
        await rows(server, command)

    # Then no file holds a word or an address in plain, in bytes or in hexadecimal
    for marked in (MARKED, ADDRESS):
        for plain in (marked.encode(), marked.encode().hex().encode()):
            assert where(server, plain) == set()
    # And no key that is there now opens what was stored
    present = await wrapped_keys(server)
    keys = [await Keys(masters, older=privacy).open(who, key) for who, key in present.items()]
    assert len(keys) == 1
    assert not [value for value in before for key in [*keys, privacy] if opens(key, *value)]
