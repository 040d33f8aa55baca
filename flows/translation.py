"""What does a translator have to know of each text, and may what they send back go in?

A unit is one text, one button's title or one list of words, with its words in two languages and what is
known of its place. What comes back is taken whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flows import plural
from flows.directory import MAX_STEPS
from flows.model import ROLES, AskNode, Book, Flow, text_keys
from flows.page import did_you_mean
from flows.texts import (
    DIRECTORY,
    INTENTS,
    PLACEHOLDERS,
    SHARED,
    SLOT,
    Sheet,
    Text,
    form_of,
    placeholders,
    plain_key,
)
from flows.wording import ENGINE_WORDS, MAX_MESSAGE, MAX_TITLE

#: The code of a language.
LOCALE = re.compile(r"[a-z]{2,3}")
#: The file of the directory that holds what to press on each platform, as a sheet of its own here.
PLATFORMS = "directory/platforms"
#: The part of a platform that is its name; the others are actions.
NAME = "name"
#: So many places that say a common text are named to the translator; they are examples.
MAX_PLACES = 5
#: Between the words of a list, such as what counts as yes.
BETWEEN_WORDS = ", "
_AUDIENCE = {
    "child": "children under 13",
    "teen": "children of 13 to 17",
    "parent": "parents",
    "teacher": "teachers",
}


class Kind(StrEnum):
    """What a visitor sees of a unit."""

    MESSAGE = "message"
    BUTTON = "button"
    WORDS = "words"  # A list: mostly of what visitors write, which is only understood and never said.


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a unit stands: a sheet, a key (empty for titles of the whole sheet), a button (or empty)."""

    sheet: str
    key: str
    slug: str = ""

    def __str__(self) -> str:
        return ":".join([self.sheet, self.key, self.slug] if self.slug else [self.sheet, self.key])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One text to translate."""

    spot: Spot
    kind: Kind
    source: str
    #: What the target language says now; empty where it says nothing.
    target: str
    #: The most letters that fit; 0 where nothing is shown.
    limit: int
    #: What the translation has to hold, without braces.
    placeholders: frozenset[str]
    #: The nodes that say it, ``flow.node``; of a common text some of them.
    places: tuple[str, ...]
    audience: str
    #: Some of the numbers that this form goes with; empty for a text without forms.
    numbers: tuple[int, ...]
    #: The file of the source, inside the content folder, and the line (0: unknown).
    file: str
    line: int

    @property
    def note(self) -> str:
        """All of that for a human reader."""
        said = f", at {', '.join(self.places)}" if self.places else ""
        about = f"{self.kind.capitalize()}{said}. For {self.audience}."
        if self.numbers:
            about += f" Said with the numbers {', '.join(map(str, self.numbers))} and others like them."
        if self.spot.sheet == DIRECTORY and LOCALE.fullmatch(self.spot.slug):
            about += " The name of the language, in that language."
        if self.spot.key in ENGINE_WORDS:
            about += " What visitors write, with commas between: give the words of your language."
        elif self.kind is Kind.WORDS:
            about += " A list, with commas between, in the order of the original."
        meant = (f"{{{name}}}: {_meaning(name)}." for name in sorted(self.placeholders))
        return " ".join([about, *meant])


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """One unit as it came back."""

    spot: str
    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a file of translations means for the sheets of its language."""

    #: What changes, and into which words.
    changes: Mapping[Spot, str]
    #: Why nothing may change; empty when all is right.
    problems: tuple[str, ...]
    #: Texts whose original has changed since the file was written; they stay as they are.
    stale: tuple[str, ...]
    #: How many texts the file leaves without words.
    empty: int


def units(book: Book, *, source: str, target: str) -> tuple[Unit, ...]:
    """Everything that is said in either language, sheet by sheet; ``target`` may be a new language."""
    ours = book.texts.sheets.get(target, {})
    names = dict.fromkeys([*book.texts.sheets[source], *ours])
    of_sheets = tuple(
        unit
        for name in sorted(names)
        for unit in _sheet(
            book,
            name,
            source=source,
            target=target,
            theirs=book.texts.sheets[source].get(name),
            ours=ours.get(name),
        )
    )
    of_sheets += tuple(_platforms(book, source=source, target=target))
    own_name = Spot(sheet=DIRECTORY, key="", slug=target)
    if any(unit.spot == own_name for unit in of_sheets):
        return of_sheets
    # A new language is offered to visitors under its own name, which no other language has yet.
    places = _asked(book, slug=target, sheet=DIRECTORY)
    return (*of_sheets, _title(book, own_name, target, "", places=places, file="", line=0))


