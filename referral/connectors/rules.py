"""What may another system be told, when is a letter tried again, and when is that given up?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from referral.cases import rules as cases
from referral.cases.rules import EntryKind
from referral.connectors.happenings import Audience, Consent, Detail, Kind
from referral.connectors.protocol import Answer, Arrived, Ended, Failed, Unavailable
from referral.events.rules import JITTER, wanted_delay

#: Between attempts: quick at first, since somebody may be waiting, then for two days in all.
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200, 86_400)
)
#: After so many attempts a letter is parked, with its reason, until a supervisor sends it again.
MOST_ATTEMPTS = len(DELAYS) + 1
#: No answer may make us wait longer than this.
LONGEST_DELAY = timedelta(days=1)
MAX_REASON = 80

_TOLD: Mapping[str, Kind] = {
    cases.Happening.OPENED: Kind.OPENED,
    cases.Happening.DANGER_RAISED: Kind.DANGER_RAISED,
    cases.Happening.TAKEN: Kind.TAKEN,
    cases.Happening.PICKED: Kind.TAKEN,
    cases.Happening.RELEASED: Kind.RETURNED,
    cases.Happening.UNANSWERED: Kind.RETURNED,
    cases.Happening.AWAY: Kind.RETURNED,
    cases.Happening.CLOSED: Kind.CLOSED,
    # Who leaves while they wait ends their case; of any other nothing is told until an operator closes it.
    cases.Happening.LEFT: Kind.CLOSED,
}


def told(entry: Mapping[str, Any]) -> Kind | None:
    """What others hear of an entry of the thread that is being written; None if nothing."""
    match entry["kind"]:
        case EntryKind.EVENT:
            return _TOLD.get(entry["happened"])
        case EntryKind.OPERATOR:
            return Kind.SAID
        case EntryKind.VISITOR if entry.get("heard_at"):
            return Kind.SAID
    return None


def covered(consent: Consent, *, audience: Audience) -> frozenset[Detail] | None:
    """Which details this audience may get; None if it may not even hear that there is a case.

    The helpline's own systems are part of what a visitor agrees to when they ask for a person. Where nobody
    was asked, they get the facts and what operators made of them, and no word of the visitor.
    """
    if audience is Audience.OTHERS:
        return frozenset(Detail) if consent.sentence and consent.others else None
    return frozenset(Detail) if consent.sentence else frozenset({Detail.CODING})


def answer(status: int, *, retry_after: str | None, now: datetime) -> Answer:
    """What a status means where HTTP is followed; a connector judges for itself what its system says."""
    after = wanted_delay(retry_after, now=now, longest=LONGEST_DELAY)
    match status:
        case _ if 200 <= status < 300:
            return Arrived()
        case 410:
            return Ended(reason="410")
        case 429 | 502 | 503 | 504:
            return Unavailable(reason=str(status), after=after)
    return Failed(reason=str(status), after=after)


def delay(failures: int, *, wanted: timedelta | None, chance: float) -> timedelta:
    """How long to wait after so many failures in a row (at least one); ``chance`` is from 0 to 1."""
    own = DELAYS[min(failures, len(DELAYS)) - 1] * (1 + JITTER * chance)
    return min(max(own, wanted or own), LONGEST_DELAY)


def given_up(kind: Kind, *, attempts: int) -> bool:
    """True when a letter is parked; a deletion is tried for as long as it takes."""
    return attempts >= MOST_ATTEMPTS and kind not in (Kind.FORGOTTEN, Kind.CONSENT_REVOKED)
