"""What is the bot told that is worth nothing a moment later: an operator writes just now.

Beside the outbox on purpose: a hint that is lost is no loss, and one that comes late would be a lie.
"""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import httpx
import structlog

from referral.clock import Clock
from referral.signature import Signature

log = structlog.get_logger(__name__)

_AT_ONCE = httpx.Timeout(1.0)


class Hints:
    """Tells the bot at once or not at all; close it when done."""

    def __init__(self, bot_url: str, *, signature: Signature, clock: Clock) -> None:
        self._http = httpx.AsyncClient(base_url=bot_url, trust_env=False, follow_redirects=False)
        self._signature = signature
        self._clock = clock

    async def writing(self, case: UUID) -> None:
        """Whoever holds this case is writing to the visitor; never raises."""
        now = self._clock()
        told = {"type": "case.writing", "timestamp": now.isoformat(), "data": {"case": str(case)}}
        body = json.dumps(told).encode()
        headers = self._signature.headers(body, number=str(uuid4()), now=now)
        try:
            await self._http.post(
                "/referral/events",
                content=body,
                headers={**headers, "content-type": "application/json"},
                timeout=_AT_ONCE,
            )
        except httpx.HTTPError as error:
            log.debug("a hint was lost", reason=type(error).__name__)

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()
