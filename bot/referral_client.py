"""Talks to the referral service: signed, idempotent, and clear about what can be tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from standardwebhooks import Webhook

from bot.messages import BotError
from bot.traces import carried, span

_TIMEOUT = httpx.Timeout(10.0, connect=2.0)
#: For the whole answer: one that comes a byte a second never meets the limit for each step.
_WHOLE_SECONDS = 15.0
#: For a figure that is nice to have; a visitor waits for the rest of the answer meanwhile.
_AT_ONCE = httpx.Timeout(1.0)


class ReferralUnreachable(BotError):
    """The helpline's desk did not answer; try again."""

    def __init__(self, after: timedelta | None = None) -> None:
        super().__init__()
        self.after = after


class CaseGone(BotError):
    """This case is closed or was erased."""


class ReferralRefused(BotError):
    """The helpline's desk will never take this as it is."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Standing(BaseModel):
    """What the desk says of itself and of one case; None for what it does not say."""

    model_config = ConfigDict(frozen=True)

    #: ``waiting``, ``held`` or ``closed``.
    state: str | None = None
    #: The visitor's place in the line, from 1.
    place: int | None = None
    #: How many minutes an answer took there of late.
    usual_minutes: int | None = None
    #: Whether anybody is at the desk, and if not, when somebody is again.
    here: bool | None = None
    opens_at: AwareDatetime | None = None


class ReferralClient:
    """A client of the referral service's ``/v1``; close it when done."""

    def __init__(self, url: str, *, secret: str) -> None:
        self._http = httpx.AsyncClient(base_url=url)
        self._webhook = Webhook(secret)

    async def open_case(self, case: Mapping[str, Any]) -> None:
        """Put a case into the queue; a repeat changes nothing."""
        await self._send("POST", "/v1/cases", case)

    async def add_message(self, case: UUID, message: Mapping[str, Any]) -> None:
        """Add the visitor's words to the thread; a repeat changes nothing."""
        await self._send("POST", f"/v1/cases/{case}/messages", message)

    async def raise_danger(self, case: UUID, *, danger: str) -> None:
        """Tell the desk that it became more urgent."""
        await self._send("POST", f"/v1/cases/{case}/danger", {"danger": danger})

    async def leave(self, case: UUID) -> None:
        """The visitor does not want to talk any more."""
        await self._send("POST", f"/v1/cases/{case}/leave", {})

    async def presence(self, case: UUID, *, writes: bool, saw: bool) -> None:
        """Tell at once whether the visitor writes, and whether they see what was written."""
        await self._send(
            "POST", f"/v1/cases/{case}/presence", {"writes": writes, "saw": saw}, timeout=_AT_ONCE
        )

    async def revoke(self, case: UUID) -> None:
        """The visitor takes back that what they told may be shared."""
        await self._send("POST", f"/v1/cases/{case}/revoke", {})

    async def rate(self, case: UUID, *, face: str) -> None:
        """Count how the talk was; a second time changes nothing."""
        await self._send("POST", f"/v1/cases/{case}/rating", {"face": face})

    async def forget(self, case: UUID) -> None:
        """Erase the visitor's words at the helpline."""
        await self._send("POST", f"/v1/cases/{case}/forget", {})

    async def status(self, case: UUID) -> dict[str, Any]:
        """``{"id", "state", "place", "waiting", "usual_minutes", "here", "opens_at"}``, or a ``BotError``."""
        return await self._send("GET", f"/v1/cases/{case}/status", None, timeout=_AT_ONCE)

    async def standing(self, case: UUID | None) -> Standing:
        """How a case stands and whether anybody is there; where it has no such case (yet), only that.

        Nothing is known where the desk does not say so at once.
        """
        try:
            return Standing.model_validate(await (self.status(case) if case else self.helpline()))
        except CaseGone:
            return await self.standing(None) if case else Standing()
        except (BotError, ValidationError):
            return Standing()

    async def helpline(self) -> dict[str, Any]:
        """``{"here", "opens_at"}``, or a ``BotError``."""
        return await self._send("GET", "/v1/helpline", None, timeout=_AT_ONCE)

    async def file(self, number: UUID) -> bytes:
        """A file that the helpline keeps for visitors; ``CaseGone`` where it was taken out."""
        return (await self._answer("GET", f"/v1/library/{number}", None)).content

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        timeout: httpx.Timeout = _TIMEOUT,  # noqa: ASYNC109  # httpx applies it to each step.
    ) -> dict[str, Any]:
        response = await self._answer(method, path, body, timeout=timeout)
        answer: dict[str, Any] = response.json() if response.content else {}
        return answer

    async def _answer(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        timeout: httpx.Timeout = _TIMEOUT,  # noqa: ASYNC109  # httpx applies it to each step.
    ) -> httpx.Response:
        content = "" if body is None else json.dumps(body, ensure_ascii=False)
        try:
            with span("ask the desk", method=method):
                async with asyncio.timeout(_WHOLE_SECONDS if timeout is _TIMEOUT else _AT_ONCE.read):
                    response = await self._http.request(
                        method,
                        path,
                        content=content,
                        headers=self._signed(content) | carried(),
                        timeout=timeout,
                    )
        except (httpx.HTTPError, TimeoutError) as error:
            raise ReferralUnreachable from error
        if response.is_success:
            return response
        if response.status_code in (404, 409, 410):
            raise CaseGone
        if response.status_code == 429 or response.is_server_error:
            raise ReferralUnreachable(_retry_after(response))
        raise ReferralRefused(response.status_code)

    def _signed(self, content: str) -> dict[str, str]:
        number, now = f"msg_{uuid4().hex}", datetime.now(UTC)
        return {
            "content-type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(number, now, content),
        }


def _retry_after(response: httpx.Response) -> timedelta | None:
    seconds = response.headers.get("retry-after", "")
    return timedelta(seconds=int(seconds)) if seconds.isdecimal() else None
