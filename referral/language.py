"""In which language, and by which clock, does the person read who asked for this?

Sentences are written in English where they are needed and looked up when they are shown: gettext's catalogues
lie in ``locales/``, one for each further language, and are read when the service starts. Who reads is known
from the request; work that nobody asked for reads English and UTC.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

LOCALES = Path(__file__).parent / "locales"
#: What the sentences are written in.
SOURCE = "en"
#: Where a language does not say it, how its dates are written: the day first, and 24 hours.
_CUSTOMS = {SOURCE: "en_GB"}
_MOST_MINUTES = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of the console."""

    #: What is stored, and stands in ``lang``: ``be``.
    tag: str
    #: How its dates and numbers are written.
    locale: Locale
    texts: catalogues.NullTranslations
    #: What the scripts say, by the English.
    in_scripts: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it calls itself: ``беларуская``."""
        return Locale.parse(self.tag).get_display_name() or self.tag

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, as ``dir`` has it."""
        return self.locale.text_direction


ENGLISH = Language(tag=SOURCE, locale=Locale.parse(_CUSTOMS[SOURCE]), texts=catalogues.NullTranslations())


class Languages:
    """The languages that the console can be read in: English, and each that has a catalogue in ``folder``."""

    def __init__(self, folder: Path = LOCALES) -> None:
        self._folder = folder

    @cached_property
    def offered(self) -> Mapping[str, Language]:
        """By tag, English first."""
        found = [_read(path) for path in sorted(self._folder.glob("*.po"))]
        return {language.tag: language for language in (ENGLISH, *found)}

    def wanted(self, accept_language: str) -> Language:
        """The first language of a browser's list that there is."""
        wishes = sorted(_wishes(accept_language), key=lambda wish: -wish[1])
        tag = negotiate_locale([tag for tag, weight in wishes if weight > 0], list(self.offered), sep="-")
        return self.offered[tag or SOURCE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, as far as words and times are concerned."""

    language: Language = ENGLISH
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


_reader: ContextVar[Reader] = ContextVar("_reader")


def reader() -> Reader:
    """Whoever reads what is being made now."""
    return _reader.get(None) or Reader()


def read_by(somebody: Reader) -> None:
    """From here on, for this request alone, somebody reads."""
    _reader.set(somebody)


def marked(text: str) -> str:
    """The same; tells the catalogues of words in a table that are looked up later, when they are shown."""
    return text


def gettext(text: str, /, **values: object) -> str:
    """These words in the reader's language, with ``%(name)s`` filled in."""
    # An empty text is the head of a catalogue.
    said = reader().language.texts.gettext(text) if text else ""
    return said % shown(values) if values else said


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """These words in the form that goes with a number, which they may call ``%(num)s``."""
    said = reader().language.texts.ngettext(one, many, number)
    return said % shown({"num": number, **values})


def shown(values: Mapping[str, object]) -> Mapping[str, object]:
    """What stands in for the placeholders: numbers as the reader writes them."""
    return {name: number(value) if type(value) is int else value for name, value in values.items()}


def number(value: float) -> str:
    """A number as the reader writes it."""
    # Bangla too with 0 to 9, as the bot's texts and the forms' fields have them.
    return format_decimal(value, locale=reader().language.locale)


def moment(at: datetime) -> str:
    """Day and time by the reader's clock."""
    pattern = str(reader().language.locale.datetime_formats["medium"])
    return pattern.replace("{1}", day(at)).replace("{0}", clock(at))


def clock(at: datetime) -> str:
    """The time of day by the reader's clock."""
    now = reader()
    return format_time(at, "short", tzinfo=now.zone, locale=now.language.locale)


def day(at: datetime) -> str:
    """The day by the reader's calendar."""
    now = reader()
    return format_date(at.astimezone(now.zone), "medium", locale=now.language.locale)


def span(time: timedelta) -> str:
    """A length of time in a few letters: ``5 min``, ``3 h``."""
    minutes = max(1, round(time.total_seconds() / 60))
    amount, unit = (minutes, "minute") if minutes < _MOST_MINUTES else (round(minutes / 60), "hour")
    return format_unit(amount, f"duration-{unit}", "short", locale=reader().language.locale)


def _read(path: Path) -> Language:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    scripts = {
        str(message.id): str(message.string)
        for message in catalogue
        if message.string and any(file.endswith(".js") for file, _ in message.locations)
    }
    locale = Locale.parse(_CUSTOMS.get(path.stem, path.stem))
    texts = catalogues.GNUTranslations(compiled)
    return Language(tag=path.stem, locale=locale, texts=texts, in_scripts=scripts)


def _wishes(accept_language: str) -> Sequence[tuple[str, float]]:
    """``ru;q=0.8`` is ("ru", 0.8)."""
    found = []
    for wish in accept_language.split(","):
        tag, _, weight = wish.strip().partition(";q=")
        try:
            found.append((tag.strip(), float(weight or 1)))
        except ValueError:
            continue
    return found
