"""By what is a talk judged, and who may judge it? No database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from referral.errors import FormIncomplete, ReviewNotYours


class Dimension(StrEnum):
    """What a reviewer looks at: ours, after the rubrics of helplines; no psychologist has judged it yet."""

    OPENING = "opening"
    LISTENING = "listening"
    SAFETY = "safety"
    LANGUAGE = "language"
    HELP = "help"
    CLOSING = "closing"


#: From "not yet" to "fully"; what did not come up in a talk has no mark.
LOWEST, HIGHEST = 1, 3

Marks = Mapping[Dimension, int]


def checked(marks: Marks, *, reviewer: UUID, operator: UUID | None) -> Marks:
    """The marks as they are stored; raises ``ReviewNotYours`` or ``FormIncomplete``."""
    if operator is None or reviewer == operator:
        raise ReviewNotYours
    if not marks:
        raise FormIncomplete("Please give at least one mark.")
    if not all(LOWEST <= mark <= HIGHEST for mark in marks.values()):
        raise FormIncomplete("Please choose the marks from the form.")
    return marks
