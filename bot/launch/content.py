"""How does a content editor check, see and try what visitors will read? Needs no model and no database."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from bot.documents.typesetting import NotSet, typeset
from bot.launch.errors import LaunchError
from bot.launch.site import Site
from flows import diagram, drawing, payload
from flows.checks import check
from flows.effects import (
    AnswerClass,
    Choice,
    Effect,
    Forget,
    Hand,
    HandFile,
    JoinClass,
    LeaveCase,
    LookAtClass,
    LookUpCode,
    NextTip,
    OpenCase,
    OpenClass,
    RaiseDanger,
    RateTalk,
    Relay,
    Remind,
    RevokeConsent,
    Say,
)
from flows.engine import begin, enter, resume
from flows.events import ChoicePressed, DangerLevel, TextReceived, Understanding, WaitTimedOut
from flows.loader import ContentInvalid, load
from flows.model import Book
from flows.paper import compose
from flows.safety import Lexicon, LexiconInvalid, load_lexicons
from flows.state import State
from flows.versions import RELEASED_FILE, released

_RELEASED = (
    "# The questions that visitors may stand at. Written by './porchlight check --release', never by hand."
)


class NoSuchFlow(LaunchError):
    """There is no flow of this name."""


class DocumentNotMade(LaunchError):
    """This document cannot be made."""


class ContentHasProblems(LaunchError):
    """The content must be repaired first."""


class Form(StrEnum):
    """How a flow is drawn."""

    SVG = "svg"
    TREE = "tree"
    MERMAID = "mermaid"


_PICTURES = {Form.SVG: drawing.svg, Form.TREE: diagram.tree, Form.MERMAID: diagram.draw}


def content_folder(site: Site) -> Path:
    """Where flows, texts, lexicons and directory lie."""
    return Path(site.setting("PORCHLIGHT_CONTENT_DIR") or site.root / "flows")


def own_directory(site: Site) -> Path | None:
    """Where this installation's own helplines and platforms lie; None where ours are used as they are."""
    setting = site.setting("PORCHLIGHT_DIRECTORY_DIR")
    return Path(setting) if setting else None


