"""Does everything stay readable while its keys come under a newer master key, and nothing by the old one?"""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import rotation
from bot.keys import FileKeys, Keys, MasterKeyMissing, master_keys
from bot.privacy import Privacy
from bot.store import Store, open_engine
from tests.bot.conftest import SECRET
from tests.bot.opened import open_keys

SERVICE_SECRET = "whsec_dGVzdHMgb2YgdGhlIGJvdCB1c2UgdGhpcyBzZWNyZXQ="


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "master.keys"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def masters(privacy: Privacy, file: Path) -> FileKeys:
    masters = master_keys(privacy, file=file)
    assert isinstance(masters, FileKeys)
    return masters


async def write(store: Store, *, address: str, update: str = "1") -> None:
    event = {"kind": "text", "text": f"words of {address}"}
    await store.accept(channel="telegram", address=address, update=f"{address} {update}", event=event)


async def words(store: Store, privacy: Privacy, address: str) -> list[str]:
    backlog = await store.backlog(privacy.conversation("telegram", address), most=50)
    return [message.event["text"] for message in backlog.messages]


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def versions(file: Path) -> list[str]:
    return [line.partition(":")[0] for line in file.read_text().split()]


def run(url: str, file: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PORCHLIGHT_DATABASE_URL": url,
        "PORCHLIGHT_SECRET_KEY": SECRET,
        "PORCHLIGHT_SERVICE_SECRET": SERVICE_SECRET,
    }
    if file is not None:
        environment["PORCHLIGHT_MASTER_KEYS_FILE"] = str(file)
    return subprocess.run(
        [sys.executable, "-m", "bot", "keys", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def test_a_running_process_reads_and_writes_through_a_rotation_by_the_command(
    database_url: str, engine: AsyncEngine, masters: FileKeys, privacy: Privacy, file: Path
) -> None:
    # Given a process with a conversation from before the rotation
    running = Store(engine, privacy=privacy, masters=masters)
    await write(running, address="before")

    rotated = await asyncio.to_thread(run, database_url, file, "rotate")

    # Then it goes on, and so does whoever starts afterwards, and the old key alone opens nothing
    assert rotated.returncode == 0, rotated.stderr
    assert "Master key 2 is the newest: 1 conversations use it." in rotated.stdout
    assert "must be kept" not in rotated.stdout
    assert await asyncio.to_thread(mode, file) == 0o600
    await write(running, address="after")
    fresh = Store(engine, privacy=privacy, masters=master_keys(privacy, file=file))
    for store in (running, fresh):
        assert await words(store, privacy, "before") == ["words of before"]
        assert await words(store, privacy, "after") == ["words of after"]
    with pytest.raises(MasterKeyMissing):
        await open_keys(database_url, privacy)


async def test_a_rotation_that_was_cut_short_goes_on_with_the_same_key(
    database_url: str, engine: AsyncEngine, masters: FileKeys, privacy: Privacy
) -> None:
    # Given a rotation that ended after it had made its key, while a message came
    store = Store(engine, privacy=privacy, masters=masters)
    for number in range(3):
        await write(store, address=str(number))
    assert await rotation.prepare(engine, masters=masters) == 3
    await write(store, address="meanwhile")
    assert await rotation.uses(engine, masters=masters) == [
        rotation.Use(version=2, keys=1),
        rotation.Use(version=1, keys=3),
    ]

    # When it is run again
    assert await rotation.prepare(engine, masters=masters) == 3
    seen: list[int] = []
    await rotation.rotate(engine, masters=masters, keys=Keys(masters, older=privacy), done=seen.append)

    assert seen == [3, 0]
    assert await rotation.uses(engine, masters=masters) == [rotation.Use(version=2, keys=4)]
    for address in ("0", "1", "2", "meanwhile"):
        assert await words(store, privacy, address) == [f"words of {address}"]


async def test_a_version_is_kept_for_one_rotation_more(
    engine: AsyncEngine, masters: FileKeys, privacy: Privacy, file: Path
) -> None:
    await write(Store(engine, privacy=privacy, masters=masters), address="42")

    kept = []
    for _ in range(3):
        await rotation.prepare(engine, masters=masters)
        await rotation.rotate(engine, masters=masters, keys=Keys(masters, older=privacy), done=lambda _: None)
        kept.append(await asyncio.to_thread(versions, file))

    assert kept == [["2"], ["2", "3"], ["3", "4"]]
    assert await words(Store(engine, privacy=privacy, masters=masters), privacy, "42") == ["words of 42"]


async def test_where_the_settings_hold_the_keys_the_command_says_what_to_add(
    store: Store, database_url: str
) -> None:
    await write(store, address="42")

    refused = await asyncio.to_thread(run, database_url, None, "rotate")

    assert refused.returncode == 1
    assert "Add 2:… to PORCHLIGHT_MASTER_KEYS" in refused.stdout
    shown = await asyncio.to_thread(run, database_url, None, "status")
    assert shown.stdout == "Master key 1 is the newest: 1 conversations use it.\n"


async def test_no_message_is_lost_that_comes_during_a_rotation(
    database_url: str, engine: AsyncEngine, masters: FileKeys, privacy: Privacy
) -> None:
    store = Store(engine, privacy=privacy, masters=masters)
    for number in range(20):
        await write(store, address=str(number))

    await rotation.prepare(engine, masters=masters)
    await asyncio.gather(
        rotation.rotate(engine, masters=masters, keys=Keys(masters, older=privacy), done=lambda _: None),
        *(write(store, address=str(number), update="2") for number in range(20)),
    )

    fresh = Store(engine, privacy=privacy, masters=masters)
    for number in range(20):
        assert await words(fresh, privacy, str(number)) == [f"words of {number}"] * 2
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        left = await connection.execute("SELECT DISTINCT master FROM conversation_key")
        assert await left.fetchall() == [(2,)]
