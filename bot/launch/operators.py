"""How do the people at the helpline get in, and who sees what they did? By the referral's own commands."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence

from bot.launch.services import Product, product
from bot.launch.site import Site

#: Who can add everybody else; made on the first start.
FIRST = "supervisor"


async def first_sign_in(running: Product) -> list[str]:
    """Make the first supervisor where there is nobody yet: the lines that tell how to sign in, else none."""
    if await _ask(running, ["list"]) != "":
        return []
    link = await _ask(running, ["add", FIRST, "--role", "supervisor"])
    if not link:
        return ["  Sign in    could not be made; try ./porchlight operator add NAME --role supervisor"]
    return [
        f"  Sign in    {link}",
        f"             (once, as '{FIRST}'; lost it? ./porchlight operator invite {FIRST})",
    ]


async def forward(site: Site, command: str, arguments: Sequence[str], *, package: str = "referral") -> int:
    """Run ``python -m PACKAGE COMMAND …`` where the caller stands, with its database up; its exit code."""
    with product(site) as running:
        await running.migrate_one(package)
        return subprocess.run(  # noqa: S603, ASYNC221
            [sys.executable, "-m", package, command, *arguments],
            env=running.environment_of(package),
            check=False,
        ).returncode


async def _ask(running: Product, arguments: Sequence[str]) -> str | None:
    """What the command prints; None if it failed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "referral",
        "operator",
        *arguments,
        env=running.environment_of("referral"),
        cwd=running.site.root,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    return said.decode().strip() if process.returncode == 0 else None
