"""How a stored case is shown to the rules, and how their verdict is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from referral.cases.clocks import Clocks, Running
from referral.cases.coding import Coding
from referral.cases.rules import CaseState, DangerLevel, EntryKind, Happening, Outcome, Standing
from referral.cases.sealed import seal_words
from referral.cases.tables import Case
from referral.privacy import Privacy


def standing_of(case: Case) -> Standing:
    """What the rules need to know about a case."""
    return Standing(
        state=CaseState(case.state),
        danger=DangerLevel(case.danger),
        holder=case.holder_id,
        gone=case.gone_at is not None,
        outcome=Outcome(case.outcome) if case.outcome else None,
        revoked=case.consent_revoked_at is not None,
        aside_until=case.aside_until,
    )


def stand(case: Case, standing: Standing, *, now: datetime) -> None:
    """Bring the stored case to where the rules say it stands."""
    if standing.holder != case.holder_id and standing.holder is not None:
        case.taken_at = now
    if standing.state is CaseState.CLOSED and case.state != CaseState.CLOSED:
        case.closed_at = now
    if standing.gone and case.gone_at is None:
        case.gone_at = now
    if standing.gone or standing.aside_until is not None or standing.state is CaseState.CLOSED:
        stop_clock(case)
    case.state = standing.state
    case.danger = standing.danger
    case.holder_id = standing.holder
    case.aside_until = standing.aside_until
    case.outcome = standing.outcome


def start_clock(case: Case, clocks: Clocks, *, now: datetime) -> None:
    """The visitor waits again; a clock that still runs is left as it is."""
    if case.due_at is None:
        _set_clock(case, clocks.started(DangerLevel(case.danger), now=now))


def hasten_clock(case: Case, clocks: Clocks, *, now: datetime) -> None:
    """Danger rose to what it is now; whoever was told of an overdue case before is told again."""
    running = clock_of(case)
    if running is not None:
        _set_clock(case, clocks.hastened(running, DangerLevel(case.danger), now=now))


def stop_clock(case: Case) -> None:
    """Nobody owes this visitor an answer any more."""
    case.warn_at = case.due_at = case.overdue_at = None


def clock_of(case: Case) -> Running | None:
    """The clock of a case, if it runs."""
    if case.warn_at is None or case.due_at is None:
        return None
    return Running(warn_at=case.warn_at, due_at=case.due_at)


def _set_clock(case: Case, running: Running) -> None:
    case.warn_at, case.due_at, case.overdue_at = running.warn_at, running.due_at, None


def code_with(case: Case, coding: Coding) -> None:
    """Store what a case counts as, beside how it ended."""
    case.code = coding.code
    case.occurred = coding.occurred
    case.online_harm = coding.online_harm
    case.counselled = coding.counselled
    case.actions = sorted(coding.actions)


def happening(
    privacy: Privacy,
    case: UUID,
    what: Happening,
    *,
    now: datetime,
    by: UUID | None = None,
    danger: DangerLevel | None = None,
    words: str | None = None,
) -> Mapping[str, Any]:
    """An entry of the thread that records what happened, with a reason in words where one was given."""
    number = uuid4()
    return {
        "number": number,
        "case_id": case,
        "kind": EntryKind.EVENT,
        "happened": what,
        "author_id": by,
        "danger": danger,
        "text": seal_words(privacy, words, case=case, entry=number) if words else None,
        "sent_at": now,
    }
