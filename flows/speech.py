"""What exactly does the visitor read? Turns text keys into messages in their language, role and country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from flows import case_code, classroom, directory, payload, tally
from flows.assessment import ASSESSMENT, assess
from flows.desk import NOBODY, Desk, nobody_there
from flows.effects import Choice, Say
from flows.markup import Run, is_plain, plain, runs_of
from flows.model import CLASS_SURVEY, DAILY_TIP, PLATFORM_OPTIONS, AskNode, Book
from flows.state import OWN, State
from flows.texts import (
    BARS,
    CHOICES,
    COMMON,
    FALLBACK_LOCALE,
    INTENTS,
    SLOT,
    TIPS,
    Text,
    Texts,
    fill,
    placeholders,
)

#: These two share so many words that a text in one does not tell the visitor's language.
_ALIKE = frozenset({"ru", "be"})

#: What ``{not_reviewed}`` may become.
NONE_REVIEWED, SOME_REVIEWED = "none_reviewed", "some_reviewed"
#: Which buttons of the common sheet lead where.
PERSON = "talk_to_human"


class Voice:
    """Speaks one turn: the book, the deployment's countries and what only the shell knows."""

    def __init__(
        self,
        book: Book,
        *,
        countries: Sequence[str],
        desk: Desk = Desk(),
        day: str = "",
    ) -> None:
        self.book = book
        self.countries = tuple(countries)
        self.desk = desk
        #: What a class chose, as far as it may be shown, and how many are in it.
        self.results: Mapping[str, Mapping[str, int]] = {}
        self.pupils = 0
        #: The date as a document shows it; a message has none.
        self._day = day

    def text(self, key: str, *, flow: str, state: State) -> Text | None:
        """The text of a key for this visitor, placeholders still in it; None if no language has it."""
        return self.book.texts.find(
            key, flow=flow, locale=state.locale, role=state.role, country=state.country
        )

    def say(
        self, key: str, *, flow: str, state: State, choices: Sequence[Choice] = (), text: Text | None = None
    ) -> Say | None:
        """The message of a key, ready to send; None where there is nothing to say."""
        found = text or self.text(key, flow=flow, state=state)
        runs = self._read(found.text, flow=flow, state=state, choices=choices) if found else ()
        if found is None or not runs:
            return None
        return Say(
            key=found.name, text=plain(runs), choices=tuple(choices), runs=() if is_plain(runs) else runs
        )

    def filled(self, text: str, *, flow: str, state: State) -> str:
        """The text of this flow with all placeholders replaced, without markup."""
        return plain(self._read(text, flow=flow, state=state))

    def _read(self, text: str, *, flow: str, state: State, choices: Sequence[Choice] = ()) -> tuple[Run, ...]:
        ours: dict[str, str] = {}
        theirs: dict[str, str] = {}
        for name in placeholders(text):
            if name == CHOICES:
                ours[name] = "\n".join(
                    f"{digit}. {choice.title}" for digit, choice in enumerate(choices, start=1)
                )
            elif not name.startswith(SLOT):
                ours[name] = self._value(name, state=state)
            elif told := self._told(name.removeprefix(SLOT), flow=flow, state=state):
                ours[name] = told.text
            elif answer := self._answer(name.removeprefix(SLOT), flow=flow, state=state):
                theirs[name] = answer
        # What a visitor typed comes in when the markup has been read, so that it is never taken for any.
        runs = runs_of(fill(text, {**ours, **{name: f"{{{name}}}" for name in theirs}}).strip())
        return tuple(replace(run, text=fill(run.text, theirs)) for run in runs) if theirs else runs

    def title(self, slug: str, *, flow: str, state: State, text: Text | None = None) -> str:
        """What the button of a choice or of an offered option says."""
        title = self.book.texts.title(slug, flow=flow, locale=state.locale, text=text)
        if title is None and slug in self.book.directory.platforms:
            title = directory.platform_name(
                self.book.directory, self.book.texts, locale=state.locale, platform=slug
            )
        return title or slug

    def intent_choice(self, intent: str, *, state: State) -> Choice | None:
        """A button that says what an intent means; None where the intent has no short name."""
        found = self.book.texts.find(intent, flow=INTENTS, locale=state.locale)
        return Choice(title=found.text, payload=payload.for_intent(intent)) if found else None

    def menu_choice(self, *, state: State) -> Choice:
        """The button that opens the menu."""
        return Choice(title=self.title("menu", flow=COMMON, state=state), payload=payload.MENU)

    def no_more_tips(self, *, state: State) -> Choice:
        """The button below a tip that ends them."""
        pressed = payload.for_choice(flow=DAILY_TIP, node="subscribed", slug="no_more")
        return Choice(title=self.title("no_more", flow=TIPS, state=state), payload=pressed)

    def person_choice(self, *, state: State) -> Choice:
        """The button that asks for a person."""
        return Choice(
            title=self.title("person", flow=COMMON, state=state), payload=payload.for_intent(PERSON)
        )

    def _reasons(self, state: State) -> str:
        """Why we think of what happened as we do, a line a reason."""
        found = [self.text(key, flow=ASSESSMENT, state=state) for key in assess(state.answers).reasons]
        return "\n".join(f"• {text.text}" for text in found if text)

    def _told(self, slot: str, *, flow: str, state: State) -> Text | None:
        """The text of its own that says what the visitor answered; None where there is none."""
        value = state.answer(slot)
        if value not in self.book.ready_answers.get(slot, ()):
            return None
        return self.text(f"{slot}_{value}", flow=flow, state=state)

    def _answer(self, slot: str, *, flow: str, state: State) -> str:
        """What the visitor answered, as the button said it or as they typed it."""
        value = state.answer(slot)
        if value not in self.book.ready_answers.get(slot, ()):
            # Typed: looking it up as the name of a text would keep the visitor's words among ours.
            return value
        return self.title(value, flow=flow, state=state, text=self._question(slot, flow=flow, state=state))

    def _question(self, slot: str, *, flow: str, state: State) -> Text | None:
        """The question of this flow whose buttons fill a slot."""
        nodes = self.book.flows[flow].nodes.values() if flow in self.book.flows else ()
        asked = (node.ask for node in nodes if isinstance(node, AskNode) and node.save == slot)
        return next((self.text(key, flow=flow, state=state) for key in asked), None)

    def _line(self, state: State) -> str:
        """The place in the line and how long it took of late; whose place is not seen, nor is their time.

        While nobody is at the desk no answer comes, however long answers took before.
        """
        texts, desk = self.book.texts, self.desk
        place = directory.place(texts, locale=state.locale, role=state.role, number=desk.place)
        if desk.people == NOBODY:
            return f"{place} {nobody_there(texts, desk, locale=state.locale)}".strip()
        if desk.place is None:
            return place
        return f"{place} {directory.wait(texts, locale=state.locale, minutes=desk.minutes)}".strip()

    def _not_reviewed(self, state: State) -> str:
        """That no professional has read what we say in this language, or not all of it; else nothing."""
        text = self.text(not_reviewed(self.book.texts, locale=state.locale), flow=COMMON, state=state)
        return self.filled(text.text, flow=COMMON, state=state) if text else ""

    def _value(self, name: str, *, state: State) -> str:
        rows, texts, locale, country = self.book.directory, self.book.texts, state.locale, state.country
        platform = state.answer("platform") or None
        match name:
            case "helpline":
                return directory.helpline(
                    rows, texts, locale=locale, country=country, countries=self.countries
                )
            case "helpline_short":
                return directory.helpline_short(
                    rows, texts, locale=locale, country=country, countries=self.countries
                )
            case "helpline_now":
                return directory.helpline_now(
                    rows, texts, locale=locale, country=country, countries=self.countries
                )
            case "emergency":
                return directory.emergency(
                    rows, texts, locale=locale, country=country, countries=self.countries
                )
            case "call":
                return directory.call(rows, texts, locale=locale, country=country)
            case "write_instead":
                return directory.write_instead(rows, texts, locale=locale, country=country)
            case "why":
                return self._reasons(state)
            case "country":
                return directory.country_name(texts, locale=locale, country=country)
            case "class_code":
                return classroom.spoken(state.answer(classroom.CODE))
            case "class_link":
                return state.answer(classroom.LINK)
            case "class_pupils":
                return tally.pupils(texts, locale=locale, number=self.pupils)
            case "place":
                return self._line(state)
            case "case_code":
                return case_code.spoken(self.desk.code or "")
            case "desk":
                return nobody_there(texts, self.desk, locale=locale)
            case "not_reviewed":
                return self._not_reviewed(state)
            case "reviewed_texts":
                return texts.numeral(reviewed(texts, locale=locale), locale=locale)
            case "all_texts":
                return texts.numeral(len(texts.sheets[locale]), locale=locale)
            case "date":
                return self._day
            case "platform":
                return directory.platform_name(rows, texts, locale=locale, platform=platform)
            case "takedown":
                return directory.takedown(rows, locale=locale)
            case "block_steps" | "report_steps" | "remove_steps" | "privacy_steps" | "restrict_steps":
                action = name.removesuffix("_steps")
                return directory.steps(rows, texts, locale=locale, platform=platform, action=action)
            case _ if name.startswith(BARS):
                return self._bars(name.removeprefix(BARS), state=state)
            case _:
                return ""

    def _bars(self, question: str, *, state: State) -> str:
        """What a class chose, a line for each answer; or that too few answered this question."""
        titles = counted(self.book, question)
        if question not in self.results:
            return tally.too_few(self.book.texts, locale=state.locale)
        key = self.text(question, flow=CLASS_SURVEY, state=state)
        return "\n".join(
            tally.bar(
                self.book.texts,
                locale=state.locale,
                title=self.title(slug, flow=CLASS_SURVEY, state=state, text=key),
                number=self.results[question].get(slug, 0),
            )
            for slug in titles
        )


