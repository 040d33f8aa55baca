"""How well does the product understand, lexicon and model together? Judges what ``nlu.evaluate`` guessed."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from bot.config import Settings
from bot.nlu_client import NluClient, Parsed
from bot.understanding import Understander
from flows.events import DangerLevel, Guess, Understanding
from flows.loader import load
from flows.safety import load_lexicons

#: Phrases that no model has learnt from at all, by an author who knew only the list of intents.
STRANGERS = "strangers"
OUT_OF_SCOPE = "out_of_scope"

_RESAMPLED = 200
_SEED = 20
_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One text: what a person says it means, what the model guessed, what the product makes of it."""

    text: str
    intent: str
    locale: str
    #: The author who was left out, or ``STRANGERS``.
    held_out: str
    danger: DangerLevel
    ranking: tuple[Guess, ...]
    understanding: Understanding

    @property
    def right(self) -> bool:
        """Whether the model's first guess is the intent."""
        return self.ranking[0].intent == self.intent

    @property
    def alarmed(self) -> bool:
        """Whether the product takes it for urgent or an emergency."""
        return self.understanding.danger.rank >= DangerLevel.URGENT.rank

    @property
    def noticed(self) -> bool:
        """Whether the product acts upon a danger or asks about one."""
        return self.alarmed or self.understanding.doubt is not None

    @property
    def dangerous(self) -> bool:
        """Whether it is urgent or an emergency, as the person says."""
        return self.danger.rank >= DangerLevel.URGENT.rank


def judge_all(guesses: Path) -> list[Judged]:
    """Everything that ``nlu.evaluate`` wrote into this file, as the bot would understand it."""
    content: Path = Settings.model_fields["content_dir"].default
    intents = load(content).intents
    understander = Understander(
        lexicon=load_lexicons(content / "lexicons"),
        nlu=NluClient("http://127.0.0.1:1", intents=intents),  # Never asked: its answers are in the file.
        danger=intents,
        threshold=Settings.model_fields["nlu_threshold"].default,
    )
    return [_judge(understander, json.loads(line)) for line in guesses.read_text("utf-8").splitlines()]


def _judge(understander: Understander, said: dict[str, Any]) -> Judged:
    ranking = tuple(Guess(intent=name, confidence=sure) for name, sure in said["ranking"])
    locale = said["locale"].partition("-")[0]
    heard = understander.danger_in(said["text"], locale=locale)
    return Judged(
        text=said["text"],
        intent=said["intent"],
        locale=said["locale"],
        held_out=said["held_out"],
        danger=understander.danger[said["intent"]],
        ranking=ranking,
        understanding=heard or understander.judge(Parsed(ranking=ranking)),
    )


def by_locale(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    """The texts of each locale, those in Latin letters after the others."""
    sorted_in: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        sorted_in[one.locale].append(one)
    for locale in sorted(sorted_in, key=lambda name: (name.count("-"), name)):
        yield locale, sorted_in[locale]


def macro_f1(judged: Sequence[Judged]) -> float:
    """The mean over intents of the harmonic mean of precision and recall."""
    true = Counter(one.intent for one in judged)
    told = Counter(one.ranking[0].intent for one in judged)
    both = Counter(one.intent for one in judged if one.right)
    return fmean(2 * both[intent] / (true[intent] + told[intent]) for intent in true)


def accuracy(judged: Sequence[Judged]) -> float:
    """The share of right first guesses."""
    return fmean(one.right for one in judged)


def interval(judged: Sequence[Judged], figure: Callable[[Sequence[Judged]], float]) -> tuple[float, float]:
    """Between what the figure lies in 95 % of samples drawn from these texts (bootstrap)."""
    chance = random.Random(_SEED)  # noqa: S311 - no secret hangs on it.
    drawn = sorted(figure(chance.choices(judged, k=len(judged))) for _ in range(_RESAMPLED))
    return drawn[round(0.025 * _RESAMPLED)], drawn[round(0.975 * _RESAMPLED) - 1]


def calibration_error(judged: Sequence[Judged]) -> float:
    """How far confidence and share of right guesses lie apart, on average over ten bins (ECE)."""
    bins: list[list[Judged]] = [[] for _ in range(_BINS)]
    for one in judged:
        bins[min(_BINS - 1, int(one.ranking[0].confidence * _BINS))].append(one)
    apart = (
        len(some) * abs(accuracy(some) - fmean(one.ranking[0].confidence for one in some))
        for some in bins
        if some
    )
    return sum(apart) / len(judged)


def danger_recall(judged: Sequence[Judged]) -> float:
    """The share of urgent and emergency texts that are acted upon or asked about."""
    return fmean(one.noticed for one in judged if one.dangerous)


def false_alarms(judged: Sequence[Judged]) -> float:
    """The share of out-of-scope texts, most of them jokes with die and kill, that are taken for danger."""
    return fmean(one.alarmed for one in judged if one.intent == OUT_OF_SCOPE)


def false_questions(judged: Sequence[Judged]) -> float:
    """The share of out-of-scope texts that make the bot ask about danger."""
    return fmean(one.noticed and not one.alarmed for one in judged if one.intent == OUT_OF_SCOPE)


def out_of_scope_recall(judged: Sequence[Judged], *, in_scope_accuracy: float) -> tuple[float, float]:
    """The most out-of-scope texts that can be told at this accuracy on the others, and that accuracy.

    A text counts as told when its first guess is out of scope or less likely than a threshold; the accuracy
    is the best there is when the one that is asked for cannot be reached.
    """
    inside = [one for one in judged if one.intent != OUT_OF_SCOPE]
    outside = [one for one in judged if one.intent == OUT_OF_SCOPE]
    best = (0.0, 0.0)
    for step in range(100):
        least = step / 100
        right = fmean(one.right and one.ranking[0].confidence >= least for one in inside)
        told = fmean(
            one.ranking[0].intent == OUT_OF_SCOPE or one.ranking[0].confidence < least for one in outside
        )
        if step == 0 or right >= in_scope_accuracy:
            best = max(best, (told, right)) if step else (told, right)
    return best


def missed(judged: Sequence[Judged]) -> list[Judged]:
    """The urgent and emergency texts that are neither acted upon nor asked about."""
    return [one for one in judged if one.dangerous and not one.noticed]
