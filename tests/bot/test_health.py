"""What monitoring reads of the bot is right: real processes, a real database, a model server of the tests."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from bot.app import create_app
from bot.launch.ports import free_port
from bot.launch.processes import end, spawn
from bot.privacy import Privacy
from bot.store import Store
from tests.bot.conftest import SECRET
from tests.bot.test_worker import NOWHERE, PATIENCE_SECONDS, WebVisitor, execute
from tests.bot.test_worker import settings as settings_of
from tests.databases import empty_database
from tests.fakes.rasa import FakeRasa
from tests.fakes.server import serving as serving_fake
from tests.referral.serving import serving

ROOT = Path(__file__).parents[2]

_LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def figures(metrics: str) -> dict[str, float]:
    """Every sample by name and labels."""
    return {
        f"{name}{{{labels}}}" if labels else name: float(value)
        for name, labels, value in _LINE.findall(metrics)
    }


@asynccontextmanager
async def worker_process(database_url: str, *, nlu: str) -> AsyncIterator[str]:
    """``python -m bot worker`` and where it tells how it is."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PORCHLIGHT_")},
        "PORCHLIGHT_DATABASE_URL": database_url,
        "PORCHLIGHT_SECRET_KEY": SECRET,
        "PORCHLIGHT_SERVICE_SECRET": settings_of(database_url).service_secret,
        "PORCHLIGHT_REFERRAL_URL": NOWHERE,
        "PORCHLIGHT_NLU_URL": nlu,
        "PORCHLIGHT_WORKER_LISTEN": f"127.0.0.1:{port}",
    }
    process = await spawn([sys.executable, "-m", "bot", "worker"], environment=environment, directory=ROOT)
    assert process.stdout is not None
    said = asyncio.create_task(process.stdout.read())
    try:
        await _answers(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        await end(process, within=timedelta(seconds=PATIENCE_SECONDS))
        await said


async def _answers(url: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                await http.get(url)
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return


async def _until_answered(database_url: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if not await execute(database_url, "SELECT id FROM inbox WHERE done_at IS NULL"):
                return
            await asyncio.sleep(0.05)


async def seen(url: str) -> Mapping[str, float]:
    """The figures of this process now."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
        return figures((await http.get(f"{url}/metrics")).text)


async def readiness(url: str) -> tuple[int, dict[str, object]]:
    """What ``/readyz`` says."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
        answer = await http.get(f"{url}/readyz")
        return answer.status_code, answer.json()


async def test_two_workers_each_count_what_they_did_and_tell_the_same_of_what_waits(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    rasa = FakeRasa({"laugh": {"insults": 0.9}})
    visitors = [WebVisitor(store, privacy, address=f"visitor {number}") for number in range(6)]
    async with (
        serving_fake(rasa.app()) as nlu,
        worker_process(database_url, nlu=nlu) as first,
        worker_process(database_url, nlu=nlu) as second,
    ):
        for visitor in visitors:
            await visitor.does("started")
            await visitor.writes("they laugh at me")
            await visitor.writes("i want to die")
            await visitor.writes("zyxwvut")
            await visitor.does("choice", text="m")
        await _until_answered(database_url)
        told = [await seen(url) for url in (first, second)]
        ready = [await readiness(url) for url in (first, second)]

    def total(sample: str) -> float:
        return sum(figures.get(sample, 0) for figures in told)

    understood = "porchlight_understood_total"
    assert total(f'{understood}{{by="lexicon",locale="en",understood="yes"}}') == 6
    assert total(f'{understood}{{by="model",locale="en",understood="yes"}}') == 6
    assert total(f'{understood}{{by="model",locale="en",understood="no"}}') == 6
    assert total(f'{understood}{{by="button",locale="en",understood="yes"}}') == 6
    # The greeting, and one first answer for each of the four others.
    assert total('porchlight_first_reply_seconds_count{channel="web"}') == 30
    assert all(figures["porchlight_workers"] == 2 for figures in told)
    assert all(figures["porchlight_inbox_open"] == 0 for figures in told)
    assert all(figures['porchlight_jobs_waiting{queue="inbox"}'] == 0 for figures in told)
    assert all("porchlight_database_connections_in_use" in figures for figures in told)
    assert all('porchlight_outbox_oldest_seconds{lane="channel"}' in figures for figures in told)
    assert ready == [(200, {"status": "ready", "missing": [], "degraded": []})] * 2


async def test_metrics_tell_what_waits_when_nobody_works(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    await WebVisitor(store, privacy).writes("zyxwvut")
    await execute(database_url, "UPDATE inbox SET received_at = now() - interval '90 seconds'")

    async with serving(create_app(settings_of(database_url))) as url:
        told, ready = await seen(url), await readiness(url)

    assert told["porchlight_inbox_open"] == 1
    assert told["porchlight_inbox_oldest_seconds"] >= 90
    assert told['porchlight_jobs_waiting{queue="inbox"}'] == 1
    assert told["porchlight_workers"] == 0
    assert ready == (
        200,
        {"status": "degraded", "missing": [], "degraded": ["no worker", "answers are late", "no model"]},
    )


@pytest.mark.parametrize("revision", ["0001", "a newer one"])
async def test_tables_of_an_older_version_are_not_ready_and_those_of_a_newer_one_are(
    revision: str, database_url: str
) -> None:
    async with serving(create_app(settings_of(database_url))) as url:
        await execute(database_url, f"UPDATE alembic_version SET version_num = '{revision}'")  # noqa: S608
        status, said = await readiness(url)

    assert (status, said["missing"]) == ((503, ["migrations"]) if revision == "0001" else (200, []))


async def test_a_database_without_tables_or_none_at_all_is_not_ready() -> None:
    async with empty_database("health") as empty:
        for address, missing in ((empty, "migrations"), ("postgresql://x@127.0.0.1:9/x", "database")):
            async with serving(create_app(settings_of(address))) as url:
                assert await readiness(url) == (
                    503,
                    {"status": "down", "missing": [missing], "degraded": []},
                )


async def test_the_worker_stops_when_told_though_it_tells_how_it_is(database_url: str) -> None:
    async with worker_process(database_url, nlu=NOWHERE) as url:
        assert (await readiness(url))[0] == 200

    with pytest.raises(httpx.ConnectError):
        await readiness(url)
    # It said goodbye to the queue, which a worker that was killed does not.
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        left = await (await connection.execute("SELECT count(*) FROM procrastinate_workers")).fetchone()
    assert left == (0,)