def counted(book: Book, question: str) -> tuple[str, ...]:
    """The answers of a question that is counted for a class, in the order of its buttons."""
    flow = book.flows.get(CLASS_SURVEY)
    node = flow.nodes.get(question) if flow else None
    return tuple(node.choices) if isinstance(node, AskNode) and node.counts else ()


def not_reviewed(texts: Texts, *, locale: str) -> str:
    """The key of the sentence that tells how much professionals have reviewed; empty if it is everything."""
    if not texts.unreviewed(locale):
        return ""
    return SOME_REVIEWED if reviewed(texts, locale=locale) else NONE_REVIEWED


def reviewed(texts: Texts, *, locale: str) -> int:
    """How many files of texts professionals have reviewed in this language."""
    return len(texts.sheets[locale]) - len(texts.unreviewed(locale))


def known_locale(book: Book, locale: str | None) -> str:
    """A locale that the book speaks: this one, else the fallback, else the first."""
    if locale in book.locales:
        return str(locale)
    return FALLBACK_LOCALE if FALLBACK_LOCALE in book.locales else book.locales[0]


def offered(
    book: Book, options: str | None, *, countries: Sequence[str], country: str | None = None
) -> tuple[str, ...]:
    """The slugs of the buttons that ``options`` stands for, in their order; guesses are no slugs."""
    match options:
        case "countries":
            return tuple(countries)
        case "locales":
            return book.locales
        case "platforms":
            return book.directory.common_platforms(country)
        case "more_platforms":
            return book.directory.more_platforms(country)
        case _:
            return ()


