"""How does a class answer together, and what may its teacher see? Codes, what is counted, and what is shown.

A teacher who could see how a number changes, or a number of one, would know who had answered what. So nothing
is shown before the class is closed, nothing below ``STEP``, and everything else in steps of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

#: So many pupils at least, and numbers in steps of it.
STEP = 5
#: A class that is larger is none, and a code that has spread through a school fills nobody's results.
MOST_PUPILS = 60
#: Digits, since every keyboard has them and no two look alike: a child reads Latin letters with difficulty.
CODE_DIGITS = 8
#: A link's campaign that leads into a class, such as ``class_48217390``.
_LINK = re.compile(rf"class_(\d{{{CODE_DIGITS}}})", re.ASCII)
#: How people write a code down.
_BETWEEN = str.maketrans("", "", " \u00a0-\u2013.")

#: What the engine keeps of a class: which news came last, the teacher's own class, and the pupil's.
NEWS = "my_class_news"
OPEN = "my_class_open"
CODE = "my_class_code"
LINK = "my_class_link"
ROOM = "my_class"

#: Question to answer to how many.
Counts = Mapping[str, Mapping[str, int]]


class ClassNews(StrEnum):
    """What became of a wish about a class."""

    # For its teacher.
    OPENED = "opened"
    COUNTED = "counted"
    RESULTS = "results"
    TOO_FEW = "too_few"
    GONE = "gone"
    OFTEN = "often"  # They have opened too many today.
    # For a pupil.
    JOINED = "joined"
    UNKNOWN = "unknown"
    FULL = "full"
    OWN = "own"  # It is the teacher who has typed their own code.
    TRIED_OFTEN = "tried_often"


FOR_PUPILS = (
    ClassNews.JOINED,
    ClassNews.UNKNOWN,
    ClassNews.FULL,
    ClassNews.OWN,
    ClassNews.TRIED_OFTEN,
)


def code_in(text: str) -> str | None:
    """The code that a text consists of, in digits of any script; None for anything else."""
    return digits_in(text, number=CODE_DIGITS)


def digits_in(text: str, *, number: int) -> str | None:
    """So many digits, of any script and however parted, that are all of a text; None for anything else."""
    signs = text.strip().translate(_BETWEEN)
    if len(signs) != number:
        return None
    digits = [unicodedata.decimal(sign, None) for sign in signs]
    return None if None in digits else "".join(map(str, digits))


def code_of_link(campaign: str | None) -> str | None:
    """The code that a link's campaign carries, if it leads into a class."""
    found = _LINK.fullmatch(campaign or "")
    return found[1] if found else None


def spoken(code: str) -> str:
    """A code in two groups, as it is read out."""
    half = CODE_DIGITS // 2
    return f"{code[:half]} {code[half:]}"


def in_steps(number: int) -> int:
    """A number as it may be shown: the largest step that it reaches, 0 below the first."""
    return max(number, 0) // STEP * STEP


def may_be_shown(counts: Counts) -> Counts:
    """What the teacher may see of the counts: questions that enough have answered, numbers in steps."""
    return {
        question: {answer: in_steps(number) for answer, number in answers.items()}
        for question, answers in counts.items()
        if sum(answers.values()) >= STEP
    }
