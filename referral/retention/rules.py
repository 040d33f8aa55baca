"""How long are the words of a case kept after its end? No database, no clock.

Numbers stay for the reports; the sentences of all that is kept stand in docs/administrator/retention.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from referral.cases.rules import Outcome

#: How a case ended that somebody outside the helpline acts upon; laws often say how long these are kept.
REPORTED = (Outcome.EMERGENCY_SERVICES, Outcome.CHILD_PROTECTION, Outcome.LAW_ENFORCEMENT)
_OTHERS = tuple(outcome for outcome in Outcome if outcome not in REPORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long the words of a closed case are kept."""

    case: timedelta
    reported: timedelta

    def ends_at(self, closed_at: datetime, *, outcome: Outcome) -> datetime:
        """When the words of a case that ended so are erased."""
        return closed_at + (self.reported if outcome in REPORTED else self.case)

    def over(self, *, now: datetime) -> Iterator[tuple[tuple[Outcome, ...], datetime]]:
        """For each group of outcomes: what was closed until when must have gone by now."""
        yield _OTHERS, now - self.case
        yield REPORTED, now - self.reported
