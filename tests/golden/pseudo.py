"""What if a language needs more letters? Our texts in a language of no people, longer and with accents."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from flows.directory import Country, Directory, Shown
from flows.model import Book
from flows.texts import DIRECTORY, Sheet, Text, Texts
from flows.wording import ENGINE_WORDS, MAX_TITLE

#: A code that no language will ever have (ISO 639 keeps qaa to qtz for local use).
PSEUDO = "qps"
SOURCE = "en"
#: How much longer a text may become on its way from English.
LONGER = 0.4
_ACCENTED = str.maketrans(string.ascii_letters, "åƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻḾÑÖÞǪŔŠŢÛṼŴẊÝŽ")
_PROTECTED = re.compile(r"(\{[^{}]*\}|\]\(https://[^)]*\)|https?://\S+)")


def accented(text: str) -> str:
    """The text with accents on every letter; placeholders and addresses stay."""
    parts = _PROTECTED.split(text)
    return "".join(part if number % 2 else part.translate(_ACCENTED) for number, part in enumerate(parts))


def longer(text: str, *, limit: int | None = None) -> str:
    """The accented text, made longer by ``LONGER``, as far as there is room."""
    size = round(len(text) * LONGER)
    if limit is not None:
        size = min(size, limit - len(text))
    return accented(text) + "~" * size


def pseudo(book: Book) -> Book:
    """The book with one more language, made from English."""
    made = {name: _sheet(sheet) for name, sheet in book.texts.sheets[SOURCE].items()}
    sheets = {locale: _naming_it(own) for locale, own in {**book.texts.sheets, PSEUDO: made}.items()}
    return replace(book, texts=Texts(sheets=sheets), directory=_directory(book.directory))


def _naming_it(own: Mapping[str, Sheet]) -> Mapping[str, Sheet]:
    """A language's sheets with the name of the new language among the languages to choose from."""
    titles = MappingProxyType({**own[DIRECTORY].choices, PSEUDO: accented("Pseudo")})
    return {**own, DIRECTORY: replace(own[DIRECTORY], choices=titles)}


def _sheet(sheet: Sheet) -> Sheet:
    return replace(
        sheet,
        locale=PSEUDO,
        file=sheet.file.replace(f"texts/{SOURCE}/", f"texts/{PSEUDO}/"),
        texts=MappingProxyType({key: _text(sheet, text) for key, text in sheet.texts.items()}),
        choices=_titles(sheet.choices),
        words={
            name: listed if name in ENGINE_WORDS else tuple(map(accented, listed))
            for name, listed in sheet.words.items()
        },
    )


def _text(sheet: Sheet, text: Text) -> Text:
    # The names of intents stand on buttons.
    limit = MAX_TITLE if sheet.name == "intents" else None
    return replace(text, text=longer(text.text, limit=limit), choices=_titles(text.choices))


def _titles(titles: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({slug: longer(title, limit=MAX_TITLE) for slug, title in titles.items()})


def _directory(directory: Directory) -> Directory:
    platforms = {
        slug: replace(
            platform,
            names={
                **platform.names,
                PSEUDO: accented(platform.names.get(SOURCE) or platform.names.get("", slug)),
            },
            steps={
                action: replace(steps, texts={**steps.texts, PSEUDO: longer(steps.texts[SOURCE])})
                for action, steps in platform.steps.items()
            },
        )
        for slug, platform in directory.platforms.items()
    }
    takedown = tuple(
        replace(link, name=accented(link.name), shown={PSEUDO: longer(link.shown[SOURCE])})
        for link in directory.takedown
        if SOURCE in link.shown
    )
    countries = {code: _country(country) for code, country in directory.countries.items()}
    return replace(directory, platforms=platforms, takedown=takedown, countries=countries)


def _country(country: Country) -> Country:
    """Names of lines and what a number is for; prose that a row has in no language is never shown."""
    lines = tuple(replace(line, shown={PSEUDO: Shown(name=longer(line.name))}) for line in country.lines)
    return replace(country, lines=lines)
