"""Visitors and an operator who go on as people do: what was not accepted they send again until it is."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid4

import httpx

from tests.fakes.telegram import TelegramVisitor
from tests.referral.desk import OperatorClient, eventually

AGAIN_SECONDS = 0.2
#: Six of ten messages are presses of a button, as on a busy evening.
_SAID: tuple[Mapping[str, str], ...] = (
    {"payload": "m"},
    {"text": "they call me names in the class chat"},
    {"payload": "i:insults"},
    {"payload": "m"},
    {"text": "somebody made a fake profile of me"},
    {"payload": "i:learn"},
    {"text": "how do i block him in telegram"},
    {"payload": "i:helpline_info"},
    {"payload": "m"},
    {"text": "what can i do so that they stop"},
)
_VISITORS_LINE = re.compile(r"\bline \d+ of the visitor\b")
_OPERATORS_LINE = re.compile(r"\bline \d+ of the operator\b")


class Child(Protocol):
    """A visitor who can talk with an operator."""

    @property
    def told(self) -> Sequence[str]:
        """What the visitor was shown of the operator's words, in order."""

    async def send(self, body: Mapping[str, str]) -> None:
        """Send until it is accepted."""

    async def ask_for_a_person(self) -> None:
        """Ask, and agree to what is handed over."""


@dataclass(slots=True, kw_only=True)
class Visitor:
    """One open web chat that survives whatever happens to the server."""

    http: httpx.AsyncClient
    token: str
    #: The conversation's name, at the bot and at the desk.
    pseudonym: str
    #: What was accepted, in order: the numbers that the page gave to its messages.
    sent: list[str] = field(default_factory=list)
    #: The ids of the messages that the page was shown, in order.
    shown: list[int] = field(default_factory=list)
    #: The operator's words that the page was shown, in order.
    told: list[str] = field(default_factory=list)

    async def send(self, body: Mapping[str, str]) -> None:
        """Send until it is accepted."""
        number = uuid4().hex
        await _until_accepted(
            lambda: self.http.post("/chat/v1/messages", json={"id": number, **body}), accepted=202
        )
        self.sent.append(number)

    async def chat(self, *, every: float) -> None:
        """Say one thing after the other until cancelled between two of them."""
        for body in itertools.cycle(_SAID):
            await self.send(body)
            await asyncio.sleep(every)

    async def ask_for_a_person(self) -> None:
        """Ask, and agree to what is handed over."""
        await self.send({"payload": "i:talk_to_human"})
        await self.send({"payload": "n:handover:offer:yes"})
        await self.send({"payload": "n:handover:others:no"})

    async def listen(self) -> None:
        """Follow the events until cancelled, coming back where the stream broke off."""
        while True:
            try:
                headers = {"last-event-id": str(self.shown[-1] if self.shown else 0)}
                async with self.http.stream(
                    "GET", "/chat/v1/events", headers=headers, timeout=httpx.Timeout(5, read=30)
                ) as stream:
                    async for line in stream.aiter_lines():
                        if line.startswith("data:"):
                            self._take(json.loads(line.removeprefix("data:")))
            except httpx.HTTPError:
                await asyncio.sleep(AGAIN_SECONDS)

    def _take(self, message: Mapping[str, Any]) -> None:
        self.shown.append(int(message["id"]))
        if message["from"] == "operator":
            self.told.extend(_OPERATORS_LINE.findall(message["text"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTelegram:
    """A visitor whose messages Telegram keeps until the bot has asked for them."""

    child: TelegramVisitor

    @property
    def told(self) -> list[str]:
        """The operator's words in the chat, in order."""
        return [line for message in self.child.said for line in _OPERATORS_LINE.findall(message.text)]

    async def send(self, body: Mapping[str, str]) -> None:
        """Write; Telegram takes it."""
        self.child.writes(body["text"])

    async def ask_for_a_person(self) -> None:
        """By the button below the first answer."""
        self.child.writes("i want to die")
        await self.child.sees(containing="1098")
        self.child.presses("Connect me to a person")


@asynccontextmanager
async def visitor(bot: str) -> AsyncIterator[Visitor]:
    """A visitor who has just opened the page."""
    async with httpx.AsyncClient(base_url=bot, trust_env=False, timeout=10) as http:
        begun = await _until_accepted(
            lambda: http.post("/chat/v1/conversations", json={"locale": "en"}), accepted=201
        )
        told = begun.json()
        http.headers["authorization"] = f"Bearer {told['token']}"
        here = Visitor(http=http, token=told["token"], pseudonym=told["conversation"])
        listening = asyncio.create_task(here.listen())
        try:
            yield here
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@dataclass(slots=True, kw_only=True)
class Talk:
    """A visitor and an operator who write to each other."""

    visitor: Child
    operator: OperatorClient
    case: UUID
    by_visitor: list[str] = field(default_factory=list)
    by_operator: list[str] = field(default_factory=list)

    async def visitor_writes(self, *, every: float) -> None:
        """Number one line after the other until cancelled."""
        for number in itertools.count(1):
            words = f"line {number} of the visitor"
            await self.visitor.send({"text": words})
            self.by_visitor.append(words)
            await asyncio.sleep(every)

    async def operator_writes(self, *, every: float) -> None:
        """The same from the other side; a form that is sent again is the same entry."""
        for number in itertools.count(1):
            words, entry = f"line {number} of the operator", uuid4()
            await _until_accepted(
                lambda words=words, entry=entry: self.operator.write(self.case, words, entry=entry),  # type: ignore[misc]
                accepted=303,
            )
            self.by_operator.append(words)
            await asyncio.sleep(every)

    async def read_by_operator(self) -> list[str]:
        """The visitor's lines as the case's page shows them, from top to bottom."""
        page = await _until_accepted(lambda: self.operator.http.get(f"/cases/{self.case}"), accepted=200)
        return _VISITORS_LINE.findall(page.text)


async def connected(visitor: Child, operator: OperatorClient) -> Talk:
    """The visitor asks for a person, and the operator takes them."""
    await visitor.ask_for_a_person()
    case = await eventually(operator.take_next, lambda taken: taken is not None)
    assert case is not None
    return Talk(visitor=visitor, operator=operator, case=case)


async def _until_accepted(ask: Callable[[], Awaitable[httpx.Response]], *, accepted: int) -> httpx.Response:
    while True:
        try:
            answer = await ask()
        except (httpx.HTTPError, AssertionError):
            pass  # Nobody is there, or a page that the form needs is not.
        else:
            if answer.status_code == accepted:
                return answer
            assert answer.status_code >= 429, f"refused with {answer.status_code}"
        await asyncio.sleep(AGAIN_SECONDS)
