"""Is every document complete, in every language? Checks of what is printed, in its writers' words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from flows.desk import DAYS, HOURS, MONTHS
from flows.model import BlockKind, Book, Document, Problem
from flows.page import did_you_mean
from flows.paper import points
from flows.texts import (
    COMMON,
    DIGITS,
    DOCUMENT_PLACEHOLDERS,
    ENGINE,
    PLACEHOLDERS,
    SLOT,
    Sheet,
    Text,
    placeholders,
)

#: Lists of ``engine.yaml`` that a date or an hour needs, and how many words each has.
LISTS = {MONTHS: 12, DAYS: 7, HOURS: 24, DIGITS: 10}
#: Kinds whose texts are lists; a language with a point less tells less.
_LISTED = (BlockKind.BULLETS, BlockKind.CHECKLIST)


def check_documents(book: Book) -> Iterator[Problem]:
    """Every problem of the documents: texts, pictures and lists that are missing, unused or unequal."""
    for locale in book.locales:
        yield from _lists(book, locale)
        for document in book.documents.values():
            yield from _missing(book, document, locale)
    for document in book.documents.values():
        yield from _unused(book, document)
        yield from _unequal(book, document)
    shown = {block.picture for document in book.documents.values() for block in document.blocks}
    for name in sorted(book.pictures.keys() - shown):
        yield Problem(
            file=f"documents/pictures/{name}.svg", line=0, sentence="no document shows this picture."
        )


def _lists(book: Book, locale: str) -> Iterator[Problem]:
    for name, size in LISTS.items():
        if book.documents and (found := len(book.texts.listed(name, locale=locale))) != size:
            sentence = f"the list '{name}' needs {size} words; it has {found}."
            yield Problem(file=f"texts/{locale}/{ENGINE}.yaml", line=0, sentence=sentence)


def _missing(book: Book, document: Document, locale: str) -> Iterator[Problem]:
    file = f"texts/{locale}/{document.sheet}.yaml"
    if document.sheet not in book.texts.sheets[locale]:
        yield Problem(file=file, line=0, sentence="the whole file is missing in this language.")
        return
    titles = {slug for sheet in _sheets(book, document) for slug in sheet.choices}
    for slug in sorted(titles - book.texts.sheets[locale][document.sheet].choices.keys()):
        yield Problem(file=file, line=0, sentence=f"the title of '{slug}' is missing in this language.")
    for key in document.keys:
        if _text(book, key, document=document, locale=locale) is None:
            sentence = f"the text '{key}', which the document shows, is missing in this language."
            yield Problem(file=file, line=0, sentence=sentence)


def _text(book: Book, key: str, *, document: Document, locale: str) -> Text | None:
    """The text of a key in this locale, without the fallback that hides a gap from visitors."""
    for name in (document.sheet, COMMON):
        sheet = book.texts.sheets[locale].get(name)
        if sheet and key in sheet.texts:
            return sheet.texts[key]
    return None


def _unused(book: Book, document: Document) -> Iterator[Problem]:
    """Texts that the document does not show, and placeholders that nothing fills."""
    known = {*PLACEHOLDERS, *DOCUMENT_PLACEHOLDERS, *(f"{SLOT}{slot}" for slot in document.slots)}
    answers = tuple(f"{slot.rstrip('*')}_" for slot in document.slots)
    for sheet in _sheets(book, document):
        for key, text in sheet.texts.items():
            plain = key.partition("@")[0]
            # A text such as 'my_course_kids' tells what an answer means.
            if plain not in document.keys and not plain.startswith(answers):
                hint = did_you_mean(plain, document.keys)
                sentence = f"the document '{document.name}' does not show the text '{key}'.{hint}"
                yield Problem(file=sheet.file, line=text.line, sentence=sentence)
            for name in sorted(placeholders(text.text) - known):
                sentence = f"'{key}' holds {{{name}}}, which nothing can fill.{did_you_mean(name, known)}"
                yield Problem(file=sheet.file, line=text.line, sentence=sentence)


def _sheets(book: Book, document: Document) -> list[Sheet]:
    return [own[document.sheet] for own in book.texts.sheets.values() if document.sheet in own]


def _unequal(book: Book, document: Document) -> Iterator[Problem]:
    """A list has as many points in one language as in another, in each of its variants."""
    lists = {key for block in document.blocks if block.kind in _LISTED for key in block.keys}
    for first, second in combinations(_sheets(book, document), 2):
        for key, text in first.texts.items():
            if key.partition("@")[0] in lists:
                yield from _compared(key, text, second, beside=first)


def _compared(key: str, text: Text, sheet: Sheet, *, beside: Sheet) -> Iterator[Problem]:
    other = sheet.texts.get(key)
    if other is not None and (found := len(points(other.text))) != (wanted := len(points(text.text))):
        sentence = f"the list '{key}' has {found} points, but {wanted} in '{beside.locale}'."
        yield Problem(file=sheet.file, line=other.line, sentence=sentence)
