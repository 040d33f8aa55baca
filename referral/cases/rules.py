"""What may happen to a case: who may hold it, what closes it, whose turn it is. No database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from referral.errors import CaseAlreadyHeld, CaseClosed, CaseNotHeld, FormIncomplete, VisitorGone

#: A reason that is shorter explains nothing to whoever reads the record later.
MIN_PICK_REASON = 10
#: An operator without an open page for this long has gone; reloading a page takes seconds.
AWAY_AFTER = timedelta(minutes=2)


_MENTION = re.compile(r"(?<![\w@])@([^\W_][\w.\-]{1,39})")

#: What lies further ahead is for the visitor to begin again: nobody should be bound to a promise that long.
MAX_ASIDE = timedelta(days=14)
#: As long as a session lasts at most: a shift, whichever side of midnight it lies on.
SHIFT = timedelta(hours=12)
#: So many cases of danger in one shift are much to carry; ours, to be judged by the helpline's psychologist.
MANY_HEAVY = 3


class DangerLevel(StrEnum):
    """How much harm may come if nobody acts, from none to minutes away."""

    NONE = "none"
    CONCERN = "concern"
    URGENT = "urgent"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """0 for none to 3 for emergency, so that levels can be compared."""
        return list(DangerLevel).index(self)


#: The levels that weigh on whoever answers.
HEAVY = (DangerLevel.URGENT, DangerLevel.EMERGENCY)


class CaseState(StrEnum):
    """Where a case stands."""

    WAITING = "waiting"
    HELD = "held"
    CLOSED = "closed"


class EntryKind(StrEnum):
    """Who put an entry into the thread."""

    VISITOR = "visitor"
    BOT = "bot"
    COLLEAGUE = "colleague"  # What an operator said in an earlier case of the same visitor.
    OPERATOR = "operator"
    NOTE = "note"  # For colleagues only; never leaves the desk.
    EVENT = "event"  # Something that happened to the case.


class Happening(StrEnum):
    """What an entry of kind ``event`` records."""

    OPENED = "opened"
    TAKEN = "taken"
    PICKED = "picked"
    RELEASED = "released"
    CLOSED = "closed"
    DANGER_RAISED = "danger_raised"
    LEFT = "left"
    UNREACHABLE = "unreachable"
    FORGOTTEN = "forgotten"
    # The two that bring a case back to the line without anybody's doing.
    UNANSWERED = "unanswered"
    AWAY = "away"
    PASSED_ON = "passed_on"  # From one operator to another.
    OVERDUE = "overdue"  # Nobody answered within the time of this danger level.
    CONSENT_REVOKED = "consent_revoked"
    EXPIRED = "expired"  # It was kept long enough.
    SET_ASIDE = "set_aside"  # Until a time that the visitor was told.
    WOKEN = "woken"


class Outcome(StrEnum):
    """How a case ended."""

    ADVICE_GIVEN = "advice_given"
    EMERGENCY_SERVICES = "emergency_services"
    CHILD_PROTECTION = "child_protection"
    LAW_ENFORCEMENT = "law_enforcement"
    HEALTHCARE = "healthcare"
    SCHOOL = "school"
    OTHER_ORGANISATION = "other_organisation"
    VISITOR_SILENT = "visitor_silent"
    NOT_FOR_US = "not_for_us"
    # The two that no operator chooses.
    LEFT = "left"
    FORGOTTEN = "forgotten"


class Face(StrEnum):
    """What a visitor says of a talk when it is over."""

    GOOD = "good"
    SO_SO = "so_so"
    BAD = "bad"


#: What an operator can choose from.
OPERATOR_OUTCOMES = tuple(item for item in Outcome if item not in (Outcome.LEFT, Outcome.FORGOTTEN))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rules need to know about a case."""

    state: CaseState
    danger: DangerLevel
    holder: UUID | None = None
    #: True once the visitor withdrew or can no longer be reached.
    gone: bool = False
    outcome: Outcome | None = None
    #: True once the visitor took their consent back.
    revoked: bool = False
    #: Until when its holder has set it aside; none while it is awake.
    aside_until: datetime | None = None


def taken(case: Standing, *, by: UUID) -> Standing:
    """The case after an operator took it from the queue."""
    if case.state is CaseState.CLOSED:
        raise CaseClosed
    if case.state is CaseState.HELD:
        raise CaseAlreadyHeld
    return replace(case, state=CaseState.HELD, holder=by)


def picked(case: Standing, *, by: UUID, reason: str) -> Standing:
    """The case after a supervisor took it past the queue, or out of a colleague's hands, for a reason."""
    if len(reason.strip()) < MIN_PICK_REASON:
        raise FormIncomplete("Please say in a few words why you take this case past the queue.")
    if case.state is CaseState.CLOSED:
        raise CaseClosed
    if case.holder == by:
        raise CaseAlreadyHeld("You hold this case already.")
    return replace(case, state=CaseState.HELD, holder=by, aside_until=None)


def released(case: Standing, *, by: UUID) -> Standing:
    """The case after its holder gave it back to the queue; a visitor who left has nothing to wait for."""
    _held(case, by=by)
    if case.gone:
        raise VisitorGone("The visitor has left, so nobody else can talk to them: close the case instead.")
    return replace(case, state=CaseState.WAITING, holder=None, aside_until=None)


