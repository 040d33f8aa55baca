"""How does ``./porchlight rehearse`` find the desk? The one that runs, or one of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import httpx

from bot.launch.processes import Supervisor
from bot.launch.services import product
from bot.launch.site import FOR_EVERY_PROCESS, Site


async def rehearse(site: Site, arguments: Sequence[str], *, tell: Callable[[str], None]) -> int:
    """Run the rehearsal beside a desk; its exit code."""
    if "--help" in arguments:
        return await _run(arguments, environment={**os.environ, **FOR_EVERY_PROCESS})
    with product(site) as running:
        await running.migrate_one("referral")
        supervisor = Supervisor(logs=site.logs)
        try:
            if not await _answers(f"{running.console_url}/healthz"):
                tell("Starting the helpline desk for this rehearsal; the bot is not needed.")
                supervisor.start(running.referral())
                await supervisor.ready("referral")
            return await _run(arguments, environment=running.environment_of("referral"))
        finally:
            await supervisor.stop()


async def _run(arguments: Sequence[str], *, environment: Mapping[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "referral", "rehearse", *arguments, env=dict(environment)
    )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        # Ctrl-C reaches both: the children leave, and it is told how it went.
        await process.wait()
        raise


async def _answers(address: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=3, trust_env=False) as http:
            return (await http.get(address)).is_success
    except httpx.HTTPError:
        return False
