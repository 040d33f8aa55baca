"""What is a case coded with when it closes, and which code does its card suggest? No database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from referral.cases.codes import CODES, ONLINE_CODES, ONLINE_HARMS, ContactKind, contact_kind
from referral.cases.rules import OPERATOR_OUTCOMES, Outcome
from referral.errors import FormIncomplete

#: A shorter line of the visitor says too little to show it as what suggests a code.
_TELLING_WORDS = 3
#: A quotation stays short enough to be read at a glance.
MAX_QUOTED = 160


class Occurred(StrEnum):
    """Where it happened."""

    ONLINE = "online"
    OFFLINE = "offline"
    BOTH = "both"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What was done beyond listening, in the framework's terms."""

    DIRECT_INTERVENTION = "direct_intervention"
    RESOURCES = "resources"
    CHILD_PROTECTION = "child_protection"
    HEALTHCARE = "healthcare"
    LAW_ENFORCEMENT = "law_enforcement"
    MENTAL_HEALTH = "mental_health"
    SCHOOL = "school"
    OTHER_ORGANISATION = "other_organisation"
    ABUSE_IMAGES_REPORT = "abuse_images_report"


#: What an outcome says by itself, so that nobody has to say it twice.
IMPLIED: Mapping[Outcome, Action] = {
    Outcome.EMERGENCY_SERVICES: Action.DIRECT_INTERVENTION,
    Outcome.CHILD_PROTECTION: Action.CHILD_PROTECTION,
    Outcome.LAW_ENFORCEMENT: Action.LAW_ENFORCEMENT,
    Outcome.HEALTHCARE: Action.HEALTHCARE,
    Outcome.SCHOOL: Action.SCHOOL,
    Outcome.OTHER_ORGANISATION: Action.OTHER_ORGANISATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How a case ended and what it counts as."""

    outcome: Outcome
    code: str
    occurred: Occurred | None = None
    online_harm: str | None = None
    counselled: bool = True
    actions: frozenset[Action] = frozenset()


def checked(coding: Coding) -> Coding:
    """The coding as it is stored, with what follows from its parts; raises ``FormIncomplete``."""
    if coding.outcome not in OPERATOR_OUTCOMES:
        raise FormIncomplete("Please choose how this case ended.")
    if coding.code not in CODES:
        raise FormIncomplete("Please choose a code for the report.")
    if coding.online_harm is not None and coding.online_harm not in ONLINE_HARMS:
        raise FormIncomplete("Please choose what happened online from the list.")
    actions = coding.actions | ({IMPLIED[coding.outcome]} if coding.outcome in IMPLIED else set())
    if contact_kind(coding.code, counselled=None) is not ContactKind.COUNSELLING:
        return replace(coding, occurred=None, online_harm=None, counselled=False, actions=actions)
    occurred = coding.occurred
    if occurred is None and coding.code in ONLINE_CODES:
        occurred = Occurred.ONLINE
    if occurred is None:
        raise FormIncomplete("Please choose where it happened: online, offline, both or not known.")
    if occurred is Occurred.OFFLINE and (coding.code in ONLINE_CODES or coding.online_harm):
        raise FormIncomplete("This code is about something online: choose “online” or “both”.")
    return replace(coding, occurred=occurred, actions=actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A code that the card speaks for; the operator decides."""

    code: str
    online_harm: str | None
    occurred: Occurred | None
    #: The matter on the card that it comes from.
    because: str
    #: The visitor's own line that goes with it, or none.
    quoted: str | None = None


_CYBERBULLYING = "violence.cyberbullying"
_ONLINE_SEXUAL_ABUSE = "violence.online_sexual_abuse"

#: What the bot understood: (code, third level, where).
_SUGGESTED: Mapping[str, tuple[str, str | None, Occurred | None]] = {
    "suicidal": ("mental_health.suicide", None, None),
    "friend_in_crisis": ("mental_health.suicide", None, None),
    "self_harm": ("mental_health.self_harm", None, None),
    "sexual_abuse": ("violence.sexual_violence", None, None),
    "immediate_danger": ("violence.physical_violence", None, None),
    "offline_violence": ("violence.physical_violence", None, Occurred.OFFLINE),
    "abuse_at_home": ("violence.physical_violence", None, Occurred.OFFLINE),
    "insults": (_CYBERBULLYING, "harassment", Occurred.ONLINE),
    "exclusion": (_CYBERBULLYING, "exclusion", Occurred.ONLINE),
    "rumours": (_CYBERBULLYING, "rumours", Occurred.ONLINE),
    "threats": (_CYBERBULLYING, "threats", Occurred.ONLINE),
    "hate_speech": (_CYBERBULLYING, "hate_speech", Occurred.ONLINE),
    "impersonation": (_CYBERBULLYING, "impersonation", Occurred.ONLINE),
    "account_hacked": (_CYBERBULLYING, "account_hacked", Occurred.ONLINE),
    "doxxing": (_CYBERBULLYING, "doxxing", Occurred.ONLINE),
    "images_shared": (_CYBERBULLYING, "images_shared", Occurred.ONLINE),
    "stalking": (_CYBERBULLYING, "stalking", Occurred.ONLINE),
    "paid_deletion": (_CYBERBULLYING, "images_shared", Occurred.ONLINE),
    "intimate_images": (_ONLINE_SEXUAL_ABUSE, "intimate_images", Occurred.ONLINE),
    "blackmail": (_ONLINE_SEXUAL_ABUSE, "blackmail", Occurred.ONLINE),
    "grooming": (_ONLINE_SEXUAL_ABUSE, "grooming", Occurred.ONLINE),
    "sexual_harassment": (_ONLINE_SEXUAL_ABUSE, "sexual_harassment", Occurred.ONLINE),
    "bystander": (_CYBERBULLYING, None, Occurred.ONLINE),
    "i_bullied": (_CYBERBULLYING, None, Occurred.ONLINE),
    "parent_child_bullied": (_CYBERBULLYING, None, Occurred.ONLINE),
    "parent_child_bullies": (_CYBERBULLYING, None, Occurred.ONLINE),
    "teacher_incident": (_CYBERBULLYING, None, Occurred.ONLINE),
    "feeling_bad": ("mental_health.mood", None, None),
    "wants_revenge": ("mental_health.anger", None, None),
    "parent_prevention": ("non_counselling.parents", None, None),
}


def suggest(reason: str, *, card: Mapping[str, str], heard: tuple[str, ...]) -> Suggestion | None:
    """The code for what the visitor came for, else for the first matter on the card; None when none tells.

    ``heard`` are the visitor's lines, oldest first; the first that is more than a greeting is quoted.
    """
    matters = (reason, card.get("harm", ""), *card.get("intents", "").split(", "))
    matter = next((matter for matter in matters if matter in _SUGGESTED), None)
    if matter is None:
        return None
    code, online_harm, occurred = _SUGGESTED[matter]
    return Suggestion(
        code=code,
        online_harm=online_harm,
        occurred=occurred,
        because=matter,
        quoted=_telling(heard),
    )


def _telling(heard: tuple[str, ...]) -> str | None:
    line = next((" ".join(line.split()) for line in heard if len(line.split()) >= _TELLING_WORDS), None)
    if line is None or len(line) <= MAX_QUOTED:
        return line
    return line[:MAX_QUOTED].rsplit(" ", 1)[0] + " …"