def countries(site: Site) -> tuple[str, ...]:
    """The countries that this installation serves."""
    setting = site.setting("PORCHLIGHT_COUNTRIES") or "BY,BD"
    return tuple(part.strip().upper() for part in setting.split(",") if part.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What an examination of the content found."""

    #: Sentences with file and line; empty when the content may go live.
    problems: tuple[str, ...]
    #: None where the content cannot even be read.
    book: Book | None


def examine(site: Site) -> Examined:
    """Read everything and note every problem."""
    found: list[str] = []
    book = None
    folder = content_folder(site)
    try:
        book = load(folder, own_directory=own_directory(site))
        found += map(str, check(book, countries=countries(site)))
    except ContentInvalid as error:
        found += map(str, error.problems)
    try:
        load_lexicons(folder / "lexicons")
    except LexiconInvalid as error:
        found += (f"flows/lexicons/{problem}" for problem in error.problems)
    return Examined(problems=tuple(found), book=book)


def release(site: Site) -> Path:
    """Remember the questions that visitors may stand at from now on; the file that was written."""
    spot = content_folder(site) / RELEASED_FILE
    lines = (f"{flow}: [{', '.join(questions)}]" for flow, questions in sorted(released(_book(site)).items()))
    spot.write_text("\n".join((_RELEASED, *lines, "")), encoding="utf-8")
    return spot


def draw(site: Site, flows: Sequence[str], *, locale: str, form: Form) -> Mapping[str, str]:
    """The pictures of these flows, or of all where none is named, by the flow's name."""
    book = _book(site)
    for flow in flows:
        _require(flow, book=book)
    picture = _PICTURES[form]
    return {
        flow: picture(book.flows[flow], book.texts, locale=locale) for flow in flows or sorted(book.flows)
    }


def slots(answers: Sequence[str]) -> Mapping[str, str]:
    """Slot to answer, from ``slot=answer`` as it was typed."""
    found: dict[str, str] = {}
    for answer in answers:
        slot, sign, value = answer.partition("=")
        if not (slot and sign):
            raise DocumentNotMade(f"'{answer}' is no answer; write it as my_nickname={answer or 'Fox'}.")
        found[slot] = value
    return found


def document(
    site: Site,
    name: str,
    *,
    locale: str,
    role: str | None,
    country: str | None,
    slots: Mapping[str, str],
    out: Path | None,
) -> Path:
    """Write a document as a visitor would get it today; the file's ending says as what it is made."""
    book = _book(site)
    if name not in book.documents:
        known = ", ".join(sorted(book.documents))
        raise DocumentNotMade(f"There is no document '{name}'. There are: {known}.")
    file = out or Path(f"{name}.{locale}.pdf")
    form = file.suffix.removeprefix(".")
    if form not in book.documents[name].formats:
        known = ", ".join(f".{known}" for known in book.documents[name].formats)
        raise DocumentNotMade(f"'{name}' cannot be made as '{file.name}'; its endings are: {known}.")
    paper = compose(
        book,
        name,
        locale=locale,
        role=role,
        country=country,
        slots=slots,
        countries=countries(site),
        today=datetime.now(tz=UTC).astimezone().date(),
    )
    try:
        file.write_bytes(typeset(paper, form))
    except NotSet as error:
        raise DocumentNotMade(
            f"'{name}' could not be made. Is one of its pictures no whole SVG file?"
        ) from error
    except OSError as error:
        raise DocumentNotMade(f"'{file}' cannot be written: {error.strerror}.") from error
    return file


def play(site: Site, flow: str | None, *, locale: str, country: str | None, role: str | None) -> None:
    """Walk through a flow on standard input; what the bot would do besides talking is told in brackets."""
    book, lexicon = _book(site), _lexicon(site)
    start = flow or "welcome"
    _require(start, book=book)
    Player(book, lexicon, countries=countries(site)).play(
        start, begin(book, locale=locale, country=country).with_(role=role)
    )


class Player:
    """A conversation with the engine alone: the lexicon hears danger, ``i:insults`` stands for the model."""

    def __init__(self, book: Book, lexicon: Lexicon, *, countries: Sequence[str]) -> None:
        self._book = book
        self._lexicon = lexicon
        self._countries = countries
        self._console = Console()
        self._choices: tuple[Choice, ...] = ()
        self._timer: str | None = None

    def play(self, flow: str, state: State) -> None:
        """Until standard input ends."""
        turn = enter(self._book, state, flow, countries=self._countries)
        state = turn.state
        self._show(turn.effects)
        sys.stderr.write(
            "Write, or press a button by its number. 'i:insults' stands for what the model would understand,"
            " 'wait' lets the time run out, Ctrl-D ends.\n"
        )
        for line in sys.stdin:
            if text := line.strip():
                turn = resume(self._book, state, self._event(text, state=state), countries=self._countries)
                state = turn.state
                self._show(turn.effects)

    def _event(self, text: str, *, state: State) -> ChoicePressed | TextReceived | WaitTimedOut:
        if text == "wait" and self._timer is not None:
            return WaitTimedOut(token=self._timer)
        if text.isascii() and text.isdigit() and 0 < int(text) <= len(self._choices):
            return ChoicePressed(payload=self._choices[int(text) - 1].payload)
        if isinstance(payload.read(text), payload.Meant):
            return ChoicePressed(payload=text)
        match = self._lexicon.first_match(text, locale=state.locale)
        return TextReceived(
            text=text,
            understanding=Understanding(
                intent=match.intent if match else "not_understood",
                confidence=1.0 if match else 0.0,
                danger=match.danger if match else DangerLevel.NONE,
                by="lexicon" if match else "outage",
                locale=match.locale if match else None,
            ),
        )

    def _show(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say():
                    self._console.print(effect.key, style="dim", markup=False, highlight=False)
                    self._console.print(effect.text, markup=False, highlight=False)
                    for number, choice in enumerate(effect.choices, start=1):
                        self._console.print(f"  {number}  {choice.title}", markup=False, highlight=False)
                    self._choices = effect.choices or self._choices
                case Hand():
                    self._note(f"the document '{effect.document}' is handed over")
                case HandFile():
                    self._note(f"the helpline's file '{effect.title}' is handed over")
                case OpenCase():
                    self._note(
                        f"a case is opened: {effect.reason}, danger {effect.danger}, {dict(effect.card)}"
                    )
                case Relay():
                    self._note("these words go to the operator")
                case RaiseDanger():
                    self._note(f"the helpline hears that the danger is now {effect.danger}")
                case LeaveCase():
                    self._note("the case is withdrawn")
                case LookUpCode():
                    self._note("the case of this code is looked up; what comes of it is told by the real bot")
                case RevokeConsent():
                    self._note("the helpline hears that nothing more may be shared")
                case RateTalk():
                    self._note(f"it is counted that the talk was {effect.face}")
                case Remind():
                    self._timer = effect.token
                    self._note(f"after {effect.after} without a word the flow goes on")
                case OpenClass() | JoinClass() | AnswerClass() | LookAtClass():
                    self._note("a class is seen to; what comes of it is told by the real bot alone")
                case NextTip():
                    self._note("the next tip comes in the afternoon")
                case Forget():
                    self._note("everything about this conversation is erased")

    def _note(self, sentence: str) -> None:
        self._console.print(f"  [{sentence}]", style="yellow", markup=False, highlight=False)


def _book(site: Site) -> Book:
    try:
        return load(content_folder(site), own_directory=own_directory(site))
    except ContentInvalid as error:
        raise ContentHasProblems(
            "\n".join(["The content must be repaired first:", *map(str, error.problems)])
        ) from error


def _lexicon(site: Site) -> Lexicon:
    try:
        return load_lexicons(content_folder(site) / "lexicons")
    except LexiconInvalid as error:
        raise ContentHasProblems(
            "\n".join(["The lexicons must be repaired first:", *map(str, error.problems)])
        ) from error


def _require(flow: str, *, book: Book) -> None:
    if flow not in book.flows:
        raise NoSuchFlow(f"There is no flow '{flow}'. There are: {', '.join(sorted(book.flows))}.")
