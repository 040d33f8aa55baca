"""Which words belong to a key, for this visitor? Texts with variants, button titles and placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from flows import plural
from flows.review import NOT_YET

#: The scope whose texts and titles every flow may use. ``engine.yaml`` holds what the engine itself says and
#: belongs to the same scope; a key in ``common.yaml`` outranks it.
COMMON = "common"
ENGINE = "engine"
DIRECTORY = "directory"
INTENTS = "intents"
TIPS = "tips"
#: A list of ``engine.yaml``: the digits from zero to nine.
DIGITS = "digits"
#: Text files that belong to no flow.
SHARED = (COMMON, ENGINE, DIRECTORY, INTENTS, TIPS)
#: Where a text is looked for when the visitor's locale lacks it; a check makes sure that it never does.
FALLBACK_LOCALE = "en"

#: Every placeholder that a text may hold, and what it becomes.
PLACEHOLDERS: Mapping[str, str] = {
    "helpline": "the helplines of the visitor's country, with hours, cost and the date of the last check",
    "helpline_short": "name and number of the first helpline",
    "helpline_now": "name and number of the first helpline that answers day and night",
    "emergency": "the emergency number",
    "call": "who picks up at the first helpline and what they ask first",
    "write_instead": "where children can write instead of calling, on lines of its own; empty if nowhere",
    "choices": "the buttons of this question, a line each, behind the digits that answer it too",
    "country": "the name of the visitor's country",
    "why": "the reasons of the assessment, from the visitor's answers",
    "place": "the visitor's place in the line and how long an answer took of late, or that it is not known",
    "case_code": "the private code by which the visitor can ask from any device how their case stands",
    "desk": "that nobody is at the helpline's desk, and when people are back or that this is not known",
    "platform": "the name of the platform that the visitor chose",
    "takedown": "the services that get intimate pictures taken down",
    "block_steps": "how to block somebody on the platform that the visitor chose",
    "report_steps": "how to report there",
    "remove_steps": "how to get something removed there",
    "privacy_steps": "how to protect an account there",
    "restrict_steps": "how to keep somebody at a distance there without blocking",
    "class_code": "the code of the teacher's class, as it is read out",
    "class_link": "the page on which pupils join that class",
    "class_pupils": "how many pupils have joined it, in steps",
    "not_reviewed": "that professionals have not reviewed these texts, as long as that is so",
    "reviewed_texts": "how many files of texts professionals have reviewed in this language",
    "all_texts": "how many files of texts there are in this language",
}
#: The placeholder that is filled with the buttons of the question in which it stands.
CHOICES = "choices"
#: ``{slot:name}`` is what the visitor answered: the text ``name_answer``, the button's title, or their words.
SLOT = "slot:"
#: Placeholders that only a document may hold besides.
DOCUMENT_PLACEHOLDERS: Mapping[str, str] = {"date": "the day on which the document is made"}
#: ``{bars:question}`` is what a class chose at a question of ``class_survey``, a line for each answer.
BARS = "bars:"
#: Placeholders of the directory's own label texts, filled by ``flows.directory`` alone.
LABEL_PLACEHOLDERS = frozenset(
    {"name", "number", "url", "date", "word", "list", "when", "time", "day", "hour", "minutes"}
)

_MARK = re.compile(r"[#@]")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text in one locale, with its own button titles and where an editor finds it."""

    text: str
    choices: Mapping[str, str] = field(default_factory=dict)
    #: ``flow.key``, which names the text in tests and statistics; the engine's own stand under ``common``.
    name: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One text file: ``texts/<locale>/<name>.yaml``."""

    name: str
    locale: str
    file: str
    #: ``not yet``, or who reviewed these texts and when.
    reviewed: str
    #: Key (with its form and variant, such as ``tell@parent`` or ``place_known#few``) to text.
    texts: Mapping[str, Text]
    #: Titles that every question of this sheet may use.
    choices: Mapping[str, str]
    #: Lists of words, such as what counts as yes; only ``engine.yaml`` has any.
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All sheets of all locales."""

    #: Locale to sheet name to sheet.
    sheets: Mapping[str, Mapping[str, Sheet]]
    #: What was looked for before; the content never changes, and a button is looked for at every turn.
    _found: dict[tuple[str | None, ...], Text | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _titles: dict[tuple[str, str, str], str | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    #: Every variant that any text has; a country without texts of its own is looked for like none.
    _variants: frozenset[str] = field(default=frozenset(), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sheets = (sheet for own in self.sheets.values() for sheet in own.values())
        variants = frozenset(key.partition("@")[2] for sheet in sheets for key in sheet.texts)
        object.__setattr__(self, "_variants", variants)

    @property
    def locales(self) -> tuple[str, ...]:
        """Every locale that has a folder, sorted."""
        return tuple(sorted(self.sheets))

    def unreviewed(self, locale: str) -> tuple[str, ...]:
        """The names of a locale's sheets that no professional has reviewed."""
        own = self.sheets.get(locale, {})
        return tuple(name for name, sheet in own.items() if sheet.reviewed == NOT_YET)

    def find(
        self,
        key: str,
        *,
        flow: str,
        locale: str,
        role: str | None = None,
        country: str | None = None,
        number: int | None = None,
    ) -> Text | None:
        """The text of a key: the role's variant, else the country's, else the plain one.

        With a number it is the form that goes with the number in the language of each sheet.

        The flow's own sheet comes first, then the common ones; then the same again in the fallback locale.
        None only if the key exists nowhere.
        """
        variants = tuple(variant for variant in (role, country) if variant in self._variants)
        forms = {name: _form(number, locale=name) for name in (locale, FALLBACK_LOCALE)}
        spot = (key, flow, locale, *forms.values(), *variants)
        if spot not in self._found:
            self._found[spot] = self._search(key, flow=flow, locale=locale, variants=variants, forms=forms)
        return self._found[spot]

    def _search(
        self,
        key: str,
        *,
        flow: str,
        locale: str,
        variants: tuple[str | None, ...],
        forms: Mapping[str, str],
    ) -> Text | None:
        for sheet in self._sheets(flow=flow, locale=locale):
            formed = key + forms[sheet.locale]
            for name in (*(f"{formed}@{variant}" for variant in variants if variant), formed):
                if name in sheet.texts:
                    return sheet.texts[name]
        return None

    def title(self, slug: str, *, flow: str, locale: str, text: Text | None = None) -> str | None:
        """What a button says: the question's own title, else the flow's, else the common one."""
        if text is not None and slug in text.choices:
            return text.choices[slug]
        spot = (slug, flow, locale)
        if spot not in self._titles:
            sheets = self._sheets(flow=flow, locale=locale)
            self._titles[spot] = next(
                (sheet.choices[slug] for sheet in sheets if slug in sheet.choices), None
            )
        return self._titles[spot]

    def words(self, name: str, *, locale: str) -> frozenset[str]:
        """A list of words, such as ``yes_words``, in no order; empty where the locale has none."""
        return frozenset(self.listed(name, locale=locale))

    def listed(self, name: str, *, locale: str) -> tuple[str, ...]:
        """A list of words in its order, such as ``month_names``; empty where the locale has none."""
        sheet = self.sheets.get(locale, {}).get(ENGINE)
        return sheet.words.get(name, ()) if sheet else ()

    def numeral(self, number: int, *, locale: str) -> str:
        """A whole number from 0 on in the digits that people of this locale read."""
        digits = self.listed(DIGITS, locale=locale)
        return "".join(digits[int(sign)] for sign in str(number)) if digits else str(number)

    def label(self, key: str, *, locale: str) -> str | None:
        """A word or phrase of the directory in this locale and no other."""
        sheet = self.sheets.get(locale, {}).get(DIRECTORY)
        return sheet.texts[key].text if sheet and key in sheet.texts else None

    def _sheets(self, *, flow: str, locale: str) -> Iterator[Sheet]:
        names = dict.fromkeys((flow, COMMON, ENGINE, DIRECTORY))
        for chosen in dict.fromkeys((locale, FALLBACK_LOCALE)):
            for name in names:
                if name in self.sheets.get(chosen, {}):
                    yield self.sheets[chosen][name]


def plain_key(key: str) -> str:
    """A key without its form and its variant: what a node names."""
    return _MARK.split(key, maxsplit=1)[0]


def form_of(key: str) -> str:
    """The form in a key, such as ``few`` in ``place_known#few@parent``; empty where it has none."""
    return key.partition("@")[0].partition("#")[2]


def _form(number: int | None, *, locale: str) -> str:
    return "" if number is None else f"#{plural.form(number, locale=locale)}"


@lru_cache(maxsize=16_384)
def placeholders(text: str) -> frozenset[str]:
    """The names in braces that a text holds, known or not."""
    return frozenset(_PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every placeholder replaced; a name without a value becomes nothing."""
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(1), ""), text)
