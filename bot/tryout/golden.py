"""How is a tried turn written down as one of a golden conversation (``tests/golden``)?

A golden names intents, text keys and buttons, not wording, so that it still holds when texts are rewritten.
There are several ways to write down the same turn ("a text that the model understands as insults", "a text
that the model does not understand", these words as they are): the first one that makes the engine go the same
way is taken, so what is saved plays as it was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from flows.effects import (
    AnswerClass,
    Effect,
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
from flows.engine import Turn, resume
from flows.events import (
    CaseClosed,
    CaseDelayed,
    CaseReturned,
    CaseTaken,
    ChoicePressed,
    ConversationStarted,
    DangerLevel,
    Event,
    Guess,
    MediaReceived,
    OperatorWrote,
    TextReceived,
    Understanding,
    VisitorLeft,
    WaitTimedOut,
)
from flows.model import Book
from flows.state import State

#: How a turn is written: one act, and the danger that a text may mean besides.
Act = dict[str, Any]

#: What the player of goldens takes for a text that the model understands, and for each of its guesses.
_SURE = 0.9
_GUESSED = 0.3
_HELPLINE: Mapping[type[Event], str] = {
    CaseTaken: "taken",
    OperatorWrote: "wrote",
    CaseReturned: "returned",
    CaseClosed: "closed",
    CaseDelayed: "delayed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One tried turn, as it went."""

    before: State
    event: Event
    turn: Turn
    #: What the last buttons send back.
    offered: Sequence[str]


def written(tried: Tried, *, book: Book, countries: Sequence[str]) -> Act:
    """The turn as a golden has it: the act, what the bot says, and what happens besides."""
    event = tried.event
    if not isinstance(event, TextReceived):
        return with_answer(_act(event, offered=tried.offered), tried.turn)
    wanted = _course(tried.turn)
    ways = [
        (act, resume(book, tried.before, way, countries=countries)) for act, way in _ways(event, tried.before)
    ]
    act, turn = next((way for way in ways if _course(way[1]) == wanted), ways[0])
    return with_answer(act, turn)


def entered(flow: str, turn: Turn) -> Act:
    """The turn in which a conversation began in a flow that no words lead to."""
    return with_answer({"flow": flow}, turn)


def document(*, name: str, given: Mapping[str, str], turns: Sequence[Act]) -> str:
    """The conversation as a YAML document that can be put at the end of a file in ``tests/golden``."""
    return yaml.safe_dump(
        {"name": name, "given": dict(given), "turns": list(turns)},
        allow_unicode=True,
        sort_keys=False,
        width=110,
        default_flow_style=None,
        explicit_start=True,
    )


def _act(event: Event, *, offered: Sequence[str]) -> Act:
    match event:
        case ConversationStarted():
            return {"start": True}
        case ChoicePressed(payload=payload) if payload in offered:
            return {"press": payload.split(":")[-1]}
        case ChoicePressed(payload=payload):
            return {"payload": payload}
        case WaitTimedOut():
            return {"timer": True}
        case MediaReceived(kind=kind):
            return {"media": kind.value}
        case VisitorLeft():
            return {"left": True}
        case _:
            return {"helpline": _HELPLINE[type(event)]}


def _ways(event: TextReceived, before: State) -> Iterator[tuple[Act, TextReceived]]:
    """The ways to write a text down, the one that says most about it first."""
    heard = event.understanding
    doubt = {"doubt": heard.doubt} if heard.doubt else {}
    if heard.by == "lexicon":
        emergency = replace(_heard(heard.intent), by="lexicon", danger=DangerLevel.EMERGENCY, confidence=1.0)
        yield _put({"lexicon": heard.intent}, replace(emergency, locale=before.locale))
    elif heard.confidence and heard.intent != "not_understood":
        yield _put({"intent": heard.intent} | doubt, replace(_heard(heard.intent), doubt=heard.doubt))
    elif heard.ranking:
        names = [guess.intent for guess in heard.ranking]
        guesses = tuple(Guess(intent=name, confidence=_GUESSED) for name in names)
        unclear = replace(_heard("unknown", sure=0.0), ranking=guesses, doubt=heard.doubt)
        yield _put({"unclear": names} | doubt, unclear)
    unknown = replace(_heard("unknown", sure=0.0), doubt=heard.doubt)
    yield _put({"text": event.text} | doubt, unknown, text=event.text)


def _heard(intent: str, *, sure: float = _SURE) -> Understanding:
    return Understanding(intent=intent, confidence=sure, danger=DangerLevel.NONE, by="model")


def _put(act: Act, understanding: Understanding, *, text: str = "") -> tuple[Act, TextReceived]:
    # The player puts the intent's name in brackets where a golden has no words.
    said = text or f"({act.get('intent') or act.get('lexicon') or 'unclear'})"
    return act, TextReceived(text=said, understanding=understanding)


def _course(turn: Turn) -> tuple[object, ...]:
    """What two turns must have in common to be the same way: words, deeds, and where they lead."""
    state = turn.state
    stands = (state.frames, state.mode, state.danger, state.intents, state.misses, state.locale)
    answer = with_answer({}, turn)
    return answer["bot"], answer.get("does"), stands, state.wait and state.wait.kind


def with_answer(act: Act, turn: Turn) -> Act:
    """The act, what the bot says to it, and what happens besides where anything does."""
    says = [effect.key or effect.sender for effect in turn.effects if isinstance(effect, Say)]
    does = [name_of(effect) for effect in turn.effects if not isinstance(effect, Say)]
    return {**act, "bot": says} | ({"does": does} if does else {})


def name_of(effect: Effect) -> str:
    """The effect as a golden conversation tells it."""
    match effect:
        case OpenCase():
            return f"open_case {effect.reason} {effect.danger}"
        case LookUpCode():
            return "look_up_code"
        case Hand():
            return f"hand {effect.document}"
        case HandFile(form=form):
            return f"hand_file {form}"
        case RaiseDanger():
            return f"raise_danger {effect.danger}"
        case Relay():
            return "relay" if effect.danger is DangerLevel.NONE else f"relay {effect.danger}"
        case LeaveCase():
            return "leave_case"
        case RevokeConsent():
            return "revoke_consent"
        case RateTalk(face=face):
            return f"rate_talk {face}"
        case NextTip():
            return "next_tip"
        case OpenClass():
            return "open_class"
        case JoinClass():
            return "join_class"
        case AnswerClass(question=question):
            return f"answer_class {question}"
        case LookAtClass(close=close):
            return "close_class" if close else "look_at_class"
        case Remind():
            return f"remind {int(effect.after.total_seconds()) // 60}m"
        case _:
            return type(effect).__name__.lower()
