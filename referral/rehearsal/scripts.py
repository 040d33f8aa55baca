"""What does a rehearsed child say, and how is such a case rightly coded? Read from the files beside this one.

A script is derived from a golden conversation of the bot, which it names: a test plays that one and compares
what stands on the card. So an operator practises on the card that they will see at night.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from referral.cases.coding import Occurred
from referral.cases.rules import DangerLevel
from referral.errors import ReferralError

HERE = Path(__file__).parent


class ScriptUnknown(ReferralError):
    """There is no such script or language for a rehearsal."""


class Topic(StrEnum):
    """What an operator can ask a rehearsed child about; the first that is asked is answered first."""

    SAFE = "safe"
    FEELING = "feeling"
    WHO = "who"
    SINCE = "since"
    ADULT = "adult"
    PROOF = "proof"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How a child who writes in one language understands, and what all of them say."""

    locale: str
    consent: str
    waiting: str
    fine: str
    bye: str
    cues: Mapping[Topic, tuple[str, ...]]
    bye_cues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What one child says in one language."""

    #: What stands in the thread when the case reaches the desk.
    opening: tuple[str, ...]
    #: What they tell by and by when nothing that they understand was asked.
    then: tuple[str, ...]
    answers: Mapping[Topic, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One child who does not exist."""

    name: str
    #: The golden conversation that led them here: its file and name.
    golden: tuple[str, str]
    reason: str
    danger: DangerLevel
    role: str
    country: str
    card: Mapping[str, str]
    said: tuple[str, ...]
    #: How long they take to answer, and how long they wait before they ask whether anybody is there.
    thinks: timedelta
    waits: timedelta
    #: Codes and places of which any is right.
    codes: frozenset[str]
    occurred: frozenset[Occurred]
    words: Mapping[str, Words]


def scripts() -> Mapping[str, Script]:
    """Every script by its name."""
    return {path.stem: _script(path) for path in sorted((HERE / "scripts").glob("*.yaml"))}


def languages() -> Mapping[str, Language]:
    """Every language by its locale."""
    return {path.stem: _language(path) for path in sorted((HERE / "languages").glob("*.yaml"))}


def plain(text: str) -> str:
    """A text as cues are looked for in it: small letters, single spaces, one before each word."""
    letters = (sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text.casefold())
    return " " + " ".join("".join(letters).split())


def _script(path: Path) -> Script:
    raw = _read(path)
    return Script(
        name=path.stem,
        golden=(raw["golden"]["file"], raw["golden"]["name"]),
        reason=raw["reason"],
        danger=DangerLevel(raw["danger"]),
        role=raw["role"],
        country=raw["country"],
        card=raw["card"],
        said=tuple(raw["said"]),
        thinks=timedelta(seconds=raw["pace"]["thinks_seconds"]),
        waits=timedelta(seconds=raw["pace"]["waits_seconds"]),
        codes=frozenset(raw["key"]["codes"]),
        occurred=frozenset(Occurred(place) for place in raw["key"]["occurred"]),
        words={locale: _words(words) for locale, words in raw["words"].items()},
    )


def _words(raw: Mapping[str, Any]) -> Words:
    return Words(
        opening=tuple(raw["opening"]),
        then=tuple(raw["then"]),
        answers={topic: raw[topic] for topic in Topic},
    )


def _language(path: Path) -> Language:
    raw = _read(path)
    cues = {name: tuple(plain(cue) for cue in found) for name, found in raw["cues"].items()}
    return Language(
        locale=path.stem,
        consent=raw["consent"],
        waiting=raw["waiting"],
        fine=raw["fine"],
        bye=raw["bye"],
        cues={topic: cues[topic] for topic in Topic},
        bye_cues=cues["bye"],
    )


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
