"""What a page says, which never holds a word of a visitor, and when it is sent again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from referral.cases.rules import DangerLevel

#: Between attempts; the last one repeats until somebody answers the visitor.
DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 120, 300))


class Channel(StrEnum):
    """Where somebody is paged."""

    WEBHOOK = "webhook"
    TELEGRAM = "telegram"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One page, ready to be sent."""

    #: The same on every attempt, so that a receiver can tell a repeat.
    number: UUID
    attempts: int
    designation: str
    danger: DangerLevel
    waiting: timedelta
    link: str

    @property
    def minutes(self) -> int:
        """How long the visitor has waited, in whole minutes."""
        return int(self.waiting.total_seconds() // 60)

    @property
    def title(self) -> str:
        """One line for a lock screen."""
        level = {
            DangerLevel.EMERGENCY: "EMERGENCY",
            DangerLevel.URGENT: "Urgent",
            DangerLevel.CONCERN: "Concern",
            DangerLevel.NONE: "No danger seen",
        }[self.danger]
        return f"{level}: {self.designation} has waited {_spoken(self.minutes)} for an answer"

    @property
    def words(self) -> str:
        """What a person reads."""
        return f"{self.title}.\n{self.link}"


def delay(attempts: int, *, wanted: timedelta | None = None) -> timedelta:
    """How long to wait after so many failed attempts (at least one)."""
    own = DELAYS[min(attempts, len(DELAYS)) - 1]
    return min(max(own, wanted or own), DELAYS[-1])


def _spoken(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