def merge(wanted: Sequence[Unit], came: Iterable[Translated]) -> Merged:
    """Compare what came back with the units that were to be translated."""
    known = {str(unit.spot): unit for unit in wanted}
    seen: set[str] = set()
    changes: dict[Spot, str] = {}
    problems: list[str] = []
    stale: list[str] = []
    empty = 0
    for item in came:
        unit = known.get(item.spot)
        if unit is None:
            problems.append(f"there is no text '{item.spot}'.{did_you_mean(item.spot, known)}")
        elif item.spot in seen:
            problems.append(f"'{item.spot}' stands twice in the file.")
        elif not (words := item.target.strip()):
            empty += 1
        elif words == unit.target:
            pass
        elif item.source.strip() != unit.source:
            stale.append(item.spot)
        else:
            problems += _problems(unit, words)
            changes[unit.spot] = words
        seen.add(item.spot)
    return Merged(changes=changes, problems=tuple(problems), stale=tuple(stale), empty=empty)


def words_of(listed: str) -> tuple[str, ...]:
    """The words of a list that came back as one text."""
    return tuple(word for part in listed.split(BETWEEN_WORDS.strip()) if (word := part.strip()))


def _problems(unit: Unit, words: str) -> Iterator[str]:
    found = placeholders(words)
    for name in sorted(unit.placeholders - found):
        yield f"'{unit.spot}' lost {{{name}}}: put it back where it belongs in the sentence."
    for name in sorted(found - unit.placeholders):
        yield f"'{unit.spot}' holds {{{name}}}, which the original does not."
    if unit.limit and len(words) > unit.limit:
        yield f"'{unit.spot}' is {len(words)} letters long; at most {unit.limit} fit: '{words}'."
    if unit.kind is Kind.WORDS and not words_of(words):
        yield f"'{unit.spot}' holds no word."


def _sheet(
    book: Book, name: str, *, source: str, target: str, theirs: Sheet | None, ours: Sheet | None
) -> Iterator[Unit]:
    for key in _keys(theirs, ours, target=target):
        text = _original(theirs, key)
        own = ours.texts.get(key) if ours else None
        original = text or _said(book, key, sheet=name, source=source, target=target)
        places = _places(book, key=plain_key(key), sheet=name)
        numbers = plural.examples(form_of(key), locale=target)
        yield _message(book, name, key, original=original, text=text, own=own, places=places, numbers=numbers)
        for slug in _both(_own_titles(theirs, key), _own_titles(ours, key)):
            title = book.texts.title(slug, flow=name, locale=source, text=original) or ""
            yield _title(
                book, Spot(sheet=name, key=key, slug=slug), title, own.choices.get(slug, "") if own else "",
                places=places, file=original.file if original else "", line=original.line if original else 0,
            )  # fmt: skip
    for slug in _both(theirs.choices if theirs else {}, ours.choices if ours else {}):
        title = book.texts.title(slug, flow=name, locale=source) or ""
        yield _title(
            book, Spot(sheet=name, key="", slug=slug), title, ours.choices.get(slug, "") if ours else "",
            places=_asked(book, slug=slug, sheet=name), file=theirs.file if theirs else "", line=0,
        )  # fmt: skip
    for listed in _both(theirs.words if theirs else {}, ours.words if ours else {}):
        yield _words(book, name, listed, theirs=theirs, ours=ours)


def _platforms(book: Book, *, source: str, target: str) -> Iterator[Unit]:
    """What to press on each platform, and names that differ from language to language."""
    for slug, platform in book.directory.platforms.items():
        if platform.file != f"{PLATFORMS}.yaml":
            # A deployment's own directory is its own to translate.
            continue
        if platform.names.get(source):
            names = platform.names
            yield _of_platform(f"{slug}.{NAME}", names, source=source, target=target, limit=MAX_TITLE)
        for action, steps in platform.steps.items():
            yield _of_platform(f"{slug}.{action}", steps.texts, source=source, target=target, limit=MAX_STEPS)


def _of_platform(key: str, words: Mapping[str, str], *, source: str, target: str, limit: int) -> Unit:
    return Unit(
        spot=Spot(sheet=PLATFORMS, key=key),
        kind=Kind.BUTTON if key.endswith(f".{NAME}") else Kind.MESSAGE,
        source=words.get(source, ""),
        target=words.get(target, ""),
        limit=limit,
        placeholders=frozenset(),
        places=(),
        audience="anybody; buttons are named as the app shows them",
        numbers=(),
        file=f"{PLATFORMS}.yaml",
        line=0,
    )


def _keys(theirs: Sheet | None, ours: Sheet | None, *, target: str) -> tuple[str, ...]:
    """The keys of both sheets; of a text with forms those of the target language, whatever the source has."""
    found: list[str] = []
    for key in theirs.texts if theirs else ():
        found += [_formed(key, form) for form in plural.forms(target)] if form_of(key) else [key]
    return _both(found, ours.texts if ours else ())


