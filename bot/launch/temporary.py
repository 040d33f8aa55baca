"""How does a command get the services it needs: those that run, or its own for as long as it lasts?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from bot.launch import model
from bot.launch.ports import free_port
from bot.launch.processes import Supervisor
from bot.launch.services import Ports, product
from bot.launch.site import PREFIX, Site, read_settings_file

Tell = Callable[[str], None]

#: A bot that lives for one command finds its own services, and leaves the messengers to the real one.
_NOT_OURS = tuple(
    PREFIX + name
    for name in (
        "BOT_URL",
        "NLU_URL",
        "PUBLIC_URL",
        "REFERRAL_URL",
        "TELEGRAM_TOKEN",
        "VIBER_TOKEN",
    )
)


@asynccontextmanager
async def bot(site: Site, *, tell: Tell) -> AsyncIterator[str]:
    """The address of a bot that answers."""
    running = _noted(site, "PORCHLIGHT_BOT_URL") or "http://127.0.0.1:8000"
    if await _is_ours(f"{running}/readyz"):
        yield running
        return
    trained = await _trained(site, tell=tell)
    tell("Starting the bot for this command.")
    site = site.without(*_NOT_OURS)
    at = Ports(bot=free_port(), console=free_port(), nlu=free_port())
    with product(site, ports=at) as started:
        await started.migrate()
        supervisor = Supervisor(logs=site.logs)
        try:
            for service in (
                started.nlu(trained),
                started.referral(),
                started.bot_worker(),
                started.bot_web(),
            ):
                supervisor.start(service)
            for name in ("bot-web", "bot-worker", "referral", "nlu"):
                await supervisor.ready(name)
            yield started.bot_url
        finally:
            await supervisor.stop()


@asynccontextmanager
async def nlu(site: Site, *, tell: Tell) -> AsyncIterator[str]:
    """The address of a model server that answers; needs no database."""
    running = (_noted(site, "PORCHLIGHT_NLU_URL") or "http://127.0.0.1:5005").partition(",")[0]
    if await _is_ours(f"{running}/status"):
        yield running
        return
    trained = await _trained(site, tell=tell)
    tell("Starting the model for this command.")
    at = Ports(nlu=free_port())
    supervisor = Supervisor(logs=site.logs)
    try:
        supervisor.start(model.service(site, trained, port=at.nlu))
        await supervisor.ready("nlu")
        yield f"http://127.0.0.1:{at.nlu}"
    finally:
        await supervisor.stop()


def _noted(site: Site, name: str) -> str | None:
    return read_settings_file(site.running_file).get(name) or site.setting(name)


async def _trained(site: Site, *, tell: Tell) -> model.Model:
    trained = await asyncio.to_thread(model.current, site)
    if trained is None:
        tell("The training data changed, so the model is trained first.")
        trained = await model.train(site, on_line=tell)
    return trained


async def _is_ours(health: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=3, trust_env=False) as http:
            answer = await http.get(health)
    except httpx.HTTPError:
        return False
    return answer.is_success and any(
        word in answer.text for word in ('"ready"', '"degraded"', '"model_file"')
    )
