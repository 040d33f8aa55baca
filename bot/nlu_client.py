"""Asks the Rasa servers what a text may mean, and never lets a text speak for the model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import structlog
from pydantic import BaseModel, Field, ValidationError

from bot.traces import span
from flows.events import Guess
from flows.hearing import MAX_TEXT

log = structlog.get_logger()

#: A parse takes some 10 ms; a visitor must not wait for a server that hangs.
_TIMEOUT = httpx.Timeout(3.0, connect=1.0)
#: For the whole answer: one that comes a byte a second never meets the limit for each step.
_WHOLE_SECONDS = 4.0

#: A server that failed is left alone for so long, if another one answers.
_REST_SECONDS = 5.0


class _Intent(BaseModel):
    name: str | None
    confidence: Annotated[float, Field(allow_inf_nan=False)]


class _Status(BaseModel):
    model_file: str = ""


class _Answer(BaseModel):
    intent_ranking: list[_Intent] = []
    parts: list[list[_Intent]] = []
    entities: list[dict[str, Any]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What the model thinks of a text."""

    #: The likeliest intents of our own list, best first.
    ranking: tuple[Guess, ...] = ()
    #: The same for the parts of a long text, in their order.
    parts: tuple[tuple[Guess, ...], ...] = ()
    #: As Rasa gives them: ``entity``, ``value``, ``start``, ``end`` …
    entities: tuple[dict[str, Any], ...] = ()


@dataclass(slots=True, kw_only=True)
class _Server:
    http: httpx.AsyncClient
    #: On the clock that never goes back; not asked before, while another one answers.
    rests_until: float = 0.0


class NluClient:
    """A client of ``POST /model/parse`` of one server or several in turn; close it when done."""

    def __init__(self, urls: str, *, intents: Collection[str]) -> None:
        """``urls`` may name several servers, with commas between them: one for each core to be used."""
        self._servers = [
            _Server(http=httpx.AsyncClient(base_url=url.strip(), timeout=_TIMEOUT)) for url in urls.split(",")
        ]
        self._turn = 0
        self._intents = frozenset(intents)

    async def parse(self, text: str) -> Parsed | None:
        """What the model thinks of the text; None when no server can be asked.

        Rasa takes a text that starts with ``/`` for the name of an intent, so leading slashes never reach it,
        and a name that is not on our list is dropped.
        """
        # Half of a surrogate pair has no place in JSON.
        asked = text.lstrip("/ \t\n")[:MAX_TEXT].encode("utf-8", "replace").decode()
        if not asked:
            return Parsed()
        for server in self._in_turn():
            answer = await self._ask(server, asked)
            if answer is not None:
                return Parsed(
                    ranking=self._known(answer.intent_ranking),
                    parts=tuple(self._known(part) for part in answer.parts),
                    entities=tuple(answer.entities),
                )
        return None

    def _in_turn(self) -> Iterator[_Server]:
        """Every server once: the next in turn first, those that failed just now last."""
        self._turn += 1
        begin = self._turn % len(self._servers)
        order = self._servers[begin:] + self._servers[:begin]
        now = time.monotonic()
        return iter(sorted(order, key=lambda server: server.rests_until > now))

    async def _ask(self, server: _Server, text: str) -> _Answer | None:
        try:
            with span("ask the model"):
                async with asyncio.timeout(_WHOLE_SECONDS):
                    response = await server.http.post("/model/parse", json={"text": text})
            response.raise_for_status()
            return _Answer.model_validate_json(response.content)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            log.warning("a model server could not be asked", error=type(error).__name__)
            server.rests_until = time.monotonic() + _REST_SECONDS
            return None

    def _known(self, ranking: list[_Intent]) -> tuple[Guess, ...]:
        return tuple(
            Guess(intent=guess.name, confidence=min(max(guess.confidence, 0.0), 1.0))
            for guess in ranking
            if guess.name in self._intents
        )

    async def close(self) -> None:
        """Give the connections back."""
        for server in self._servers:
            await server.http.aclose()


async def served_model(http: httpx.AsyncClient, url: str) -> str | None:
    """The name of the model that a server has loaded, "" for none; None where it does not answer."""
    try:
        answer = await http.get(f"{url.strip().rstrip('/')}/status")
        answer.raise_for_status()
        return Path(_Status.model_validate_json(answer.content).model_file).name.removesuffix(".tar.gz")
    except (httpx.HTTPError, ValidationError):
        return None
