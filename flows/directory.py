"""Whom can this visitor call, and where do they press? The directory's rows in the visitor's language."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flows.texts import DIRECTORY, Texts, fill

#: Our files, and the names of those that a deployment may lay over them.
HELPLINES = "directory/helplines.yaml"
PLATFORMS = "directory/platforms.yaml"
#: Rows with this confidence are unsourced or conflicting and are never shown.
NEVER_SHOWN = "low"
CONFIDENCES = ("official", "secondary", NEVER_SHOWN)
ACTIONS = ("block", "report", "remove", "privacy", "restrict")
#: The platform that stands for every one that is not listed; it must know all actions that any other knows.
OTHER_PLATFORM = "other"
#: The key of the order of platforms for a country that has none of its own, or where it is unknown.
EVERYWHERE = "everywhere"
#: So many platforms are offered at once; with "another app" and "back" that is what a phone shows.
MAX_PLATFORMS = 7
#: Steps are read with the app open in the other hand.
MAX_STEPS = 240
#: Beyond this an estimate is no longer told in minutes.
LONGEST_WAIT_MINUTES = 60
#: A frightened child reads two lines, not six.
MAX_LINES = 2

#: The only hours that need no translation; others are prose, shown only where a row says them per locale.
_AROUND_THE_CLOCK = frozenset({"24/7", "24/7 including public holidays", "24/7 (stated)"})
_FOR_CHILDREN = re.compile(
    r"child|teen|kid|young|under \d|дет|дит|дзіц|শিশু|kinder|barn|børn|vaik|copil", re.I
)
#: What a phone turns into a link that dials: digits, with blanks, hyphens and brackets between them.
_DIALABLE = re.compile(r"\+?\d[\d ()-]*")
_TRAILING_NOTE = re.compile(r"\s*\([^()]*\)\s*$")
#: Numbers of one town stand behind its name; they are not shown, since nobody knows the visitor's town.
_NAMED = re.compile(r"[^\W\d_]+ ")
_DATE = re.compile(r"\d{4}(-\d{2})?")
_SMS = re.compile(r"(\S+) to (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a row says in one locale instead of its English prose; what is empty is left out or generic."""

    name: str = ""
    hours: str = ""
    cost: str = ""
    ages: str = ""
    #: What a caller of this line hears and is asked, as far as a source says so.
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One helpline, as ``helplines.yaml`` has it."""

    name: str
    phones: tuple[str, ...] = ()
    chat_url: str = ""
    sms: str = ""
    hours: str = ""
    cost: str = ""
    ages: str = ""
    languages: tuple[str, ...] = ()
    confidence: str = NEVER_SHOWN
    #: ``YYYY-MM`` of the last check, empty if unknown.
    checked: str = ""
    #: Locale to what is shown there.
    shown: Mapping[str, Shown] = field(default_factory=dict)

    @property
    def for_children(self) -> bool:
        """Whether the row names children or teenagers as those who call."""
        return bool(_FOR_CHILDREN.search(f"{self.name} {self.ages}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """One emergency number and, in English, what it is for."""

    number: str
    purpose: str
    #: Locale to what it is for.
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """The emergency numbers and the helplines of one country."""

    emergency: tuple[Emergency, ...] = ()
    lines: tuple[Line, ...] = ()
    #: The file that says so, for problems.
    file: str = HELPLINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A service with an address that works in any country."""

    name: str
    url: str
    #: Locale to whom it is for.
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What to press for one action on one platform."""

    #: Locale to steps.
    texts: Mapping[str, str]
    #: ``YYYY-MM`` in which the steps were compared with their source; empty for the usual way without one.
    checked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One app or site: its names, what children call it, and what to press there."""

    #: Locale to name; the empty locale stands for all others.
    names: Mapping[str, str]
    nicknames: tuple[str, ...] = ()
    steps: Mapping[str, Steps] = field(default_factory=dict)
    #: The file that says so, for problems.
    file: str = PLATFORMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Every number, address and step that Porchlight may give out."""

    countries: Mapping[str, Country] = field(default_factory=dict)
    international: tuple[Link, ...] = ()
    takedown: tuple[Link, ...] = ()
    platforms: Mapping[str, Platform] = field(default_factory=dict)
    #: Country, or ``everywhere``, to the platforms that children there use most, the most used first.
    most_used: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def common_platforms(self, country: str | None) -> tuple[str, ...]:
        """The platforms to offer first in a country; the one that stands for all others is not among them."""
        ranked = self.most_used.get(country or "", self.most_used.get(EVERYWHERE, ()))
        known = dict.fromkeys((*ranked, *self.platforms))
        return tuple(slug for slug in known if slug != OTHER_PLATFORM)[:MAX_PLATFORMS]

    def more_platforms(self, country: str | None) -> tuple[str, ...]:
        """Those that ``common_platforms`` leaves out, and last the one that stands for every other."""
        first = self.common_platforms(country)
        rest = (slug for slug in self.platforms if slug not in first and slug != OTHER_PLATFORM)
        return (*rest, OTHER_PLATFORM)

    def lines(self, country: str | None) -> tuple[Line, ...]:
        """The lines of a country that may be shown and can be reached, lines for children first."""
        entry = self.countries.get(country or "")
        if entry is None:
            return ()
        usable = [line for line in entry.lines if line.confidence != NEVER_SHOWN and _reachable(line)]
        usable.sort(key=lambda line: (not line.for_children, not dialable(line.phones)))
        return tuple(usable)

    def checked_before(self, month: str, *, countries: Sequence[str]) -> tuple[tuple[str, Line], ...]:
        """Country and line of each number of these countries last checked before ``YYYY-MM``, or never."""
        return tuple(
            (country, line)
            for country in countries
            for line in self.lines(country)
            if dialable(line.phones) and line.checked < month
        )


def date_of(text: str) -> str:
    """``YYYY-MM`` (or ``YYYY``) at the start of a source's date, else nothing."""
    found = _DATE.match(text)
    return found.group() if found else ""


