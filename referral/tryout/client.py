"""How does the console ask the bot to try something? Signed requests that change nothing on either side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from referral.bot_client import BotClient, Told, understood
from referral.clock import Clock
from referral.errors import TryOutRefused
from referral.signature import Signature
from referral.tryout.schemas import Content, Drawing, Refusal, Saved, Turn

#: The bot may read its files and ask a model; an editor waits for no more than this.
_TIMEOUT = httpx.Timeout(10, connect=3)


class TryOutClient:
    """A client of the bot's ``/tryout/v1``; close it when done."""

    def __init__(self, bot_url: str, *, signature: Signature, clock: Clock) -> None:
        self._bot = BotClient(bot_url, signature=signature, clock=clock, timeout=_TIMEOUT)

    async def content(self) -> Content:
        """What can be tried."""
        return await self._ask("GET", "/tryout/v1/content", None, told=Content)

    async def drawing(self, flow: str, *, locale: str) -> Drawing:
        """What a flow looks like; raises ``TryOutRefused`` for a flow that there is not."""
        path = f"/tryout/v1/flows/{quote(flow, safe='')}?locale={quote(locale, safe='')}"
        return await self._ask("GET", path, None, told=Drawing)

    async def turn(self, wanted: Mapping[str, Any]) -> Turn:
        """One turn; raises ``TryOutRefused`` with the bot's sentence when it cannot be tried."""
        return await self._ask("POST", "/tryout/v1/turns", wanted, told=Turn)

    async def golden(self, wanted: Mapping[str, Any]) -> Saved:
        """The conversation as a test."""
        return await self._ask("POST", "/tryout/v1/goldens", wanted, told=Saved)

    async def close(self) -> None:
        """Give the connections back."""
        await self._bot.close()

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, *, told: type[Told]) -> Told:
        response = await self._bot.ask(method, path, body)
        if response.status_code in (404, 413, 422):
            raise TryOutRefused(_sentence(response))
        return understood(response, told)


def _sentence(response: httpx.Response) -> str:
    try:
        return Refusal.model_validate_json(response.content).detail
    except ValidationError:
        return ""
