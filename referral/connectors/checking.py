"""What does a connector's check find? Sentences for administrators: good, worth knowing, or in the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad a finding is."""

    GOOD = "good"
    NOTE = "note"  # Works, but somebody should know.
    BAD = "bad"  # Would be refused.


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    grade: Grade
    #: Where to look: a file with its line, or a setting.
    subject: str
    sentence: str


def good(subject: str, sentence: str) -> Finding:
    """Everything is well here."""
    return Finding(grade=Grade.GOOD, subject=subject, sentence=sentence)


def note(subject: str, sentence: str) -> Finding:
    """Nothing is refused for this."""
    return Finding(grade=Grade.NOTE, subject=subject, sentence=sentence)


def bad(subject: str, sentence: str) -> Finding:
    """This would be refused."""
    return Finding(grade=Grade.BAD, subject=subject, sentence=sentence)
