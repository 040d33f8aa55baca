"""What does it look like, and why? A judgement from the visitor's own answers, by a rule that can be told.

Bullying is what happens again and again from somebody stronger or from several (UNICEF, Kindly: one message
alone cannot show that), so the visitor is asked and never a model. Danger outranks the word for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

#: The flow whose sheet holds the words for verdicts and reasons.
ASSESSMENT = "incident_assessment"

#: Harms that call for an adult or the police whatever else was answered: advice facts 2 ("Police"), 9 and 10.
SERIOUS_HARMS = frozenset(
    {
        "threats", "blackmail", "intimate_images", "grooming", "stalking",
        "offline_violence", "abuse_at_home", "sexual_abuse",
    }
)  # fmt: skip
_REPEATED = frozenset({"some_days", "weeks", "months"})
_UNSAFE = frozenset({"no", "not_sure"})
#: Answers of ``how_many`` that mean more power on one side, and the reason that each is.
_POWER = {"stronger": "why_stronger", "some": "why_many", "many": "why_many"}


class Verdict(StrEnum):
    """What a flow may branch on."""

    DANGER = "danger"
    BULLYING = "bullying"
    GOING_ON = "going_on"
    ONCE = "once"
    UNKNOWN = "unknown"


#: Every reason that can be given, in the order in which they are told; each is a text of the flow's sheet.
REASONS = (
    "why_not_safe", "why_serious_harm", "why_repeated", "why_stronger", "why_many", "why_still_going",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A verdict and the keys of the texts that say why."""

    verdict: Verdict
    reasons: tuple[str, ...]


def assess(slots: Mapping[str, str]) -> Assessment:
    """Judge the answers in ``how_long``, ``how_many``, ``still_going``, ``safe_now`` and the ``harm``."""
    unsafe = slots.get("safe_now") in _UNSAFE
    serious = slots.get("harm") in SERIOUS_HARMS
    repeated = slots.get("how_long") in _REPEATED
    power = _POWER.get(slots.get("how_many", ""))
    given = {
        "why_not_safe": unsafe,
        "why_serious_harm": serious,
        "why_repeated": repeated,
        "why_stronger": power == "why_stronger",
        "why_many": power == "why_many",
        "why_still_going": slots.get("still_going") == "yes",
    }
    return Assessment(
        verdict=_verdict(slots, danger=unsafe or serious, repeated=repeated, power=power is not None),
        reasons=tuple(reason for reason in REASONS if given[reason]),
    )


def _verdict(slots: Mapping[str, str], *, danger: bool, repeated: bool, power: bool) -> Verdict:
    if danger:
        return Verdict.DANGER
    if repeated and power:
        return Verdict.BULLYING
    if repeated or power:
        return Verdict.GOING_ON
    return Verdict.ONCE if slots.get("how_long") == "once" else Verdict.UNKNOWN
