"""Which daily tip comes next, and may one come today? A conversation keeps its tips in slots of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows.model import Book

#: ``on`` while tips come; flows branch on it.
COMING = "my_tips"
#: The name of the tip that came last, also after they were stopped: whoever wants them again goes on there.
LAST = "my_tip"
#: What the next call has to name, so that a late one for stopped tips can be told from a current one.
CALL = "my_tips_call"
#: The date of the last tip.
DAY = "my_tip_day"
#: How many more days pass without a tip.
QUIET = "my_tips_quiet"
#: So many days pass without a tip after danger was spoken of, or after a case was closed.
QUIET_DAYS = 3

#: Whose words a tip has, by the variant of its text; whoever has said no role reads the children's.
AUDIENCES: Mapping[str, str] = {"children": "", "parents": "@parent", "teachers": "@teacher"}

#: What becomes of the slots, by their names.
Changes = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What this day brings."""

    changes: Changes
    #: The tip to be said; empty when none is.
    tip: str
    #: Whether more will come.
    more: bool = True


def come(answers: Mapping[str, str]) -> bool:
    """Whether a tip comes each day, by what the slots hold."""
    return answers.get(COMING) == "on"


def begun(answers: Mapping[str, str], *, turn: int, book: Book) -> Changes:
    """For whoever asks for tips in this turn: on after the last one, or again from the first."""
    last = answers.get(LAST, "")
    return {COMING: "on", CALL: f"{turn}.0", LAST: last if _next(last, book=book) else ""}


def ended(answers: Mapping[str, str]) -> Changes:
    """For whoever wants no more tips."""
    return {COMING: "off"} if come(answers) else {}


def quiet(answers: Mapping[str, str]) -> Changes:
    """After danger was spoken of: no tips for some days."""
    return {QUIET: str(QUIET_DAYS)} if come(answers) else {}


def today(answers: Mapping[str, str], *, call: str, day: str, paused: bool, book: Book) -> Today | None:
    """What a call at the hour of tips leads to; None when it is not for these tips."""
    if not come(answers) or call != answers.get(CALL):
        return None
    after = {CALL: _renewed(call), DAY: day}
    if answers.get(DAY) == day:
        # Yesterday's call came only this morning, and the day has its tip.
        return Today(changes=after, tip="")
    if paused:
        return Today(changes={**after, **quiet(answers)}, tip="")
    days = answers.get(QUIET, "")
    if days.isdecimal() and int(days) > 0:
        return Today(changes={**after, QUIET: str(int(days) - 1)}, tip="")
    tip = _next(answers.get(LAST, ""), book=book)
    more = bool(_next(tip, book=book))
    return Today(changes={**after, LAST: tip, **({} if more else ended(answers))}, tip=tip, more=more)


def _renewed(call: str) -> str:
    """The name of the next call: each is good once."""
    since, _, number = call.rpartition(".")
    return f"{since}.{int(number) + 1 if number.isdecimal() else 0}"


def _next(last: str, *, book: Book) -> str:
    """The tip after this one; the first where there was none, nothing after the last."""
    names = list(book.tips)
    place = names.index(last) + 1 if last in names else 0
    return names[place] if place < len(names) else ""
