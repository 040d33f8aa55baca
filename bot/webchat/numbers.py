"""Which numbers does the page show when the chat itself cannot run, and how are they dialled by a tap?"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from markupsafe import Markup, escape

from bot.webchat.words import WORDS
from flows import directory
from flows.markup import plain, runs_of
from flows.model import Book

#: Shorter numbers are only dialled when the directory knows them: "112" is one, "24" is not.
_LONG = 7
#: The longest number there can be (ITU-T E.164).
_LONGEST = 15

_LINK = re.compile(r"https://[^\s<>\"'«»“”]+")
_AFTER_LINK = ".,;:!?…)]।"
_CANDIDATE = re.compile(
    r"(?<![\w+/.:-])"  # Not in the middle of a word, a date or an address,
    r"\+?\d+(?:[ \u00a0\u2011-]?\(\d+\)|[ \u00a0\u2011-]\d+)*"  # +375 (17) 263-03-03
    r"(?![\w/%-])"  # nor 24/7 or 100%.
)
_DATE = re.compile(r"\d{4}-\d{2,4}(-\d{2})?")
_ANY_SIGN = re.compile(r"\D")


def shown(book: Book, *, countries: Sequence[str]) -> Mapping[str, str]:
    """Locale to the helplines and emergency numbers of the deployment's countries, ready to read."""
    return {locale: _shown(book, locale=locale, countries=countries) for locale in WORDS}


def short(book: Book) -> frozenset[str]:
    """The numbers of the directory that are too short to be recognised as numbers, digits only."""
    countries = book.directory.countries.values()
    numbers = [row.number for country in countries for row in country.emergency]
    for country in countries:
        for line in country.lines:
            numbers.extend(directory.dialable(line.phones))
    bare = (_ANY_SIGN.sub("", number) for number in numbers)
    return frozenset(number for number in bare if 3 <= len(number) < _LONG)


def linked(text: str, *, dial: Collection[str] = ()) -> Markup:
    """The text as HTML in which numbers and https addresses are links; ``static/text.js`` does the same."""
    parts: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        address = found.group().rstrip(_AFTER_LINK)
        link = Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(address)
        parts += [_dialling(text[end : found.start()], dial=dial), link]
        end = found.start() + len(address)
    return Markup("").join([*parts, _dialling(text[end:], dial=dial)])


def dialled(written: str, *, dial: Collection[str] = ()) -> str | None:
    """What to dial for what is written, or None when it is no telephone number."""
    digits = "".join(str(int(sign)) for sign in written if sign.isdecimal())
    if _DATE.fullmatch(written) or len(digits) > _LONGEST:
        return None
    if len(digits) < _LONG and digits not in dial:
        return None
    return f"+{digits}" if written.startswith("+") else digits


def _dialling(text: str, *, dial: Collection[str]) -> Markup:
    parts: list[str] = []
    end = 0
    for found in _CANDIDATE.finditer(text):
        number = dialled(found.group(), dial=dial)
        if number is not None:
            link = Markup('<a href="tel:{}">{}</a>').format(number, found.group())
            parts += [escape(text[end : found.start()]), link]
            end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _shown(book: Book, *, locale: str, countries: Sequence[str]) -> str:
    helpline = directory.helpline(
        book.directory, book.texts, locale=locale, country=None, countries=countries
    )
    emergency = directory.emergency(
        book.directory, book.texts, locale=locale, country=None, countries=countries
    )
    return plain(runs_of(f"{helpline}\n{WORDS[locale].in_danger} {emergency}"))
