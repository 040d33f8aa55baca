"""How one of our messages looks in a messenger: who speaks, where a long text is cut, how buttons stand."""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence

from bot.messages import Button, Outgoing

#: Titles up to this length fit beside each other on a narrow phone, in at most two rows.
SHORT_TITLE = 14
SHORT_CHOICES = 4

#: Stands above an operator's words, so that a person can be told from the program.
_OPERATOR_LINES = {
    "en": "👤 Helpline:",
    "ru": "👤 Линия помощи:",
    "be": "👤 Лінія дапамогі:",
    "bn": "👤 হেল্পলাইন:",
}

# Where a long text is cut, the best place first: paragraph, line, sentence (a danda ends it in Bangla), word.
_CUTS = tuple(re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?…।])\s+", r"\s+"))

_ZERO_WIDTH_JOINER = "\u200d"

#: So many half-delivered messages are remembered.
_REMEMBERED = 1_000


def units(text: str) -> int:
    """The length in UTF-16 code units, which is how messengers count."""
    return len(text) + sum(character > "\uffff" for character in text)


def parts_of(message: Outgoing, *, limit: int) -> list[str]:
    """The message's text as one or more messages of at most ``limit`` UTF-16 units each."""
    text = message.text.strip()
    if message.sender == "operator":
        text = f"{_OPERATOR_LINES.get(message.locale, _OPERATOR_LINES['en'])}\n{text}"
    parts = []
    while units(text) > limit:
        cut = _cut(text, limit)
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text]


def columns_of(choices: Sequence[Button]) -> int:
    """Two where all titles are short and few, else one."""
    short = all(len(choice.title) <= SHORT_TITLE for choice in choices)
    return 2 if short and 1 < len(choices) <= SHORT_CHOICES else 1


def rows_of(choices: Sequence[Button]) -> list[Sequence[Button]]:
    """The choices row by row."""
    columns = columns_of(choices)
    return [choices[start : start + columns] for start in range(0, len(choices), columns)]


class Progress:
    """Which parts of a long message have gone out already, for when a later part must be tried again."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, int] = OrderedDict()

    def of(self, number: str) -> int:
        """How many parts of the delivery with this number were sent."""
        return self._sent.get(number, 0)

    def sent(self, number: str) -> None:
        """Note that one more part was sent; a delivery without a number is never tried again."""
        if not number:
            return
        self._sent[number] = self.of(number) + 1
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def done(self, number: str) -> None:
        """Forget a delivery that is complete or that will never be."""
        self._sent.pop(number, None)


def _cut(text: str, limit: int) -> int:
    """Where the first part of a text that is too long ends."""
    longest = _longest(text, limit)
    for pattern in _CUTS:
        # A cut too early would leave a crumb; a worse place further on reads better.
        ends = [found.start() for found in pattern.finditer(text, 0, longest + 1) if found.start() <= longest]
        if ends and ends[-1] >= longest // 3:
            return ends[-1]
    # One endless word. What belongs to the letter before it (a vowel sign, an emoji's skin) stays with it.
    for place in range(longest, max(longest - 16, 1), -1):
        if not _continues(text, place):
            return place
    return longest


def _longest(text: str, limit: int) -> int:
    """How many characters fit into this many units."""
    if units(text[:limit]) <= limit:
        return limit
    room = limit
    for place, character in enumerate(text):
        room -= 2 if character > "\uffff" else 1
        if room < 0:
            return place
    return len(text)


def _continues(text: str, place: int) -> bool:
    return (
        unicodedata.category(text[place]).startswith("M")
        or unicodedata.category(text[place]) == "Sk"
        or _ZERO_WIDTH_JOINER in text[place - 1 : place + 1]
    )
