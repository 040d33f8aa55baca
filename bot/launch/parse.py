"""What does the product understand of a text, lexicon and model together?"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from rich.console import Console

from bot.config import Settings
from bot.launch.site import Site
from bot.nlu_client import NluClient
from bot.understanding import Understander
from flows.events import Guess
from flows.loader import load
from flows.safety import Match, load_lexicons

Reading = dict[str, Any]


class Reader:
    """Reads texts exactly as the bot does, and tells more about it."""

    def __init__(self, understander: Understander, nlu: NluClient) -> None:
        self._understander = understander
        self._nlu = nlu

    async def read(self, text: str) -> Reading:
        """Intent, danger, who says so and why; the ranking is the model's even where the lexicon decides.

        ``why`` holds each phrase that the lexicons heard, the most dangerous first, with the words it was
        heard in, ``text[start:end]``: for whoever typed the text, and for no log.
        """
        parsed = await self._nlu.parse(text)
        danger = self._understander.danger_in(text, locale=None)
        if parsed is None:
            understood = danger or await self._understander.read(text, locale=None)
        else:
            understood = danger or self._understander.judge(parsed)
        return {
            "text": text,
            "intent": understood.intent,
            "confidence": round(understood.confidence, 4),
            "danger": understood.danger.value,
            "by": understood.by,
            "locale": understood.locale,
            "entities": list(parsed.entities) if parsed else [],
            "ranking": [_guess(guess) for guess in parsed.ranking] if parsed else [],
            "why": [_reason(match, text) for match in self._understander.lexicon.matches(text)],
        }


@asynccontextmanager
async def reader(site: Site, *, nlu_url: str) -> AsyncIterator[Reader]:
    """A reader that asks this model server."""
    content = Settings.model_fields["content_dir"].default
    threshold = float(
        site.setting("PORCHLIGHT_NLU_THRESHOLD") or Settings.model_fields["nlu_threshold"].default
    )
    book = load(content)
    nlu = NluClient(nlu_url, intents=book.intents)
    try:
        yield Reader(
            Understander(
                lexicon=load_lexicons(content / "lexicons"), nlu=nlu, danger=book.intents, threshold=threshold
            ),
            nlu,
        )
    finally:
        await nlu.close()


async def parse(site: Site, texts: Iterable[str], *, nlu_url: str, as_json: bool) -> None:
    """Print what is understood of each text, a line each with ``as_json``."""
    console = Console()
    async with reader(site, nlu_url=nlu_url) as each:
        for text in texts:
            reading = await each.read(text)
            if as_json:
                sys.stdout.write(json.dumps(reading, ensure_ascii=False) + "\n")
                sys.stdout.flush()
            else:
                _show(console, reading)


def _guess(guess: Guess) -> dict[str, Any]:
    return {"intent": guess.intent, "confidence": round(guess.confidence, 4)}


def _reason(match: Match, text: str) -> dict[str, Any]:
    return {
        "intent": match.intent,
        "danger": match.danger.value,
        "rule": match.rule,
        "words": text[match.start : match.end],
        "start": match.start,
        "end": match.end,
    }


def _show(console: Console, reading: Mapping[str, Any]) -> None:
    danger = "" if reading["danger"] == "none" else f"  danger: {reading['danger']}"
    console.print(reading["text"], style="bold", markup=False, highlight=False)
    console.print(
        f"  {reading['intent']}  {reading['confidence']:.0%}  by {reading['by']}{danger}",
        markup=False,
        highlight=False,
    )
    for reason in reading["why"]:
        console.print(
            f"    why: «{reason['words']}» is {reason['rule']}", style="dim", markup=False, highlight=False
        )
    others = [guess for guess in reading["ranking"] if guess["intent"] != reading["intent"]]
    for guess in others[:3]:
        console.print(f"    {guess['intent']}  {guess['confidence']:.0%}", style="dim", highlight=False)
