"""How is a golden conversation played? Each YAML document is a test that names intents and text keys.

A document::

    name: a child who is insulted can block
    given: {role: child, country: BY}   # any of role, country, locale (else en), mode, channel, desk
    turns:
      - start: true                     # or {locale: ru, country: BD, campaign: x}
        bot: [welcome.hello, welcome.who]
      - intent: insults                 # a text that the model understands so
        doubt: suicidal                 # and that may mean this danger; beside text and unclear, too
        bot: [insults.believe, common.what_helps]
      - press: block                    # a button of the last messages by its slug
        bot: [advice_block.which]
      - text: telegram                  # a text that the model does not understand
        bot: [advice_block.steps, common.what_helps]
        does: [relay, remind 5m]        # what happens besides saying, where anything does
      - unclear: [insults, threats]     # a text with these guesses
      - lexicon: suicidal               # a text in which the lexicon found this
      - payload: i:help                 # a button that was offered some time
      - timer: true                     # the wait's time runs out
      - tip: 2026-12-01                 # the hour of the daily tip on this day
      - class: joined                   # what became of a wish about a class
      - code: waiting                   # what a private code came to
      - media: photo
      - helpline: taken                 # taken, wrote, gave_file, closed_asking … as in _HELPLINE
      - left: true                      # the visitor blocked us
      - flow: advice_block              # the conversation is in this flow, whatever led there

``bot`` and ``does`` are rewritten by ``--update-golden``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from bot.tryout.golden import with_answer
from flows import engine, tips
from flows.case_code import CaseNews
from flows.classroom import ClassNews, may_be_shown
from flows.desk import Desk
from flows.effects import Say
from flows.events import (
    CaseClosed,
    CaseDelayed,
    CaseReturned,
    CaseTaken,
    ChoicePressed,
    ClassTold,
    CodeLookedUp,
    ConversationStarted,
    Event,
    Guess,
    MediaKind,
    MediaReceived,
    OperatorGave,
    OperatorWrote,
    TipDue,
    VisitorLeft,
    WaitTimedOut,
)
from flows.model import Book
from flows.state import Mode, State
from tests.flows.worlds import danger_text, text

FOLDER = Path(__file__).parent
_DOCUMENT = frozenset({"name", "given", "turns"})
_GIVEN = frozenset({"role", "country", "locale", "mode", "channel", "desk"})
_ACTS = (
    "start", "intent", "press", "text", "unclear", "lexicon", "payload", "timer", "tip", "class", "media",
    "helpline", "left", "flow", "code",
)  # fmt: skip
_TURN = frozenset({*_ACTS, "doubt", "bot", "does"})
_HELPLINE: Mapping[str, Event] = {
    "taken": CaseTaken(),
    "wrote": OperatorWrote(text="I am here with you."),
    "gave_document": OperatorGave(document="safety_plan"),
    "gave_file": OperatorGave(number="a number", title="How to block", form="pdf"),
    "returned": CaseReturned(),
    "closed": CaseClosed(),
    "closed_asking": CaseClosed(rate=True),
    "delayed": CaseDelayed(),
}


#: Nobody is there by the timetable, or though somebody should be; somebody is, and may tell a code.
_DESKS: Mapping[str, Desk] = {
    "closed": Desk(here=False, opens_at=datetime(2026, 12, 1, 9, 0, tzinfo=UTC), today=date(2026, 11, 30)),
    "empty": Desk(here=False),
    "open": Desk(here=True),
    "telling": Desk(here=True, code="4821739056"),
}
#: What a class of 19 chose; a question that nobody answered is not shown.
_ANSWERED: Mapping[str, Mapping[str, int]] = {
    "laugh": {"scroll": 8, "write_them": 6, "adult": 5},
    "tell": {"friend": 11, "nobody": 4, "home": 4},
    "secret": {"keep": 2, "unsure": 2},
    "joke": {"hurts": 19},
}


class GoldenInvalid(ValueError):
    """This golden conversation cannot be played as it is written."""


def documents(file: Path) -> list[dict[str, Any]]:
    """The conversations of a file; raises ``GoldenInvalid`` where one has a key that nobody reads."""
    found = [document for document in yaml.safe_load_all(file.read_text(encoding="utf-8")) if document]
    for document in found:
        unknown = set(document) - _DOCUMENT | set(document.get("given", {})) - _GIVEN
        unknown |= {key for turn in document["turns"] for key in set(turn) - _TURN}
        if unknown:
            raise GoldenInvalid(f"{file.name}: nobody reads {', '.join(sorted(unknown))}.")
    return found


def play(book: Book, document: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[State]]:
    """The turns as they go now, in the words of the file, and the states after them."""
    replayed = list(replay(book, document))
    return [_as_written(written, turn) for written, turn in replayed], [turn.state for _, turn in replayed]


def replay(book: Book, document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], engine.Turn]]:
    """Each turn as it is written and as it goes now."""
    given = document.get("given", {})
    begun = engine.begin(
        book, locale=given.get("locale", "en"), country=given.get("country"), channel=given.get("channel", "")
    )
    desk = _DESKS[given["desk"]] if "desk" in given else Desk()
    state = begun.with_(role=given.get("role"), mode=Mode(given.get("mode", Mode.BOT)))
    offered: dict[str, str] = {}
    for written in document["turns"]:
        state = State.from_json(state.to_json())
        if "flow" in written:
            turn = _entered(book, written["flow"], state=state)
        else:
            event = _event(book, written, state=state, offered=offered)
            turn = engine.resume(book, state, event, desk=desk)
        state = turn.state
        says = [effect for effect in turn.effects if isinstance(effect, Say)]
        if buttons := [choice.payload for message in says for choice in message.choices]:
            offered = {payload.split(":")[-1]: payload for payload in buttons}
        yield written, turn


def rewrite(file: Path, played: list[dict[str, Any]]) -> None:
    """Write conversations back; the comment at the top of the file stays."""
    opening = ""
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.startswith("#"):
            break
        opening += line
    text = yaml.safe_dump_all(
        played, allow_unicode=True, sort_keys=False, width=110, default_flow_style=None, explicit_start=True
    )
    file.write_text(opening + text, encoding="utf-8")


def _entered(book: Book, flow: str, *, state: State) -> engine.Turn:
    if flow not in book.flows:
        raise GoldenInvalid(f"there is no flow '{flow}'.")
    return engine.enter(book, state, flow)


def _as_written(written: Mapping[str, Any], turn: engine.Turn) -> dict[str, Any]:
    """The turn with what it says and does now."""
    act = {key: value for key, value in written.items() if key not in ("bot", "does")}
    return with_answer(act, turn)


def _event(book: Book, turn: Mapping[str, Any], *, state: State, offered: Mapping[str, str]) -> Event:
    acts = [act for act in _ACTS if act in turn]
    if len(acts) != 1:
        raise GoldenInvalid(f"a turn does exactly one of: {', '.join(_ACTS)}; not {dict(turn)}.")
    value = turn[acts[0]]
    match acts[0]:
        case "start":
            return ConversationStarted(**(value if isinstance(value, dict) else {}))
        case "intent":
            return text(f"({value})", means=value, doubt=turn.get("doubt"))
        case "lexicon":
            return danger_text(f"({value})", intent=value, locale=state.locale)
        case "text":
            return text(str(value), sure=0.0, doubt=turn.get("doubt"))
        case "unclear":
            ranking = tuple(Guess(intent=intent, confidence=0.3) for intent in value)
            return text("(unclear)", sure=0.0, ranking=ranking, doubt=turn.get("doubt"))
        case "press":
            if value not in offered:
                raise GoldenInvalid(f"no button '{value}' was offered, only: {', '.join(offered)}.")
            return ChoicePressed(payload=offered[value])
        case "payload":
            return ChoicePressed(payload=value)
        case "timer":
            if state.wait is None:
                raise GoldenInvalid("the conversation does not wait here.")
            return WaitTimedOut(token=state.wait.token)
        case "tip":
            return TipDue(token=state.answer(tips.CALL), day=str(value))
        case "class":
            return ClassTold(
                news=ClassNews(value),
                room="a room",
                code="48217390",
                link="https://porchlight.example/?class=48217390",
                pupils=15,
                results=may_be_shown(_ANSWERED),
            )
        case "code":
            return CodeLookedUp(news=CaseNews(value))
        case "media":
            return MediaReceived(kind=MediaKind(value))
        case "helpline":
            return _HELPLINE[value]
        case _:
            return VisitorLeft()