def dialable(phones: Iterable[str]) -> tuple[str, ...]:
    """The numbers without their English notes; those with a word in front ('Brest +375…') are left out."""
    return tuple(bare for phone in phones if _DIALABLE.fullmatch(bare := _bare(phone)))


def undialable(phones: Iterable[str]) -> tuple[str, ...]:
    """The numbers that name no place before them and that no phone can dial, such as two in one."""
    bare = (_bare(phone) for phone in phones)
    return tuple(phone for phone in bare if not _DIALABLE.fullmatch(phone) and not _NAMED.match(phone))


def _bare(phone: str) -> str:
    return _TRAILING_NOTE.sub("", phone).strip()


def helpline(
    directory: Directory, texts: Texts, *, locale: str, country: str | None, countries: Sequence[str]
) -> str:
    """The helplines of the visitor's country, one a line, ready to read; there is always a number to call.

    For an unknown country: the first line of every country of the deployment, and the international list.
    """
    own = directory.lines(country)
    if own:
        return "\n".join(_line(line, texts, locale=locale) for line in own[:MAX_LINES])
    rows: list[str] = []
    if country in directory.countries:
        rows.append(emergency(directory, texts, locale=locale, country=country, countries=countries))
    else:
        for offered in countries:
            name = country_name(texts, locale=locale, country=offered)
            first = directory.lines(offered)[:1]
            rows.extend(f"{name}: {_line(line, texts, locale=locale)}" for line in first)
    links = directory.international[:1]
    rows.extend(_label(texts, "international", locale=locale, url=link.url) for link in links)
    return "\n".join(row for row in rows if row)


def helpline_short(
    directory: Directory, texts: Texts, *, locale: str, country: str | None, countries: Sequence[str]
) -> str:
    """Name and number of the country's first line; of every country of the deployment where it is unknown."""
    for line in directory.lines(country)[:1]:
        return _name_and_number(line, texts, locale=locale)
    if country in directory.countries:
        return emergency(directory, texts, locale=locale, country=country, countries=countries)
    rows: list[str] = []
    for offered in countries:
        name = country_name(texts, locale=locale, country=offered)
        first = directory.lines(offered)[:1]
        rows.extend(f"{name}: {_name_and_number(line, texts, locale=locale)}" for line in first)
    return "; ".join(rows)


def helpline_now(
    directory: Directory, texts: Texts, *, locale: str, country: str | None, countries: Sequence[str]
) -> str:
    """Name and number of the country's first line that answers day and night; else all, with their hours."""
    for line in directory.lines(country):
        if line.hours in _AROUND_THE_CLOCK and dialable(line.phones):
            return _name_and_number(line, texts, locale=locale)
    return helpline(directory, texts, locale=locale, country=country, countries=countries)