def accepted(book: Book, options: str | None, *, countries: Sequence[str]) -> tuple[str, ...]:
    """The slugs that answer a question with these ``options``, on a button or not."""
    if options in PLATFORM_OPTIONS:
        return tuple(book.directory.platforms)
    return offered(book, options, countries=countries)


class HasLocale(Protocol):
    """A lexicon's match, as far as it matters here."""

    @property
    def locale(self) -> str:
        """The lexicon that matched, such as ``ru`` or ``ru-Latn``."""


def emergency_say(
    book: Book,
    match: HasLocale | None,
    *,
    locale: str,
    country: str | None = None,
    countries: Sequence[str] = ("BY", "BD"),
) -> Say:
    """What a visitor reads when everything else is down: care and a number, or an apology and a number."""
    state = speaking(
        State(locale=known_locale(book, locale), country=country or None),
        match.locale if match else None,
        book=book,
    )
    key = "emergency" if match else "outage"
    said = Voice(book, countries=countries).say(key, flow=COMMON, state=state)
    # The checks make sure that the text exists; without it the bare numbers are still better than nothing.
    return said or Say(
        key=f"{COMMON}.{key}",
        text=Voice(book, countries=countries).filled("{helpline}\n{emergency}", flow=COMMON, state=state),
    )


def said_alone(
    book: Book, key: str, *, locale: str, role: str | None, country: str | None, countries: Sequence[str]
) -> Say:
    """A message of the common texts that is said outside any turn."""
    state = State(locale=known_locale(book, locale), role=role, country=country)
    said = Voice(book, countries=countries).say(key, flow=COMMON, state=state)
    # The checks make sure that the text exists.
    return said or Say(key=f"{COMMON}.{key}", text="…")


def in_every_language(book: Book, key: str, *, state: State, countries: Sequence[str]) -> dict[str, str]:
    """What the text of this name says in each language to this visitor, for a person who speaks another.

    Nothing of it holds what the visitor keeps for themselves, such as a plan of theirs.
    """
    sheet, _, name = key.partition(".")
    voice, said = Voice(book, countries=countries), {}
    for locale in book.locales:
        there = state.with_(locale=locale)
        found = voice.text(name, flow=sheet, state=there)
        if found is None or any(asked.startswith(SLOT + OWN) for asked in placeholders(found.text)):
            continue
        said[locale] = voice.filled(found.text, flow=sheet, state=there)
    return said


def speaking(state: State, locale: str | None, *, book: Book) -> State:
    """The state in the language that a text was recognised in, unless the visitor chose another."""
    base = (locale or "").partition("-")[0]
    if state.locale_chosen or base not in book.locales or {base, state.locale} == _ALIKE:
        return state
    return state.with_(locale=base)
