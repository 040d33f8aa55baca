"""How one of our messages looks in a messenger: who speaks, where a long text is cut, how buttons stand."""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from bot.messages import Button, Outgoing, Run

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


def words_of(message: Outgoing) -> tuple[Run, ...]:
    """What is said, below the line that tells an operator from the program."""
    if message.sender == "operator":
        line = _OPERATOR_LINES.get(message.locale, _OPERATOR_LINES["en"])
        return (Run(text=f"{line}\n{message.text.strip()}"),)
    return message.runs or (Run(text=message.text),)


def parts_of(runs: Sequence[Run], *, limit: int) -> list[tuple[Run, ...]]:
    """The words as one or more messages of at most ``limit`` UTF-16 units each.

    Bold words and links are cut only where there is no other place.
    """
    text = "".join(run.text for run in runs)
    inside = _inside(runs)
    parts = []
    begin = _skip(text, 0)
    while units(text[begin:].rstrip()) > limit:
        cut = _cut(text, begin, limit=limit, inside=inside)
        parts.append(_between(runs, begin, begin + len(text[begin:cut].rstrip())))
        begin = _skip(text, cut)
    return [*parts, _between(runs, begin, begin + len(text[begin:].rstrip()))]


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


def _inside(runs: Sequence[Run]) -> frozenset[int]:
    """The places within bold words and links."""
    places: set[int] = set()
    begin = 0
    for run in runs:
        end = begin + len(run.text)
        if run.bold or run.link:
            places.update(range(begin + 1, end))
        begin = end
    return frozenset(places)


def _between(runs: Sequence[Run], begin: int, end: int) -> tuple[Run, ...]:
    """The runs from one place to another, the first and the last perhaps cut."""
    found = []
    place = 0
    for run in runs:
        text = run.text[max(begin - place, 0) : max(end - place, 0)]
        if text:
            found.append(replace(run, text=text))
        place += len(run.text)
    return tuple(found)


def _skip(text: str, place: int) -> int:
    """The first place from here on that is no space."""
    return len(text) - len(text[place:].lstrip())


def _cut(text: str, begin: int, *, limit: int, inside: frozenset[int]) -> int:
    """Where the part that begins here ends, when all that is left is too long for one."""
    longest = begin + _longest(text[begin:], limit)
    # A cut too early would leave a crumb; a worse place further on reads better.
    least = begin + (longest - begin) // 3
    for forbidden in (inside, frozenset[int]()):
        for pattern in _CUTS:
            found = [space.start() for space in pattern.finditer(text, begin, longest + 1)]
            places = [place for place in found if least <= place <= longest and place not in forbidden]
            if places:
                return places[-1]
    # One endless word. What belongs to the letter before it (a vowel sign, an emoji's skin) stays with it.
    for place in range(longest, max(longest - 16, begin + 1), -1):
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
