"""How long may a visitor wait for a person, and how much of that time is gone? No database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from referral.cases.rules import DangerLevel
from referral.hours.rules import ALWAYS, Schedule

#: After this share of the time the desk says that it becomes tight.
WARN_AFTER = 0.75
#: What an answer took is told to who waits from the cases of this time before, if there were so many.
ESTIMATE_FROM = timedelta(hours=6)
ESTIMATE_CASES = 5
#: Nobody should count the minutes of an estimate.
_ESTIMATE_STEP = timedelta(minutes=5)


class ClockStep(StrEnum):
    """Where a clock stands."""

    RUNNING = "running"
    WARNING = "warning"
    BREACH = "breach"


def estimate(median: timedelta | None, *, number: int) -> int | None:
    """How many minutes an answer takes, rounded up to five; None when too few cases tell."""
    if median is None or number < ESTIMATE_CASES:
        return None
    steps = max(-(-median // _ESTIMATE_STEP), 1)
    return int(steps * _ESTIMATE_STEP / timedelta(minutes=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A clock that runs until somebody answers."""

    warn_at: datetime
    due_at: datetime

    def step(self, now: datetime) -> ClockStep:
        """How it stands at this moment."""
        if now >= self.due_at:
            return ClockStep.BREACH
        return ClockStep.WARNING if now >= self.warn_at else ClockStep.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """How long a visitor may wait for the first answer, by danger level."""

    emergency: timedelta = timedelta(minutes=2)
    urgent: timedelta = timedelta(minutes=15)
    concern: timedelta = timedelta(hours=4)
    none: timedelta = timedelta(hours=24)
    #: From this level on a clock also runs while the helpline is closed; an emergency's always does.
    always_from: DangerLevel = DangerLevel.URGENT
    #: When people are there.
    hours: Schedule = ALWAYS

    def limit(self, danger: DangerLevel) -> timedelta:
        """How long a visitor of this level may wait."""
        limits = {
            DangerLevel.EMERGENCY: self.emergency,
            DangerLevel.URGENT: self.urgent,
            DangerLevel.CONCERN: self.concern,
            DangerLevel.NONE: self.none,
        }
        return limits[danger]

    def started(self, danger: DangerLevel, *, now: datetime) -> Running:
        """A clock that begins to run."""
        limit = self.limit(danger)
        return Running(
            warn_at=self._after(danger, limit * WARN_AFTER, now=now),
            due_at=self._after(danger, limit, now=now),
        )

    def hastened(self, running: Running, danger: DangerLevel, *, now: datetime) -> Running:
        """The clock after danger rose: never later than it was, so that nobody loses by getting worse."""
        fresh = self.started(danger, now=now)
        return Running(warn_at=min(running.warn_at, fresh.warn_at), due_at=min(running.due_at, fresh.due_at))

    def _after(self, danger: DangerLevel, span: timedelta, *, now: datetime) -> datetime:
        if danger.rank >= self.always_from.rank:
            return now + span
        return self.hours.after(now, span)
