"""What does the desk ask the bot about itself?"""

from __future__ import annotations

import httpx

from referral.bot_client import BotClient, understood
from referral.clock import Clock
from referral.oversight.schemas import Condition, Usage
from referral.signature import Signature

#: Somebody waits for the page, which has other things to show.
_TIMEOUT = httpx.Timeout(4, connect=2)


class OversightClient:
    """A client of the bot's ``/oversight/v1``; close it when done."""

    def __init__(self, bot_url: str, *, signature: Signature, clock: Clock) -> None:
        self._bot = BotClient(bot_url, signature=signature, clock=clock, timeout=_TIMEOUT)

    async def usage(self, *, first: str, last: str) -> Usage:
        """How the flows were used from one month (``2026-11``) to another, both of them included."""
        return understood(await self._bot.ask("GET", f"/oversight/v1/sums?first={first}&last={last}"), Usage)

    async def condition(self) -> Condition:
        """How the bot is doing."""
        return understood(await self._bot.ask("GET", "/oversight/v1/condition"), Condition)

    async def close(self) -> None:
        """Give the connections back."""
        await self._bot.close()
