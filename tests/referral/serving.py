"""How tests get real servers: the referral service itself, and a bot that can be told to fail."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from referral.clock import Clock, utc_now

SERVICE_SECRET = "whsec_" + "c2VjcmV0IHRoYXQgYm90aCBzZXJ2aWNlcyBzaGFyZSE="


@asynccontextmanager
async def serving(app: ASGIApp, *, port: int = 0) -> AsyncIterator[str]:
    """The address of the application, served on a port of the loopback interface, a free one unless given."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        # As the product runs: whom a proxy asks for, the service finds out itself.
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    # ``serve`` would catch the signals of the test run.
    task = asyncio.create_task(server._serve())
    try:
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass(slots=True)
class FakeBot:
    """A bot that checks signatures, drops repeats by their id, and fails when it is told to."""

    #: What it sees: each event once, in the order of arrival.
    events: list[dict[str, Any]] = field(default_factory=list)
    #: Every attempt, with its id, also those it failed.
    attempts: list[str] = field(default_factory=list)
    #: What it answers to the next attempts: a status, or a status with headers; afterwards 202.
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    #: True: it stores the event, but the answer to the next attempt is lost.
    lose_next_answer: bool = False
    #: True: it does nothing with the next attempt until the sender gives up.
    hang_next: bool = False
    #: What it tells of how its flows are used, and of how it is doing; nothing: it cannot say just now.
    usage: dict[str, Any] | None = None
    condition: dict[str, Any] | None = None
    #: What time it is for the bot.
    clock: Clock = utc_now
    _seen: set[str] = field(default_factory=set)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def app(self) -> Starlette:
        """Its HTTP side."""
        return Starlette(
            routes=[
                Route("/referral/events", self._receive, methods=["POST"]),
                Route("/oversight/v1/sums", self._tell_usage),
                Route("/oversight/v1/condition", self._tell_condition),
            ]
        )

    def fail(self, *statuses: int, **headers: str) -> None:
        """Answer the next attempts with these statuses."""
        self.answers.extend(
            (status, {k.replace("_", "-"): v for k, v in headers.items()}) for status in statuses
        )

    async def until(self, wanted: Callable[[FakeBot], bool], *, within: float = 30) -> None:
        """Wait until the bot has seen what is wanted."""
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: wanted(self))

    @property
    def kinds(self) -> list[str]:
        """The types of the events it saw."""
        return [event["type"] for event in self.events]

    @property
    def texts(self) -> list[str]:
        """The words it was told, in order."""
        return [event["data"]["text"] for event in self.events if event["type"] == "case.message"]

    def _check(self, body: bytes, headers: Headers) -> None:
        """What the library's ``verify`` does, by the clock of the test."""
        sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signature = Webhook(SERVICE_SECRET).sign(headers["webhook-id"], sent_at, body.decode())
        assert headers["webhook-signature"] == signature
        assert abs(self.clock() - sent_at) < timedelta(minutes=5)

    async def _tell_usage(self, request: Request) -> Response:
        return await self._tell(request, self.usage)

    async def _tell_condition(self, request: Request) -> Response:
        return await self._tell(request, self.condition)

    async def _tell(self, request: Request, told: dict[str, Any] | None) -> Response:
        self._check(await request.body(), request.headers)
        return Response(status_code=503) if told is None else JSONResponse(told)

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        self._check(body, request.headers)
        number = request.headers["webhook-id"]
        async with self._arrived:
            self.attempts.append(number)
            self._arrived.notify_all()
        if self.hang_next:
            self.hang_next = False
            return await _hang(request)
        async with self._arrived:
            if self.answers:
                status, headers = self.answers.popleft()
                return Response(status_code=status, headers=headers)
            if number not in self._seen:
                self._seen.add(number)
                self.events.append(json.loads(body))
                self._arrived.notify_all()
        if self.lose_next_answer:
            self.lose_next_answer = False
            raise ConnectionResetError
        return Response(status_code=202)


async def _hang(request: Request) -> Response:
    message = await request.receive()
    while message["type"] != "http.disconnect":
        message = await request.receive()
    return Response(status_code=500)
