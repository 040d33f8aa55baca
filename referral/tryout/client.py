"""How does the console ask the bot to try something? Signed requests that change nothing on either side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from referral.clock import Clock
from referral.errors import BotMisunderstood, BotUnreachable, TryOutRefused
from referral.signature import Signature
from referral.tryout.schemas import Content, Drawing, Refusal, Saved, Turn

log = structlog.get_logger(__name__)

#: The bot may read its files and ask a model; an editor waits for no more than this.
_TIMEOUT = httpx.Timeout(10, connect=3)

Told = TypeVar("Told", bound=BaseModel)


class TryOutClient:
    """A client of the bot's ``/tryout/v1``; close it when done."""

    def __init__(self, bot_url: str, *, signature: Signature, clock: Clock) -> None:
        # The bot is our own: neither a proxy of the environment nor a redirect has a part in this.
        self._http = httpx.AsyncClient(
            base_url=bot_url.rstrip("/"), timeout=_TIMEOUT, trust_env=False, follow_redirects=False
        )
        self._signature = signature
        self._clock = clock

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
        await self._http.aclose()

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, *, told: type[Told]) -> Told:
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = self._signature.headers(content, number=f"msg_{uuid4().hex}", now=self._clock())
        try:
            response = await self._http.request(
                method, path, content=content, headers={**headers, "content-type": "application/json"}
            )
        except httpx.HTTPError as error:
            log.warning("the bot could not be asked", reason=type(error).__name__)
            raise BotUnreachable from error
        if response.status_code in (404, 413, 422):
            raise TryOutRefused(_sentence(response))
        if not response.is_success:
            log.warning("the bot refused a try-out", status=response.status_code)
            raise BotMisunderstood if response.status_code == httpx.codes.UNAUTHORIZED else BotUnreachable
        try:
            return told.model_validate_json(response.content)
        except ValidationError as error:
            log.warning("the bot's answer has another form", problems=error.error_count())
            raise BotMisunderstood from None


def _sentence(response: httpx.Response) -> str:
    try:
        return Refusal.model_validate_json(response.content).detail
    except ValidationError:
        return ""
