"""A queue that stands still is noticed, and what does not end is ended: real queue, real database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest

from bot.inbox.watchdog import Limits, QueueStands, Watchdog, until_one_ends
from bot.privacy import Privacy
from bot.store import Store, open_engine
from bot.worker import for_ever, work
from tests.bot.test_worker import PATIENCE_SECONDS, WebVisitor, execute, settings

BRIEF = Limits(job=timedelta(seconds=2), standing=timedelta(seconds=3))


@asynccontextmanager
async def impatient(database_url: str) -> AsyncIterator[None]:
    """A worker with one place for jobs and little patience."""
    one_place = settings(database_url).model_copy(update={"worker_concurrency": 1})
    running = asyncio.create_task(work(one_place, limits=BRIEF))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_job_that_hangs_gives_its_place_to_the_next(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    first, second = (WebVisitor(store, privacy, address=name) for name in ("first", "second"))
    await first.writes("i want to die")
    await second.writes("i want to die")

    async with await psycopg.AsyncConnection.connect(database_url) as holding:
        await holding.execute("SELECT FROM conversation WHERE id = %s FOR UPDATE", [first.pseudonym])
        async with impatient(database_url):
            said = await second.hears()
            await holding.rollback()
            later = await first.hears()

    assert "1098" in said[0]["text"]
    assert "1098" in later[0]["text"]


async def test_a_worker_whose_connections_are_cut_and_whose_row_is_gone_goes_on(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    visitor = WebVisitor(store, privacy)
    await visitor.does("started")
    async with impatient(database_url):
        await visitor.hears()

        await execute(database_url, "DELETE FROM procrastinate_workers")
        await execute(
            database_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        # The connections of the test were cut as well.
        engine = open_engine(database_url)
        visitor.store = Store(engine, privacy=privacy)
        await visitor.writes("i want to die")
        said = await visitor.hears()
        await engine.dispose()

    assert "1098" in said[-1]["text"]


async def test_jobs_that_are_due_and_that_nobody_begins_are_noticed(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    await WebVisitor(store, privacy).writes("i want to die")

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(QueueStands):
            await Watchdog(database_url=database_url, limits=BRIEF).watch()


async def test_jobs_of_tomorrow_are_no_reason(store: Store, privacy: Privacy, database_url: str) -> None:
    await WebVisitor(store, privacy).writes("i want to die")
    await execute(database_url, "UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 day'")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(8):
            await Watchdog(database_url=database_url, limits=BRIEF).watch()


async def test_who_misses_the_first_word_to_end_is_told_again() -> None:
    told = 0

    async def deaf_at_first() -> None:
        nonlocal told
        while told < 2:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                told += 1

    async def ends() -> None:
        await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await until_one_ends(deaf_at_first(), ends())

    assert told == 2


async def test_a_part_that_fails_while_it_is_ended_does_not_begin_again() -> None:
    begun = 0

    async def fails_on_the_way_out() -> None:
        nonlocal begun
        begun += 1
        try:
            await asyncio.sleep(3600)
        finally:
            raise ConnectionError

    part = asyncio.create_task(for_ever("queue", fails_on_the_way_out))
    await asyncio.sleep(0)
    part.cancel()
    ended, _ = await asyncio.wait([part], timeout=PATIENCE_SECONDS)

    assert ended == {part}
    assert isinstance(part.exception(), ConnectionError)
    assert begun == 1


def test_where_a_part_can_not_be_ended_the_process_ends() -> None:
    program = """
import asyncio
from bot.inbox.watchdog import until_one_ends

async def deaf():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def ends():
    await asyncio.sleep(0)

asyncio.run(until_one_ends(deaf(), ends()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=90)

    assert done.returncode == 70
