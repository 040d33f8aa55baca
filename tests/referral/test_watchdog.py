"""Deliveries that stand still are noticed, and what does not end is ended: real queue, real database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from referral.background import beside
from referral.database import Sessions, transaction
from referral.events.delivery import DeliveryWorker
from referral.events.repository import EventRepository
from referral.events.watchdog import Limits, QueueStands, Watchdog
from tests.referral.desk import eventually

BRIEF = Limits(job=timedelta(seconds=2), standing=timedelta(seconds=3))
PATIENCE_SECONDS = 30.0


async def test_deliveries_that_are_due_and_that_nobody_begins_are_noticed(
    sessions: Sessions, database: str
) -> None:
    async with transaction(sessions) as session:
        await EventRepository(session).defer(uuid4())

    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(QueueStands):
            await Watchdog(database_url=database, limits=BRIEF).watch()


class Stuck:
    """A delivery that never ends for the first case it is given, whoever tells it to."""

    def __init__(self) -> None:
        self.begun: list[object] = []
        self.told = 0

    async def drain(self, case: object) -> None:
        self.begun.append(case)
        while case == self.begun[0] and self.told < 2:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                self.told += 1


async def test_a_delivery_that_hangs_gives_its_place_to_the_next(sessions: Sessions, database: str) -> None:
    stuck, first, second = Stuck(), uuid4(), uuid4()
    worker = DeliveryWorker(
        database,
        delivery=stuck,  # type: ignore[arg-type]
        sessions=sessions,
        concurrency=1,
        limits=BRIEF,
    )
    async with worker.running():
        for number, case in enumerate((first, second)):
            async with transaction(sessions) as session:
                await EventRepository(session).defer(case)
            await eventually(_count(stuck), lambda begun, least=number: begun > least, within=60)  # type: ignore[misc]

    assert stuck.begun[:2] == [first, second]


def _count(stuck: Stuck) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return len(stuck.begun)

    return count


async def test_who_misses_the_first_word_to_end_is_told_again() -> None:
    told = 0

    async def deaf_at_first() -> None:
        nonlocal told
        while told < 2:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                told += 1

    async with asyncio.timeout(PATIENCE_SECONDS), beside(deaf_at_first()):
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert told == 2


def test_where_work_can_not_be_ended_the_process_ends() -> None:
    program = """
import asyncio
from referral.background import until_one_ends

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
