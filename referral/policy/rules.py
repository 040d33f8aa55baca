"""What can be set while the desk runs, within which bounds? No database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise

from referral.cases.clocks import Clocks
from referral.errors import PolicyInvalid
from referral.language import gettext, marked

_HOUR, _DAY = 60, 24 * 60


class Rule(StrEnum):
    """What can be set; the names are those of the settings that are in force where nobody set anything."""

    EMERGENCY = "clock_emergency_minutes"
    URGENT = "clock_urgent_minutes"
    CONCERN = "clock_concern_minutes"
    NONE = "clock_none_minutes"
    ANSWER_WITHIN = "answer_within_minutes"
    HIDE_BELOW = "report_hide_below"


#: From and to, both of them allowed; the settings have the same bounds.
BOUNDS: Mapping[Rule, tuple[int, int]] = {
    Rule.EMERGENCY: (1, _HOUR),
    Rule.URGENT: (1, _DAY),
    Rule.CONCERN: (1, 7 * _DAY),
    Rule.NONE: (1, 30 * _DAY),
    Rule.ANSWER_WITHIN: (1, _DAY),
    Rule.HIDE_BELOW: (5, 50),
}
#: From the most dangerous on: nobody who is in more danger waits longer.
_CLOCKS = (Rule.EMERGENCY, Rule.URGENT, Rule.CONCERN, Rule.NONE)

Values = Mapping[Rule, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is in force at one moment."""

    values: Values
    clocks: Clocks

    @property
    def answer_within(self) -> timedelta:
        """How long a visitor waits for the answer of whoever holds their case."""
        return timedelta(minutes=self.values[Rule.ANSWER_WITHIN])

    @property
    def hide_below(self) -> int:
        """Reports hide numbers below this, but for zero."""
        return self.values[Rule.HIDE_BELOW]


def policy_of(defaults: Values, changed: Values, *, clocks: Clocks) -> Policy:
    """What is in force where these were changed; ``clocks`` keep whatever is not set here."""
    values = {**defaults, **changed}
    return Policy(
        values=values,
        clocks=replace(
            clocks,
            emergency=timedelta(minutes=values[Rule.EMERGENCY]),
            urgent=timedelta(minutes=values[Rule.URGENT]),
            concern=timedelta(minutes=values[Rule.CONCERN]),
            none=timedelta(minutes=values[Rule.NONE]),
        ),
    )


def check(values: Values) -> None:
    """Raise ``PolicyInvalid`` unless these may be in force together."""
    for rule, (lowest, highest) in BOUNDS.items():
        if not lowest <= values[rule] <= highest:
            raise PolicyInvalid(
                "%(what)s: choose a number from %(lowest)s to %(highest)s.",
                what=gettext(_SPOKEN[rule]),
                lowest=lowest,
                highest=highest,
            )
    if any(values[sooner] > values[later] for sooner, later in pairwise(_CLOCKS)):
        raise PolicyInvalid("Nobody in more danger may wait longer: let the clocks grow from top to bottom.")


_SPOKEN: Mapping[Rule, str] = {
    Rule.EMERGENCY: marked("Emergency"),
    Rule.URGENT: marked("Urgent"),
    Rule.CONCERN: marked("Concern"),
    Rule.NONE: marked("No danger seen"),
    Rule.ANSWER_WITHIN: marked("Minutes to hold a case without an answer"),
    Rule.HIDE_BELOW: marked("Reports hide numbers below"),
}