def _formed(key: str, form: str) -> str:
    """The same key with another form."""
    _, at, variant = key.partition("@")
    return f"{plain_key(key)}#{form}{at}{variant}"


def _original(sheet: Sheet | None, key: str) -> Text | None:
    """The text of a key in the source; where that language lacks the form, that of most numbers."""
    if sheet is None or key in sheet.texts or not form_of(key):
        return sheet.texts.get(key) if sheet else None
    return sheet.texts.get(_formed(key, plural.forms(sheet.locale)[-1]))


def _both(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))


def _said(book: Book, key: str, *, sheet: str, source: str, target: str) -> Text | None:
    """What a variant that only one language has stands for in another."""
    variant = key.partition("@")[2]
    role = variant if variant in ROLES else None
    country = None if role else variant or None
    number = next(iter(plural.examples(form_of(key), locale=target)), None)
    return book.texts.find(
        plain_key(key), flow=sheet, locale=source, role=role, country=country, number=number
    )


def _own_titles(sheet: Sheet | None, key: str) -> Mapping[str, str]:
    """The titles that a text has of its own; a variant's are those that differ from the plain text's."""
    text = sheet.texts.get(key) if sheet else None
    if sheet is None or text is None:
        return {}
    plain = sheet.texts.get(key.partition("@")[0])
    inherited = plain.choices if plain is not None and plain is not text else {}
    return {slug: title for slug, title in text.choices.items() if inherited.get(slug) != title}


def _message(
    book: Book, name: str, key: str, *, original: Text | None, text: Text | None, own: Text | None,
    places: tuple[str, ...], numbers: tuple[int, ...],
) -> Unit:  # fmt: skip
    binding = text or own
    return Unit(
        spot=Spot(sheet=name, key=key),
        kind=Kind.BUTTON if name == INTENTS else Kind.MESSAGE,
        source=original.text if original else "",
        target=own.text if own else "",
        limit=MAX_TITLE if name == INTENTS else MAX_MESSAGE,
        placeholders=placeholders(binding.text) if binding else frozenset(),
        places=places,
        audience=_audience(book, name, key),
        numbers=numbers,
        file=original.file if original else "",
        line=original.line if original else 0,
    )


def _title(
    book: Book, spot: Spot, title: str, own: str, *, places: tuple[str, ...], file: str, line: int
) -> Unit:
    return Unit(
        spot=spot,
        kind=Kind.BUTTON,
        source=title,
        target=own,
        limit=MAX_TITLE,
        placeholders=frozenset(),
        places=places,
        audience=_audience(book, spot.sheet, spot.key),
        numbers=(),
        file=file,
        line=line,
    )


def _words(book: Book, name: str, listed: str, *, theirs: Sheet | None, ours: Sheet | None) -> Unit:
    return Unit(
        spot=Spot(sheet=name, key=listed),
        kind=Kind.WORDS,
        source=BETWEEN_WORDS.join(theirs.words.get(listed, ()) if theirs else ()),
        target=BETWEEN_WORDS.join(ours.words.get(listed, ()) if ours else ()),
        limit=0,
        placeholders=frozenset(),
        places=(),
        audience=_audience(book, name, listed),
        numbers=(),
        file=theirs.file if theirs else "",
        line=0,
    )


def _audience(book: Book, sheet: str, key: str) -> str:
    variant = key.partition("@")[2]
    if variant:
        return _AUDIENCE.get(variant, f"visitors in {variant}")
    flow = book.flows.get(sheet)
    return (flow.about.audience if flow else "") or "anybody"


def _flows(book: Book, sheet: str) -> Iterable[Flow]:
    if sheet in SHARED:
        return book.flows.values()
    return (book.flows[sheet],) if sheet in book.flows else ()


def _places(book: Book, *, key: str, sheet: str) -> tuple[str, ...]:
    found = [f"the document {sheet}"] if sheet in book.documents else []
    found += [
        f"{flow.name}.{name}"
        for flow in _flows(book, sheet)
        for name, node in flow.nodes.items()
        if key in text_keys(node)
    ]
    return tuple(found[:MAX_PLACES])


def _asked(book: Book, *, slug: str, sheet: str) -> tuple[str, ...]:
    found = [
        f"{flow.name}.{name}"
        for flow in _flows(book, sheet)
        for name, node in flow.nodes.items()
        if isinstance(node, AskNode) and slug in node.choices
    ]
    return tuple(found[:MAX_PLACES])


def _meaning(name: str) -> str:
    if name.startswith(SLOT):
        return "what the visitor answered"
    return PLACEHOLDERS.get(name, "filled in by the program")