def passed_on(case: Standing, *, by: UUID, to: UUID, note: str) -> Standing:
    """The case after its holder passed it to a colleague, with a note so that nobody asks twice."""
    _held(case, by=by)
    if case.gone:
        raise VisitorGone("The visitor has left, so there is nothing to pass on: close the case instead.")
    if to == by:
        raise FormIncomplete("Please choose a colleague.")
    if len(note.strip()) < MIN_PICK_REASON:
        raise FormIncomplete("Please say in a few words what your colleague should know.")
    return replace(case, holder=to, aside_until=None)


def set_aside(case: Standing, *, by: UUID, until: datetime, now: datetime) -> Standing:
    """The case after its holder set it aside until a time at which somebody writes to the visitor again."""
    written(case, by=by)
    if not now < until <= now + MAX_ASIDE:
        raise FormIncomplete("Please choose a time within the next two weeks.")
    return replace(case, aside_until=until)


def woken(case: Standing, *, here: bool) -> Standing:
    """The case after it woke: with its holder if they are here, else back in the line."""
    awake = replace(case, aside_until=None)
    return awake if here else returned(awake)


def returned(case: Standing) -> Standing:
    """The case after it went back to the queue by itself; one whose visitor left stays for its notes."""
    if case.holder is None:
        raise CaseNotHeld
    return released(case, by=case.holder)


def lapse(
    *,
    taken_at: datetime,
    awaits_since: datetime | None,
    present_at: datetime | None,
    watched_since: datetime,
    answer_within: timedelta,
    now: datetime,
) -> Happening | None:
    """Why a held case must go back to the queue, if it must.

    ``awaits_since`` is since when the visitor waits for the holder's answer, ``present_at`` when the holder's
    page was last seen. Nobody is blamed for a time when we were down ourselves: all counts from
    ``watched_since``.
    """
    if awaits_since is not None and now - max(awaits_since, watched_since) >= answer_within:
        return Happening.UNANSWERED
    if now - max(present_at or taken_at, taken_at, watched_since) >= AWAY_AFTER:
        return Happening.AWAY
    return None


def closed(case: Standing, *, by: UUID, outcome: Outcome) -> Standing:
    """The case after its holder closed it."""
    _held(case, by=by)
    if outcome not in OPERATOR_OUTCOMES:
        raise FormIncomplete("Please choose how this case ended.")
    return replace(case, state=CaseState.CLOSED, holder=None, outcome=outcome, aside_until=None)


def written(case: Standing, *, by: UUID) -> Standing:
    """The case after its holder wrote to the visitor: unchanged, if they may."""
    _held(case, by=by)
    if case.gone:
        raise VisitorGone
    return case


def noted(case: Standing, *, by: UUID) -> Standing:
    """The case after its holder wrote a note: unchanged, if they may; also when the visitor has left."""
    _held(case, by=by)
    return case


def heard(case: Standing, *, danger: DangerLevel) -> Standing:
    """The case after the visitor wrote; danger rises and never falls."""
    if case.state is CaseState.CLOSED or case.gone:
        raise CaseClosed
    return raised(case, danger=danger)


def raised(case: Standing, *, danger: DangerLevel) -> Standing:
    """The case after the bot reported a danger level; a closed case and a lower level change nothing."""
    if case.state is CaseState.CLOSED or danger.rank <= case.danger.rank:
        return case
    return replace(case, danger=danger)


def left(case: Standing) -> Standing:
    """The case after the visitor withdrew: nobody need wait, but a holder still files notes and a code."""
    if case.state is CaseState.WAITING:
        return replace(case, state=CaseState.CLOSED, gone=True, outcome=Outcome.LEFT)
    # Nothing is left to wait for.
    return replace(case, gone=True, aside_until=None)


def forgotten(case: Standing) -> Standing:
    """The case after the visitor asked for deletion: closed, whoever held it."""
    if case.state is CaseState.CLOSED:
        return replace(case, gone=True)
    return replace(
        case, state=CaseState.CLOSED, holder=None, gone=True, outcome=Outcome.FORGOTTEN, aside_until=None
    )


def may_be_rated(case: Standing) -> bool:
    """Whether the visitor may be asked how the talk was: never after an ambulance or a no."""
    unfit = (None, Outcome.EMERGENCY_SERVICES, Outcome.VISITOR_SILENT, Outcome.LEFT, Outcome.FORGOTTEN)
    return case.outcome not in unfit and not case.gone and not case.revoked


def mentioned(words: str, *, names: Iterable[str]) -> frozenset[str]:
    """The colleagues whom a note names with an @ before their name."""
    named = {found[1].rstrip(".-").lower() for found in _MENTION.finditer(words)}
    return frozenset(named & set(names))


def turn(danger: DangerLevel, *, received_at: datetime, number: UUID) -> tuple[int, datetime, UUID]:
    """Sorts the queue: more danger first, then the longer wait; the id only breaks ties."""
    return (-danger.rank, received_at, number)


def _held(case: Standing, *, by: UUID) -> None:
    if case.state is CaseState.CLOSED:
        raise CaseClosed
    if case.holder != by:
        raise CaseNotHeld
