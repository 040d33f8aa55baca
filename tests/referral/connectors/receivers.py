"""What stands in for another system: a local server that enforces its rules and fails when it is told to."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import httpx
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from referral.clock import Clock
from referral.connectors.happenings import Audience, Kind
from referral.connectors.protocol import Connector
from referral.connectors.webhooks import Address, WebhookConnector

SECRET = "whsec_" + "YSBzZWNyZXQgb2YgdGhlIGVuZHBvaW50IGFsb25lISEh"
OLDER_SECRET = "whsec_" + "dGhlIHNlY3JldCB0aGF0IGl0IGhhZCBiZWZvcmUgISE="


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """This status, and nothing is carried out."""

    status: int
    retry_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangs:
    """No answer at all, and nothing is carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LosesAnswer:
    """It is carried out, and then the connection ends without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """No fault: whatever is to fail fails later."""


Fault = Says | Hangs | LosesAnswer | Works


class Receiver(Protocol):
    """A system that is told of cases, as the contract test sees it."""

    def app(self) -> Starlette:
        """Its HTTP side."""

    def connector(self, client: httpx.AsyncClient, *, url: str, patience: timedelta) -> Connector:
        """Our connector to it, which gives up after so long."""

    def fail(self, *faults: Fault) -> None:
        """Let the next requests fail, one fault each."""

    @property
    def requests(self) -> int:
        """How many requests came so far, also those that failed."""

    def heard(self, case: UUID) -> Sequence[str]:
        """What it has made of this case: a word for each thing done, once, in order."""

    def knows(self, case: UUID) -> bool:
        """True if it stores anything of this case, but that it was deleted."""

    def everything(self) -> str:
        """All that it stores, to look for what it should not have."""


@dataclass(slots=True)
class Faults:
    """What a receiver does instead of its work; shared by all of them."""

    waiting: deque[Fault] = field(default_factory=deque)
    requests: int = 0

    async def stand_between(self, request: Request, work: Callable[[bytes], Response]) -> Response:
        """Carry the request out, unless a fault comes first."""
        self.requests += 1
        body = await request.body()
        match self.waiting.popleft() if self.waiting else None:
            case None | Works():
                return work(body)
            case Says(status=status, retry_after=after):
                return Response(status_code=status, headers={"retry-after": after} if after else None)
            case Hangs():
                message = await request.receive()
                while message["type"] != "http.disconnect":
                    message = await request.receive()
                return Response(status_code=500)
            case LosesAnswer():
                work(body)
                raise ConnectionResetError


class WebhookReceiver:
    """An endpoint that follows the specification of Standard Webhooks to the letter."""

    _TYPE = re.compile(r"[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)+")

    def __init__(self, *, clock: Clock, secret: str = SECRET, with_words: bool = True) -> None:
        self._clock = clock
        self.secret = secret
        self._with_words = with_words
        self._faults = Faults()
        self._seen: set[str] = set()
        #: What it keeps: each event once.
        self.events: list[dict[str, Any]] = []
        #: The id of every request, also of those it refused.
        self.numbers: list[str] = []

    def app(self) -> Starlette:
        """One address."""
        return Starlette(routes=[Route("/hook", self._receive, methods=["POST"])])

    def connector(self, client: httpx.AsyncClient, *, url: str, patience: timedelta) -> Connector:
        """Our connector, with the secret that is in use and the one before it."""
        return WebhookConnector(
            client,
            name="webhook_test",
            address=Address(url=f"{url}/hook", secrets=(SECRET, OLDER_SECRET), private=True),
            wants=frozenset(Kind),
            audience=Audience.HELPLINE,
            with_words=self._with_words,
            patience=patience,
        )

    def fail(self, *faults: Fault) -> None:
        """One fault each."""
        self._faults.waiting.extend(faults)

    @property
    def requests(self) -> int:
        """Every request."""
        return self._faults.requests

    def heard(self, case: UUID) -> Sequence[str]:
        """The types of what came about this case."""
        return [event["type"] for event in self.events if event["data"]["case"] == str(case)]

    def knows(self, case: UUID) -> bool:
        """True if there is an event of this case besides its deletion."""
        return any(kind != "case.forgotten" for kind in self.heard(case))

    def everything(self) -> str:
        """Every event."""
        return json.dumps(self.events, ensure_ascii=False)

    async def _receive(self, request: Request) -> Response:
        return await self._faults.stand_between(
            request, lambda body: self._take(body, headers=request.headers)
        )

    def _take(self, body: bytes, *, headers: Headers) -> Response:
        number = headers["webhook-id"]
        self.numbers.append(number)
        if not self._genuine(body, headers=headers):
            return Response(status_code=401)
        event = json.loads(body)
        if set(event) != {"type", "timestamp", "data"} or not self._TYPE.fullmatch(event["type"]):
            return Response(status_code=422)
        datetime.fromisoformat(event["timestamp"])
        if number not in self._seen:
            self._seen.add(number)
            self._keep(event)
        return Response(status_code=204)

    def _genuine(self, body: bytes, *, headers: Headers) -> bool:
        """What the library's ``verify`` does, by the clock of the test."""
        sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signature = Webhook(self.secret).sign(headers["webhook-id"], sent_at, body.decode())
        fresh = abs(self._clock() - sent_at) < timedelta(minutes=5)
        return fresh and signature in headers["webhook-signature"].split(" ")

    def _keep(self, event: dict[str, Any]) -> None:
        if event["type"] == "case.forgotten":
            case = event["data"]["case"]
            self.events = [kept for kept in self.events if kept["data"]["case"] != case]
        self.events.append(event)
