"""How does the desk ask the bot for something? With signed requests, and in a bounded time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from referral.clock import Clock
from referral.errors import BotMisunderstood, BotUnreachable
from referral.signature import Signature

log = structlog.get_logger(__name__)

Told = TypeVar("Told", bound=BaseModel)


class BotClient:
    """Asks the bot; close it when done."""

    def __init__(self, bot_url: str, *, signature: Signature, clock: Clock, timeout: httpx.Timeout) -> None:
        # The bot is our own: neither a proxy of the environment nor a redirect has a part in this.
        self._http = httpx.AsyncClient(
            base_url=bot_url.rstrip("/"), timeout=timeout, trust_env=False, follow_redirects=False
        )
        self._signature = signature
        self._clock = clock

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """The bot's answer, whatever it is; raises ``BotUnreachable`` where there is none."""
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = self._signature.headers(content, number=f"msg_{uuid4().hex}", now=self._clock())
        try:
            return await self._http.request(
                method, path, content=content, headers={**headers, "content-type": "application/json"}
            )
        except httpx.HTTPError as error:
            log.warning("the bot could not be asked", reason=type(error).__name__)
            raise BotUnreachable from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()


def understood(response: httpx.Response, told: type[Told]) -> Told:
    """What a good answer says; raises ``BotMisunderstood`` or ``BotUnreachable`` for any other."""
    if not response.is_success:
        log.warning("the bot refused a request", status=response.status_code)
        raise BotMisunderstood if response.status_code == httpx.codes.UNAUTHORIZED else BotUnreachable
    try:
        return told.model_validate_json(response.content)
    except ValidationError as error:
        log.warning("the bot's answer has another form", problems=error.error_count())
        raise BotMisunderstood from None
