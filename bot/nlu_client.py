"""Asks the Rasa server what a text may mean, and never lets a text speak for the model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import httpx
import structlog
from pydantic import BaseModel, ValidationError

from flows.events import Guess

log = structlog.get_logger()

#: A parse takes some 20 ms; a visitor must not wait for a server that hangs.
_TIMEOUT = httpx.Timeout(3.0, connect=1.0)

#: The model reads the beginning; encoding costs grow with every word.
MAX_PARSED = 600


class _Intent(BaseModel):
    name: str | None
    confidence: float


class _Answer(BaseModel):
    intent_ranking: list[_Intent] = []
    entities: list[dict[str, Any]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What the model thinks of a text."""

    #: The likeliest intents of our own list, best first.
    ranking: tuple[Guess, ...] = ()
    #: As Rasa gives them: ``entity``, ``value``, ``start``, ``end`` …
    entities: tuple[dict[str, Any], ...] = ()


class NluClient:
    """A client of ``POST /model/parse``; close it when done."""

    def __init__(self, url: str, *, intents: Collection[str]) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=_TIMEOUT)
        self._intents = frozenset(intents)

    async def parse(self, text: str) -> Parsed | None:
        """What the model thinks of the text; None when the server cannot be asked.

        Rasa takes a text that starts with ``/`` for the name of an intent, so leading slashes never reach it,
        and a name that is not on our list is dropped.
        """
        asked = text.lstrip("/ \t\n")[:MAX_PARSED]
        if not asked:
            return Parsed()
        try:
            response = await self._http.post("/model/parse", json={"text": asked})
            response.raise_for_status()
            answer = _Answer.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            log.warning("the model could not be asked", error=type(error).__name__)
            return None
        return Parsed(
            ranking=tuple(
                Guess(intent=guess.name, confidence=min(max(guess.confidence, 0.0), 1.0))
                for guess in answer.intent_ranking
                if guess.name in self._intents
            ),
            entities=tuple(answer.entities),
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()
