"""How does a visitor ask from any device how their case stands? A private code, and what it may tell.

A code tells how far a case is and nothing else: no word of the talk, nor whether a wrong code was ever right.
"""

from __future__ import annotations

from enum import StrEnum

from flows.classroom import digits_in

#: Digits, as in a class's code, and two more: whoever reads one out cannot mistake it for the other.
CODE_DIGITS = 10
#: What ``branch: code`` finds where the visitor can be told a code.
GIVEN = "given"
#: Where a long number is parted when it is read out.
_PARTS = (3, 6)


class CaseNews(StrEnum):
    """What a code comes to."""

    WAITING = "waiting"
    LIVE = "live"
    CLOSED = "closed"
    UNKNOWN = "unknown"  # Never given, over, or erased: nobody is told which.
    OFTEN = "often"  # So many wrong codes came lately that none is looked at.
    LATER = "later"  # The desk does not answer at this moment.


#: The texts of ``report_status`` that the engine says itself.
TEXTS = tuple(f"code_{news}" for news in CaseNews)


def code_in(text: str) -> str | None:
    """The code that a text consists of, in digits of any script; None for anything else."""
    return digits_in(text, number=CODE_DIGITS)


def spoken(code: str) -> str:
    """A code in groups, as it is read out."""
    first, second = _PARTS
    return f"{code[:first]} {code[first:second]} {code[second:]}"
