"""What a message means: the crisis lexicon first, then the model, then an honest "not understood".

The rule that combines them: danger is the greater of what the lexicon and the model say. The lexicon decides
alone. The model decides where it is sure; where it is only fairly sure of a danger, the visitor is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

from bot.nlu_client import NluClient, Parsed
from flows.events import DangerLevel, Guess, Mention, Understanding
from flows.model import DANGER_INTENTS
from flows.safety import Lexicon, Match

#: The intent of a text that nothing recognised.
NOT_UNDERSTOOD = "not_understood"

#: When all dangers to a life or a body are together so likely, the visitor is asked. Chosen on the authors
#: left out (docs/model-card.md): lower, and every tenth joke about homework would be asked about suicide.
QUESTION = 0.12

#: When these and all other urgent matters (threats, beatings, demands) are together so likely, the visitor is
#: asked about the likeliest. Chosen in the same way (docs/adr/0020): lower, and every sixth joke would be.
URGENT_QUESTION = 0.1

#: Two guesses that lie closer together are a tie, and the visitor says which it is.
MARGIN = 0.05

#: And so likely in a part of a long message, which the model sees without what stands around it.
PART_QUESTION = 0.4

#: A second matter of the same text is noted from this probability on.
SECOND = 0.3

#: A part of a long message speaks for itself only where the model is this sure of it.
PART = 0.7

#: So many guesses travel with the understanding.
MAX_GUESSES = 3

#: These are no matter of their own beside another one.
_NO_MATTER = frozenset(
    {NOT_UNDERSTOOD, "affirm", "deny", "greet", "goodbye", "thanks", "help", "out_of_scope", "insult_bot"}
)


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
        return self.judge(parsed)

    def danger_in(self, text: str, *, locale: str | None) -> Understanding | None:
        """What the lexicon says, without any network."""
        match = self.lexicon.first_match(text, locale=locale)
        return None if match is None else _certain(match)

    def judge(self, parsed: Parsed) -> Understanding:
        """What to make of the model's guesses about a text and about its parts."""
        matters = [self._surest(parsed.ranking)] + [
            part for ranking in parsed.parts if (part := self._surest(ranking)).confidence >= PART
        ]
        # The most dangerous matter wins; what is said around a matter ("hi", "please help") is none.
        first = max(matters, key=lambda matter: (self._rank(matter.intent), matter.intent not in _NO_MATTER))
        return replace(
            first,
            ranking=parsed.ranking[:MAX_GUESSES],
            secondary=self._secondary(first.intent, matters, parsed.ranking),
            doubt=self._doubt(first, parsed),
            mentions=_mentions(parsed),
        )

    def _surest(self, ranking: tuple[Guess, ...]) -> Understanding:
        """The best guess, if the model is sure enough to act upon it."""
        if not ranking:
            return _not_understood(by="model")
        best = ranking[0]
        second = ranking[1].confidence if len(ranking) > 1 else 0.0
        if best.confidence < self.threshold or best.confidence - second < MARGIN:
            return _not_understood(by="model", confidence=best.confidence)
        return Understanding(
            intent=best.intent,
            confidence=best.confidence,
            danger=self._level(best.intent),
            by="model",
        )

    def _secondary(
        self, first: str, matters: list[Understanding], ranking: tuple[Guess, ...]
    ) -> tuple[str, ...]:
        named = [matter.intent for matter in matters]
        # A danger that is only guessed at is asked about, never taken for said.
        named += [
            guess.intent
            for guess in ranking
            if guess.confidence >= SECOND and self._rank(guess.intent) < DangerLevel.URGENT.rank
        ]
        return tuple(dict.fromkeys(name for name in named if name not in _NO_MATTER | {first}))

    def _doubt(self, first: Understanding, parsed: Parsed) -> str | None:
        """The danger to ask about, where it is not acted upon already; what may cost a life comes first."""
        if first.intent in DANGER_INTENTS:
            return None
        if doubt := _likely(parsed, DANGER_INTENTS, needed=QUESTION):
            return doubt
        urgent = {intent for intent in self.danger if self._rank(intent) >= DangerLevel.URGENT.rank}
        return None if first.intent in urgent else _likely(parsed, urgent, needed=URGENT_QUESTION)

    def _level(self, intent: str) -> DangerLevel:
        return self.danger.get(intent, DangerLevel.NONE)

    def _rank(self, intent: str) -> int:
        return self._level(intent).rank


def _likely(parsed: Parsed, dangers: Set[str], *, needed: float) -> str | None:
    """The likeliest of these dangers, where they are together likely enough in the text or in a part."""
    for ranking, least in ((parsed.ranking, needed), *((part, PART_QUESTION) for part in parsed.parts)):
        possible = [guess for guess in ranking if guess.intent in dangers]
        if sum(guess.confidence for guess in possible) >= least:
            return possible[0].intent
    return None


def _mentions(parsed: Parsed) -> tuple[Mention, ...]:
    """What the text names outright; the words themselves stay behind."""
    return tuple(
        Mention(kind=entity["entity"], value=str(entity["value"]), whose=entity.get("role"))
        for entity in parsed.entities
        if "entity" in entity and "value" in entity
    )


def unread() -> Understanding:
    """For a text that the bot does not have to understand, because an operator reads it."""
    return _not_understood(by="operator")


def _certain(match: Match) -> Understanding:
    return Understanding(
        intent=match.intent, confidence=1.0, danger=match.danger, by="lexicon", locale=match.locale
    )


def _not_understood(*, by: str, confidence: float = 0.0) -> Understanding:
    return Understanding(intent=NOT_UNDERSTOOD, confidence=confidence, danger=DangerLevel.NONE, by=by)