def call(directory: Directory, texts: Texts, *, locale: str, country: str | None) -> str:
    """Who picks up and what they ask: at the country's first line if that is known, else at any."""
    for line in directory.lines(country)[:1]:
        if locale in line.shown and line.shown[locale].call:
            return line.shown[locale].call
    return _label(texts, "call", locale=locale)


def write_instead(directory: Directory, texts: Texts, *, locale: str, country: str | None) -> str:
    """Where a child of this country can write instead of calling, below a sentence; else empty."""
    rows: list[str] = []
    for line in directory.lines(country):
        ways = _ways(line, texts, locale=locale) if line.for_children else []
        ages = line.shown.get(locale, Shown()).ages
        rows.extend(f"{_name(line, texts, locale=locale)}, {way}{ages and f' ({ages})'}" for way in ways[:1])
    lead = _label(texts, "write_instead", locale=locale)
    return "\n".join((lead, *rows[:MAX_LINES])) if rows else ""


def emergency(
    directory: Directory, texts: Texts, *, locale: str, country: str | None, countries: Sequence[str]
) -> str:
    """The country's emergency number; where it is unknown, those of the deployment's countries."""
    entry = directory.countries.get(country or "")
    if entry is not None:
        return _emergency(entry, texts, locale=locale)
    known = [
        f"{country_name(texts, locale=locale, country=offered)}: {_emergency(entry, texts, locale=locale)}"
        for offered in countries
        if (entry := directory.countries.get(offered)) and entry.emergency
    ]
    return "; ".join(known) or _label(texts, "emergency_unknown", locale=locale)


def numbers(directory: Directory, *, country: str | None, countries: Sequence[str]) -> tuple[str, ...]:
    """The number to dial of each helpline that ``helpline`` must name; the proofs look for these."""
    own = directory.lines(country)
    if own:
        return dialable(own[0].phones)[:1]
    if country in directory.countries:
        entry = directory.countries[country or ""]
        return tuple(row.number for row in (_for_all(entry) or entry.emergency)[:1])
    first = (directory.lines(offered)[:1] for offered in countries)
    return tuple(number for lines in first for line in lines for number in dialable(line.phones)[:1])


def country_name(texts: Texts, *, locale: str, country: str | None) -> str:
    """The country's name in this language, its code where nobody wrote one, or 'your country'."""
    if not country:
        return _label(texts, "your_country", locale=locale)
    return texts.title(country, flow=DIRECTORY, locale=locale) or country


def takedown(directory: Directory, *, locale: str) -> str:
    """The services that get intimate pictures taken down and that say in this language whom they are for."""
    return "\n".join(
        f"{link.name}: {link.url} ({link.shown[locale]})"
        for link in directory.takedown
        if locale in link.shown
    )


def place(texts: Texts, *, locale: str, role: str | None, number: int | None) -> str:
    """How many wait before the visitor, whose place counts from 1, or that it is not known at this moment."""
    if number is None:
        key, ahead = "place_unknown", None
    elif number <= 1:
        key, ahead = "place_next", None
    else:
        key, ahead = "place_known", number - 1
    found = texts.find(key, flow=DIRECTORY, locale=locale, role=role, number=ahead)
    return fill(found.text, {"number": texts.numeral(ahead or 0, locale=locale)}) if found else ""


def wait(texts: Texts, *, locale: str, minutes: int | None) -> str:
    """How long an answer took of late, or that it is not known; what it will take nobody can promise."""
    if minutes is None:
        key = "wait_unknown"
    elif minutes > LONGEST_WAIT_MINUTES:
        key = "wait_long"
    else:
        key = "wait_known"
    found = texts.find(key, flow=DIRECTORY, locale=locale, number=minutes if key == "wait_known" else None)
    return fill(found.text, {"number": texts.numeral(minutes or 0, locale=locale)}) if found else ""


def platform_name(directory: Directory, texts: Texts, *, locale: str, platform: str | None) -> str:
    """The platform's name in this language, or 'the app' where none was chosen."""
    entry = directory.platforms.get(platform or "")
    if entry is None:
        return _label(texts, "the_app", locale=locale)
    return entry.names.get(locale) or entry.names.get("", platform or "")


