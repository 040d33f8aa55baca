"""What of a case can be put into a field of Primero, and in which shape? No database, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from referral.cases.codes import CODES, ONLINE_HARMS
from referral.cases.coding import Action, Occurred
from referral.cases.rules import DangerLevel, Outcome
from referral.connectors.happenings import Closed, DangerRaised, Kind, Opened

#: What Primero is told of: it begins, gets worse, ends.
Told = Opened | DangerRaised | Closed

Value = str | bool | int | list[str]

#: Any answer on the hand-over card is a source too: ``card.since``.
CARD_PREFIX = "card."
MAX_SUMMARY = 2_000

ROLES = ("child", "parent", "teacher")


class Shape(StrEnum):
    """What a source yields."""

    TEXT = "text"
    FLAG = "true or false"
    DATE = "date"
    CHOICE = "one of several"
    CHOICES = "several of several"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One thing that is known of a case; ``read`` is None while it is not."""

    shape: Shape
    read: Callable[[Told], Value | None]
    #: Everything it can be, where that is a closed set.
    known: tuple[str, ...] | None = None
    #: What changes it after the record was made; all else belongs to Primero's case workers from then on.
    changes: frozenset[Kind] = frozenset()


def source(name: str) -> Source | None:
    """The source of this name."""
    if name.startswith(CARD_PREFIX) and len(name) > len(CARD_PREFIX):
        return _answer(name.removeprefix(CARD_PREFIX))
    return SOURCES.get(name)


def _answer(name: str) -> Source:
    return Source(shape=Shape.TEXT, read=lambda told: (told.card or {}).get(name))


def _coded(read: Callable[[Closed], Value | None]) -> Callable[[Told], Value | None]:
    return lambda told: read(told) if isinstance(told, Closed) else None


def _summary(told: Told) -> str | None:
    """A few lines for whoever opens the record; None unless consent covers what the bot was told."""
    if told.card is None:
        return None
    lines = [
        f"Referred by Porchlight as “{told.case.designation}”, danger: {told.case.danger}.",
        *(f"{name.replace('_', ' ')}: {answer}" for name, answer in told.card.items()),
    ]
    if isinstance(told, Closed) and told.coding is not None:
        coding = told.coding
        found = {
            "outcome": coding.outcome,
            "code": coding.code,
            "occurred": coding.occurred,
            "online harm": coding.online_harm,
            "actions": ", ".join(coding.actions),
        }
        lines += [f"{name}: {value}" for name, value in found.items() if value]
    return "\n".join(lines)[:MAX_SUMMARY]


_DANGER = frozenset({Kind.DANGER_RAISED})
_END = frozenset({Kind.CLOSED})

SOURCES: Mapping[str, Source] = {
    "designation": Source(shape=Shape.TEXT, read=lambda told: told.case.designation),
    "case_number": Source(shape=Shape.TEXT, read=lambda told: str(told.case.number)),
    "summary": Source(shape=Shape.TEXT, read=_summary, changes=_DANGER | _END),
    "danger": Source(
        shape=Shape.CHOICE,
        known=tuple(DangerLevel),
        read=lambda told: told.case.danger.value,
        changes=_DANGER,
    ),
    "urgent": Source(
        shape=Shape.FLAG,
        read=lambda told: told.case.danger.rank >= DangerLevel.URGENT.rank,
        changes=_DANGER,
    ),
    "harm": Source(shape=Shape.CHOICE, read=lambda told: (told.card or {}).get("harm", told.case.reason)),
    "role": Source(shape=Shape.CHOICE, known=ROLES, read=lambda told: told.case.role),
    "country": Source(shape=Shape.CHOICE, read=lambda told: told.case.country),
    "locale": Source(shape=Shape.CHOICE, read=lambda told: told.case.locale),
    "opened_on": Source(shape=Shape.DATE, read=lambda told: told.case.opened_at.date().isoformat()),
    "consent_given": Source(shape=Shape.FLAG, read=lambda told: bool(told.consent and told.consent.sentence)),
    "consent_for_others": Source(
        shape=Shape.FLAG, read=lambda told: bool(told.consent and told.consent.others)
    ),
    "consent_sentence": Source(
        shape=Shape.TEXT, read=lambda told: told.consent.sentence if told.consent else None
    ),
    "outcome": Source(
        shape=Shape.CHOICE,
        known=tuple(item for item in Outcome if item is not Outcome.FORGOTTEN),
        read=_coded(lambda told: told.coding.outcome if told.coding else None),
        changes=_END,
    ),
    "code": Source(
        shape=Shape.CHOICE,
        known=tuple(sorted(CODES)),
        read=_coded(lambda told: told.coding.code if told.coding else None),
        changes=_END,
    ),
    "occurred": Source(
        shape=Shape.CHOICE,
        known=tuple(Occurred),
        read=_coded(lambda told: told.coding.occurred if told.coding else None),
        changes=_END,
    ),
    "online_harm": Source(
        shape=Shape.CHOICE,
        known=tuple(sorted(ONLINE_HARMS)),
        read=_coded(lambda told: told.coding.online_harm if told.coding else None),
        changes=_END,
    ),
    "actions": Source(
        shape=Shape.CHOICES,
        known=tuple(Action),
        read=_coded(lambda told: list(told.coding.actions) if told.coding else None),
        changes=_END,
    ),
}
