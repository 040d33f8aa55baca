"""Which answers of a visitor does an operator read, in which order, and who said so?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

#: What the card shows, in this order. Everything else that the bot noted is for the bot alone: which story
#: was tried out, what was asked when, what a letter to a grown-up should say.
SHOWN = (
    "age_band", "harm", "intents", "since", "how_long", "still_going", "safe_now", "how_many", "about",
    "platform", "account_access", "account_used_for", "pictures", "relationship", "time",
)  # fmt: skip
#: Answers that say nothing.
_NOTHING = frozenset({"", "skip", "not_asked", "just_tell", "person", "back", "not_now", "none"})
#: The visitor's own plan for dark hours, step by step.
PLAN = ("my_plan_signs", "my_plan_alone", "my_plan_places", "my_plan_people", "my_plan_room")
_LEFT_OPEN = "open"
_BANDS = ((10, "under_10"), (13, "10_to_12"), (16, "13_to_15"), (18, "16_to_17"))
_BANDS_OF_ROLES = {"child": "under_13", "teen": "13_to_17", "parent": "adult", "teacher": "adult"}


class Source(StrEnum):
    """Who says what stands on the card."""

    CHOSEN = "chosen"  # The visitor pressed it.
    WRITTEN = "written"  # The visitor's own words.
    UNDERSTOOD = "understood"  # Their words named it in passing.
    DERIVED = "derived"  # The bot concluded it.


#: How the bot calls them.
_SOURCES = {"button": Source.CHOSEN, "words": Source.WRITTEN, "mention": Source.UNDERSTOOD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the card."""

    name: str
    #: More than one only where several things happened.
    values: tuple[str, ...]
    source: Source


def rows(answers: Mapping[str, str], *, sources: Mapping[str, str], role: str | None) -> tuple[Row, ...]:
    """The lines of the card, without what says nothing."""
    age = answers.get("age", "")
    known = dict(answers) | {"age_band": _band(age, role=role)}
    # What it is about stands above already.
    others = [name.strip() for name in known.get("intents", "").split(",")]
    known["intents"] = ",".join(name for name in others if name != known.get("harm"))
    named = dict(sources) | ({"age_band": sources.get("age", "mention")} if age else {})
    return tuple(
        Row(
            name=name,
            values=tuple(known[name].split(",")) if name == "intents" else (known[name],),
            source=_SOURCES.get(named.get(name, ""), Source.DERIVED),
        )
        for name in SHOWN
        if known.get(name, "") not in _NOTHING
    )


def plan(answers: Mapping[str, str]) -> Mapping[str, str]:
    """The steps of a safety plan that are filled in."""
    return {name: answers[name] for name in PLAN if answers.get(name, _LEFT_OPEN) not in (_LEFT_OPEN, "")}


def _band(age: str, *, role: str | None) -> str:
    """How old the visitor is, roughly: the number itself is nobody's need."""
    if age.isdecimal():
        return next((band for end, band in _BANDS if int(age) < end), "adult")
    return _BANDS_OF_ROLES.get(role or "", "")