def steps(directory: Directory, texts: Texts, *, locale: str, platform: str | None, action: str) -> str:
    """What to press on this platform and when that was checked; the usual way where nothing is written."""
    own = _steps(directory, platform, action, locale=locale)
    if own is not None and platform != OTHER_PLATFORM:
        name = platform_name(directory, texts, locale=locale, platform=platform)
        label = "checked" if own.checked else "words_differ"
        return f"{name}: {own.texts[locale]} ({_label(texts, label, locale=locale, date=own.checked)})"
    usual = _steps(directory, OTHER_PLATFORM, action, locale=locale)
    return usual.texts[locale] if usual else _label(texts, "steps_unknown", locale=locale)


def _steps(directory: Directory, platform: str | None, action: str, *, locale: str) -> Steps | None:
    entry = directory.platforms.get(platform or "")
    found = entry.steps.get(action) if entry else None
    return found if found is not None and locale in found.texts else None


def _reachable(line: Line) -> bool:
    return bool(dialable(line.phones) or line.chat_url.startswith("http") or _SMS.match(line.sms))


def _label(texts: Texts, key: str, *, locale: str, **values: str) -> str:
    return fill(texts.label(key, locale=locale) or "", values)


def _script(text: str) -> str:
    """The alphabet that most letters of a text belong to, such as ``CYRILLIC``."""
    letters = Counter(unicodedata.name(sign, "").split(" ")[0] for sign in text if sign.isalpha())
    return letters.most_common(1)[0][0] if letters else ""


def _name(line: Line, texts: Texts, *, locale: str) -> str:
    """The row's name for this locale, else the part in the visitor's alphabet, else a generic one."""
    if locale in line.shown and line.shown[locale].name:
        return line.shown[locale].name
    generic = _label(texts, "child_line" if line.for_children else "help_line", locale=locale)
    parts = [part.strip() for part in re.split(r"[()]", line.name) if part.strip()]
    readable = [part for part in parts if _script(part) == _script(generic)]
    return readable[0] if readable else generic


def _name_and_number(line: Line, texts: Texts, *, locale: str) -> str:
    reach = list(dialable(line.phones))
    if not reach:
        reach = _ways(line, texts, locale=locale)[:1]
    return f"{_name(line, texts, locale=locale)}: {', '.join(reach)}"


def _ways(line: Line, texts: Texts, *, locale: str) -> list[str]:
    ways: list[str] = []
    if found := _SMS.match(line.sms):
        ways.append(_label(texts, "sms", locale=locale, word=found[1], number=found[2]))
    if line.chat_url.startswith("http"):
        ways.append(_label(texts, "chat", locale=locale, url=line.chat_url))
    return ways


def _line(line: Line, texts: Texts, *, locale: str) -> str:
    shown = line.shown.get(locale, Shown())
    notes: list[str] = []
    if shown.cost or line.cost.startswith(("free", "toll-free")):
        notes.append(shown.cost or _label(texts, "free", locale=locale))
    if shown.hours or line.hours in _AROUND_THE_CLOCK:
        notes.append(shown.hours or _label(texts, "around_the_clock", locale=locale))
    if shown.ages and not line.for_children:
        notes.append(shown.ages)
    spoken = [name for code in line.languages if (name := _label(texts, f"language_{code}", locale=locale))]
    if spoken and locale not in line.languages:
        notes.append(_label(texts, "languages", locale=locale, list=", ".join(spoken)))
    if dialable(line.phones):
        notes += _ways(line, texts, locale=locale)
    if line.checked:
        notes.append(_label(texts, "checked", locale=locale, date=line.checked))
    text = _name_and_number(line, texts, locale=locale)
    return f"{text} ({'; '.join(note for note in notes if note)})" if any(notes) else text


def _for_all(entry: Country) -> tuple[Emergency, ...]:
    """The numbers that police, ambulance and fire service all answer."""
    return tuple(
        row
        for row in entry.emergency
        if row.purpose.startswith(("all", "emergency")) or "police, ambulance" in row.purpose
    )


def _emergency(entry: Country, texts: Texts, *, locale: str) -> str:
    """One number where one serves for all, else each with what it is for."""
    for row in _for_all(entry):
        return row.number
    named: list[str] = []
    for row in entry.emergency:
        kinds = [
            word
            for kind in ("police", "ambulance", "fire")
            if kind in row.purpose and (word := _label(texts, f"emergency_{kind}", locale=locale))
        ]
        purpose = row.shown.get(locale) or ", ".join(kinds)
        named.append(f"{row.number} ({purpose})" if purpose else row.number)
    return ", ".join(named) or _label(texts, "emergency_unknown", locale=locale)
