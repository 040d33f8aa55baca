"""What a message means: the crisis lexicon first, then the model, then an honest "not understood"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.nlu_client import NluClient
from flows.events import DangerLevel, Guess, Understanding
from flows.safety import Lexicon, Match

#: The intent of a text that nothing recognised.
NOT_UNDERSTOOD = "not_understood"

#: A guess that somebody may die is acted upon at half the usual confidence: a false alarm costs one caring
#: message, a miss can cost a life.
EMERGENCY_DISCOUNT = 0.5

#: So many guesses travel with the understanding.
MAX_GUESSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Understander:
    """Reads texts with the lexicon and the model."""

    lexicon: Lexicon
    nlu: NluClient
    #: The danger that each intent raises by itself.
    danger: Mapping[str, DangerLevel]
    threshold: float

    async def read(self, text: str, *, locale: str | None) -> Understanding:
        """What the text means; never raises and never waits long."""
        if match := self.danger_in(text, locale=locale):
            return match
        parsed = await self.nlu.parse(text)
        if parsed is None:
            return _not_understood(by="outage")
        return self.judge(parsed.ranking)

    def danger_in(self, text: str, *, locale: str | None) -> Understanding | None:
        """What the lexicon says, without any network."""
        match = self.lexicon.first_match(text, locale=locale)
        return None if match is None else _certain(match)

    def judge(self, ranking: tuple[Guess, ...]) -> Understanding:
        """Whether the model is sure enough to act upon its best guess."""
        if not ranking:
            return _not_understood(by="model")
        best = ranking[0]
        danger = self.danger.get(best.intent, DangerLevel.NONE)
        needed = self.threshold * (EMERGENCY_DISCOUNT if danger is DangerLevel.EMERGENCY else 1)
        if best.confidence < needed:
            return _not_understood(by="model", ranking=ranking[:MAX_GUESSES], confidence=best.confidence)
        return Understanding(
            intent=best.intent,
            confidence=best.confidence,
            danger=danger,
            by="model",
            ranking=ranking[:MAX_GUESSES],
        )


def unread() -> Understanding:
    """For a text that the bot does not have to understand, because an operator reads it."""
    return _not_understood(by="operator")


def _certain(match: Match) -> Understanding:
    return Understanding(
        intent=match.intent, confidence=1.0, danger=match.danger, by="lexicon", locale=match.locale
    )


def _not_understood(*, by: str, ranking: tuple[Guess, ...] = (), confidence: float = 0.0) -> Understanding:
    return Understanding(
        intent=NOT_UNDERSTOOD,
        confidence=confidence,
        danger=DangerLevel.NONE,
        by=by,
        ranking=ranking,
    )
