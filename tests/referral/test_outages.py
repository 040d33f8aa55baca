"""What happens when a process is killed in the middle, and when the database is away."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from referral.config import Settings
from referral.signature import Signature
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import PASSWORD, BotClient, OperatorClient, eventually, running
from tests.referral.serving import SERVICE_SECRET, FakeBot, serving


@pytest.mark.slow
async def test_a_killed_process_loses_nothing_and_says_nothing_twice(database: str, bot: FakeBot) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    async with serving(bot.app()) as bot_url:
        settings = _environment(database) | {"PORCHLIGHT_BOT_URL": bot_url, "PORCHLIGHT_REFERRAL_URL": url}
        async with _process(settings, port=port) as first, _browser(url) as operator:
            link = await _output(settings, "operator", "add", "nina")
            await operator.send(link, {"password": PASSWORD, "again": PASSWORD}, token=False)
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                client = BotClient(http, signature=Signature(SERVICE_SECRET))
                await client.open()
            case = await operator.take_next()
            assert case is not None
            await bot.until(lambda seen: len(seen.events) == 1)

            bot.hang_next = True
            await operator.write(case, "первое")
            await operator.write(case, "второе")
            await bot.until(lambda seen: len(seen.attempts) == 2)
            first.send_signal(signal.SIGKILL)
            await first.wait()

        async with _process(settings, port=port):
            await bot.until(lambda seen: len(seen.texts) == 2, within=30)

    assert bot.texts == ["первое", "второе"]
    assert bot.attempts[1] == bot.attempts[2]


async def test_without_its_database_the_desk_says_so(clock: Time) -> None:
    settings = Settings(
        referral_database_url=f"postgresql://127.0.0.1:{_free_port()}/referral",
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
    )
    async with (
        running(settings, clock=clock) as service,
        service.as_bot() as bot,
        service.browser() as browser,
    ):
        health = await browser.get("/healthz")
        ready = await browser.get("/readyz")
        browser.cookies.set("porchlight", "x")
        page = await browser.get("/")
        status = await bot.get("/v1/cases/a7b06bf1-44d0-4a52-9b4c-0d1d3d1a71d6/status")

    assert health.status_code == 200
    assert (ready.status_code, ready.json()["degraded"]) == (503, ["database"])
    assert page.status_code == 503
    assert "cannot reach its database" in page.text
    assert (status.status_code, status.json()["error"]) == (503, "database_down")


@asynccontextmanager
async def _process(settings: dict[str, str], *, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "referral", "web", "--port", str(port)),
        env=os.environ | settings,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as client:

            async def ready() -> int:
                try:
                    return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code
                except httpx.HTTPError:
                    return 0

            await eventually(ready, lambda status: status == 200, within=60)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def _browser(url: str) -> AsyncIterator[OperatorClient]:
    headers = {"accept": "text/html", "origin": url}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
        yield OperatorClient(client)


async def _output(settings: dict[str, str], *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "referral", *arguments),
        env=os.environ | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().strip()


def _environment(database: str) -> dict[str, str]:
    return {
        "PORCHLIGHT_REFERRAL_DATABASE_URL": database,
        "PORCHLIGHT_REFERRAL_SECRET_KEY": SECRET_KEY,
        "PORCHLIGHT_SERVICE_SECRET": SERVICE_SECRET,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
