"""A visitor of the web chat, as any program may be one: through its HTTP interface."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

#: A test fails when nothing is said for so long.
PATIENCE_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class Visitor:
    """One open web chat; ``said`` holds every message received so far."""

    http: httpx.AsyncClient
    token: str
    said: list[dict[str, Any]] = field(default_factory=list)
    _read: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def writes(self, text: str) -> None:
        """Send a text."""
        await self._send({"id": uuid4().hex, "text": text})

    async def presses(self, title: str) -> None:
        """Press the newest button with this title."""
        for message in reversed(self.said):
            for choice in message["choices"]:
                if choice["title"] == title:
                    await self._send({"id": uuid4().hex, "payload": choice["payload"]})
                    return
        raise AssertionError(f"there is no button {title!r}")

    async def hears(self, *, sender: str | None = None) -> dict[str, Any]:
        """The next message that was not read yet (of this sender)."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._news:
            while True:
                await self._news.wait_for(lambda: self._read < len(self.said))
                message = self.said[self._read]
                self._read += 1
                if sender is None or message["from"] == sender:
                    return message

    async def hears_until_quiet(self, seconds: float = 0.7) -> list[dict[str, Any]]:
        """All messages that come until nothing came for so long; at least one."""
        heard = [await self.hears()]
        while True:
            try:
                async with asyncio.timeout(seconds):
                    heard.append(await self.hears())
            except TimeoutError:
                return heard

    async def listen(self) -> None:
        """Follow the stream of events until cancelled, coming back where it broke off."""
        last = "0"
        while True:
            try:
                headers = {"last-event-id": last}
                async with self.http.stream(
                    "GET", "/chat/v1/events", headers=headers, timeout=None
                ) as stream:
                    async for line in stream.aiter_lines():
                        if line.startswith("id:"):
                            last = line.removeprefix("id:").strip()
                        elif line.startswith("data:"):
                            await self._take(json.loads(line.removeprefix("data:")))
            except httpx.HTTPError:
                await asyncio.sleep(0.1)

    async def _take(self, message: dict[str, Any]) -> None:
        async with self._news:
            self.said.append(message)
            self._news.notify_all()

    async def _send(self, body: dict[str, Any]) -> None:
        answer = await self.http.post("/chat/v1/messages", json=body)
        assert answer.status_code == 202, answer.text


@asynccontextmanager
async def web_visitor(bot: str, **beginning: str) -> AsyncIterator[Visitor]:
    """A visitor who has just opened the web chat."""
    async with httpx.AsyncClient(base_url=bot, timeout=PATIENCE_SECONDS) as http:
        answer = await http.post("/chat/v1/conversations", json=beginning)
        assert answer.status_code == 201, answer.text
        token = answer.json()["token"]
        http.headers["authorization"] = f"Bearer {token}"
        visitor = Visitor(http=http, token=token)
        listening = asyncio.create_task(visitor.listen())
        try:
            yield visitor
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
