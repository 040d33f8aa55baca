"""Visitors who write, press and wait, and how long each of them had to wait."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from bench.connection import Connection

#: Longer than any answer should take; a visitor who waits this long counts as unanswered.
PATIENCE_SECONDS = 20.0

#: How long after its first message the last one of an answer can arrive.
TOGETHER_SECONDS = 0.05

_NUMBERS = itertools.count(1)


class Unanswered(Exception):
    """A visitor waited longer than ``PATIENCE_SECONDS``."""


@dataclass(slots=True, kw_only=True)
class Visitor:
    """One open web chat."""

    connection: Connection
    stream: Connection
    token: str
    heard: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    listening: asyncio.Task[None] | None = None

    @classmethod
    async def arrive(cls, url: str) -> Self:
        """Open the chat and read the greeting."""
        connection = await Connection.open(url)
        begun = await connection.post("/chat/v1/conversations", {"locale": "en"})
        visitor = cls(connection=connection, stream=await Connection.open(url), token=begun["token"])
        visitor.listening = asyncio.create_task(visitor._listen())
        await visitor._hear()
        await visitor.hear_the_rest()
        return visitor

    async def ask(self, body: Mapping[str, Any]) -> float:
        """Send, and wait for the first answer; the seconds in between."""
        began = time.perf_counter()
        await self.send(body)
        await self._hear()
        waited = time.perf_counter() - began
        await self.hear_the_rest()
        return waited

    async def send(self, body: Mapping[str, Any]) -> None:
        """Send without waiting."""
        numbered = {"id": str(next(_NUMBERS)), **body}
        await self.connection.post("/chat/v1/messages", numbered, token=self.token)

    async def hear_the_rest(self) -> None:
        """What else was said belongs to this answer and must not count for the next message.

        The messages of an answer are kept in one transaction and fetched together, so the others are on the
        way already.
        """
        await asyncio.sleep(TOGETHER_SECONDS)
        while not self.heard.empty():
            self.heard.get_nowait()

    async def leave(self) -> None:
        """Close the chat."""
        if self.listening is not None:
            self.listening.cancel()
            await asyncio.gather(self.listening, return_exceptions=True)
        self.connection.close()
        self.stream.close()

    async def _hear(self) -> dict[str, Any]:
        try:
            return await asyncio.wait_for(self.heard.get(), PATIENCE_SECONDS)
        except TimeoutError as error:
            raise Unanswered from error

    async def _listen(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            async for message in self.stream.events("/chat/v1/events", token=self.token):
                self.heard.put_nowait(message)


@asynccontextmanager
async def visitors(url: str, *, number: int) -> AsyncIterator[list[Visitor]]:
    """So many open chats."""
    present = [await Visitor.arrive(url) for _ in range(number)]
    try:
        yield present
    finally:
        for visitor in present:
            await visitor.leave()


async def at_a_rate(
    present: Sequence[Visitor], bodies: Iterator[Mapping[str, Any]], *, per_second: float, seconds: float
) -> list[float]:
    """Messages at a steady rate, each by the next visitor; the waits in seconds, whoever is late or not."""
    asked = []
    began = time.perf_counter()
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
        asked.append(asyncio.create_task(present[number % len(present)].ask(next(bodies))))
    return list(await asyncio.gather(*asked))


async def as_fast_as_possible(
    present: Sequence[Visitor], bodies: Iterator[Mapping[str, Any]], *, seconds: float
) -> float:
    """Each visitor sends again as soon as they are answered; the answered messages a second."""
    until = time.perf_counter() + seconds
    answered = 0

    async def keep_asking(visitor: Visitor) -> None:
        nonlocal answered
        while time.perf_counter() < until:
            await visitor.ask(next(bodies))
            answered += 1

    began = time.perf_counter()
    await asyncio.gather(*(keep_asking(visitor) for visitor in present))
    return answered / (time.perf_counter() - began)
