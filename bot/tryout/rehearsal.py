"""What would the bot do here, and why? Plays one turn, carries nothing out, and explains every step of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.messages import MAX_TEXT, BotError, clean
from bot.nlu_client import NluClient
from bot.tryout import golden
from bot.tryout.draft import Draft
from bot.understanding import Understander, unread
from flows import effects as does
from flows import engine
from flows import events as happened
from flows.engine import Turn
from flows.model import ROLES, Book, CollectNode, is_wait
from flows.payload import MAX_BYTES
from flows.speech import known_locale
from flows.state import Mode, State, StateUnreadable
from flows.texts import Text

#: So many of the model's guesses are shown.
MOST_GUESSES = 5
#: A name of a flow, an intent or a country: nothing that is longer exists.
MAX_NAME = 64
#: More buttons than any message has.
MAX_OFFERED = 100


class TryOutInvalid(BotError):
    """This turn cannot be tried."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Start(_Form):
    """The visitor opens the chat."""

    kind: Literal["start"]


class Enter(_Form):
    """The conversation is in a flow from the first moment."""

    kind: Literal["enter"]
    flow: Annotated[str, Field(max_length=MAX_NAME)]
    #: Which of the flow's intents led into it.
    intent: Annotated[str, Field(max_length=MAX_NAME)] | None = None


class Write(_Form):
    """The visitor writes."""

    kind: Literal["text"]
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    #: Instead of what the model thinks: it is sure of this intent.
    means: Annotated[str, Field(max_length=MAX_NAME)] | None = None


class Press(_Form):
    """The visitor presses a button."""

    kind: Literal["press"]
    payload: Annotated[str, Field(min_length=1, max_length=MAX_BYTES)]


class LetTimePass(_Form):
    """Nobody answers until the time that the question allows is over."""

    kind: Literal["timer"]


class SendMedia(_Form):
    """The visitor sends something that is no text."""

    kind: Literal["media"]
    media: happened.MediaKind


class Helpline(_Form):
    """Something happens at the helpline."""

    kind: Literal["helpline"]
    act: Literal["taken", "wrote", "returned", "closed", "delayed"]
    text: Annotated[str, Field(max_length=MAX_TEXT)] = ""


class Leave(_Form):
    """The visitor blocks the bot."""

    kind: Literal["left"]


Doing = Annotated[
    Start | Enter | Write | Press | LetTimePass | SendMedia | Helpline | Leave, Field(discriminator="kind")
]


class Wanted(_Form):
    """One turn to try; ``state`` and ``offered`` are those of the last answer, or none at the beginning."""

    event: Doing
    state: dict[str, Any] | None = None
    offered: Annotated[list[Annotated[str, Field(max_length=MAX_NAME)]], Field(max_length=MAX_OFFERED)] = []
    locale: Annotated[str, Field(max_length=MAX_NAME)] = "en"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    role: Literal["child", "teen", "parent", "teacher"] | None = None


assert set(ROLES) == {"child", "teen", "parent", "teacher"}  # noqa: S101  # ``Wanted.role`` names them.

_STATE = TypeAdapter(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """An event, and for a text what is to be told about it."""

    event: happened.Event
    understood: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Tries turns on one draft of the content."""

    draft: Draft
    nlu: NluClient
    threshold: float
    countries: Sequence[str]

    async def play(self, wanted: Wanted) -> dict[str, Any]:
        """The answer to one turn as JSON; raises ``TryOutInvalid``. Nothing is kept of it."""
        before = self._state(wanted)
        if isinstance(wanted.event, Enter) and wanted.event.intent is None:
            turn = self._entered(wanted.event.flow, before)
            return self._answer(before, turn, offered=wanted.offered) | {
                "understood": None,
                "golden": golden.entered(wanted.event.flow, turn),
            }
        heard = await self._heard(wanted.event, before)
        turn = engine.resume(self.draft.book, before, heard.event, countries=self.countries)
        tried = golden.Tried(before=before, event=heard.event, turn=turn, offered=wanted.offered)
        return self._answer(before, turn, offered=wanted.offered) | {
            "understood": heard.understood,
            "golden": golden.written(tried, book=self.draft.book, countries=self.countries),
        }

    # From the request

    def _state(self, wanted: Wanted) -> State:
        if wanted.state is None:
            begun = engine.begin(self.draft.book, locale=wanted.locale, country=wanted.country)
            return begun.with_(role=wanted.role)
        try:
            state = State.from_json(json.dumps(wanted.state))
            # It came through a browser: every field has to be of its type, not only to be there.
            return _STATE.validate_python(_STATE.dump_python(state, warnings="error"), strict=False)
        except (StateUnreadable, ValidationError, ValueError, TypeError, RecursionError) as error:
            raise TryOutInvalid(
                "This conversation cannot go on: where it stood cannot be read. Please begin it again."
            ) from error

    def _entered(self, flow: str, before: State) -> Turn:
        if flow not in self.draft.book.flows:
            raise TryOutInvalid(f"There is no flow '{flow}'.")
        return engine.enter(self.draft.book, before, flow, countries=self.countries)

    async def _heard(self, doing: Doing, before: State) -> _Heard:
        match doing:
            case Start():
                return _Heard(event=happened.ConversationStarted())
            case Enter(intent=intent):
                return _Heard(event=happened.ChoicePressed(payload=f"i:{intent}"))
            case Write():
                return await self._text(doing, before)
            case Press(payload=payload):
                return _Heard(event=happened.ChoicePressed(payload=payload))
            case LetTimePass():
                return _Heard(event=happened.WaitTimedOut(token=before.wait.token if before.wait else ""))
            case SendMedia(media=media):
                return _Heard(event=happened.MediaReceived(kind=media))
            case Helpline():
                return _Heard(event=_helpline(doing))
            case Leave():
                return _Heard(event=happened.VisitorLeft())
            case _:
                assert_never(doing)

    async def _text(self, doing: Write, before: State) -> _Heard:
        """Understood exactly as a visitor's text is, and everything told that speaks for it."""
        said = clean(doing.text)
        if not said:
            raise TryOutInvalid("There is nothing to read in this text.")
        book, lexicon = self.draft.book, self.draft.lexicon
        understander = Understander(
            lexicon=lexicon, nlu=self.nlu, danger=book.intents, threshold=self.threshold
        )
        danger = understander.danger_in(said, locale=before.locale)
        parsed = None if doing.means else await self.nlu.parse(said)
        if danger is not None:
            understanding = danger
        elif before.mode is Mode.LIVE:
            understanding = unread()
        elif doing.means:
            understanding = self._as_if(doing.means)
        elif parsed is None:
            understanding = await understander.read(said, locale=before.locale)
        else:
            understanding = understander.judge(parsed)
        ranking = parsed.ranking[:MOST_GUESSES] if parsed else ()
        return _Heard(
            event=happened.TextReceived(text=said, understanding=understanding),
            understood={
                "intent": understanding.intent,
                "confidence": round(understanding.confidence, 4),
                "danger": understanding.danger.value,
                "by": "you" if doing.means and danger is None else understanding.by,
                "locale": understanding.locale,
                "secondary": list(understanding.secondary),
                "doubt": understanding.doubt,
                "ranking": [
                    {"intent": guess.intent, "confidence": round(guess.confidence, 4)} for guess in ranking
                ],
                "why": [
                    {
                        "intent": match.intent,
                        "danger": match.danger.value,
                        "rule": match.rule,
                        "words": said[match.start : match.end],
                    }
                    for match in lexicon.matches(said, locale=before.locale)
                ],
            },
        )

    def _as_if(self, intent: str) -> happened.Understanding:
        if intent not in self.draft.book.intents:
            raise TryOutInvalid(f"There is no intent '{intent}'.")
        danger = self.draft.book.intents[intent]
        return happened.Understanding(intent=intent, confidence=1.0, danger=danger, by="model")

    # To the answer

    def _answer(self, before: State, turn: Turn, *, offered: Sequence[str]) -> dict[str, Any]:
        state = turn.state
        says = [effect for effect in turn.effects if isinstance(effect, does.Say)]
        buttons = [choice.payload for say in says for choice in say.choices]
        return {
            "state": json.loads(state.to_json()),
            "offered": buttons or list(offered),
            "effects": list(self._effects(turn)),
            "path": [self._place(step.flow, step.node) for step in turn.path],
            "at": self._at(state),
            "under_way": [{"flow": frame.flow, "node": frame.node} for frame in state.frames[:-1]],
            "slots": _slots(before, state),
            "locale": state.locale,
            "country": state.country,
            "role": state.role,
            "mode": state.mode.value,
            "danger": state.danger.value,
            "turn": state.turn,
            "misses": state.misses,
            "nothing_happened": not turn.effects and state == before,
        }

    def _at(self, state: State) -> dict[str, Any] | None:
        """The question that the conversation waits at; None where it rests."""
        frame = state.frames[-1] if state.frames else None
        flow = self.draft.book.flows.get(frame.flow) if frame else None
        node = flow.nodes.get(frame.node) if flow and frame else None
        if frame is None or node is None or state.wait is None or not is_wait(node):
            return None
        timeout = getattr(node, "timeout", None)
        return self._place(frame.flow, frame.node) | {
            "intent": frame.intent,
            "waits_for": "words" if isinstance(node, CollectNode) else "a button",
            "saves": getattr(node, "save", None),
            "timer_seconds": int(timeout.after.total_seconds()) if timeout else None,
        }

    def _place(self, flow: str, node: str) -> dict[str, Any]:
        """Where a node stands in the files, and what sort of node it is."""
        definition = self.draft.book.flows[flow]
        found = definition.nodes.get(node)
        return {
            "flow": flow,
            "node": node,
            "does": type(found).__name__.removesuffix("Node").lower() if found else "",
            "file": definition.file,
            "line": found.line if found else 0,
        }

    def _effects(self, turn: Turn) -> Iterator[dict[str, Any]]:
        for number, effect in enumerate(turn.effects):
            by = next((step for step in reversed(turn.path) if step.effects <= number), None)
            yield self._effect(effect, turn.state, flow=by.flow if by else None) | {
                "by": self._place(by.flow, by.node) if by else None
            }

    def _effect(self, effect: does.Effect, state: State, *, flow: str | None) -> dict[str, Any]:
        match effect:
            case does.Say():
                text = _text_of(effect.key, self.draft.book, state, flow=flow)
                return {
                    "kind": "say",
                    "text": effect.text,
                    "runs": [asdict(run) for run in effect.runs],
                    "sender": effect.sender,
                    "choices": [asdict(choice) for choice in effect.choices],
                    "key": effect.key,
                    "file": text.file if text else "",
                    "line": text.line if text else 0,
                }
            case does.Hand():
                return {"kind": "hand", "document": effect.document}
            case does.HandFile():
                return {"kind": "hand", "document": effect.title}
            case does.OpenCase():
                return {
                    "kind": "open_case",
                    "reason": effect.reason,
                    "danger": effect.danger.value,
                    "consent": effect.consent,
                    "card": dict(effect.card),
                }
            case does.Relay():
                return {"kind": "relay", "text": effect.text, "danger": effect.danger.value}
            case does.RaiseDanger():
                return {"kind": "raise_danger", "danger": effect.danger.value}
            case does.LeaveCase():
                return {"kind": "leave_case"}
            case does.LookUpCode():
                return {"kind": "look_up_code"}
            case does.RevokeConsent():
                return {"kind": "revoke_consent"}
            case does.RateTalk(face=face):
                return {"kind": "rate_talk", "face": face}
            case does.Remind():
                return {"kind": "remind", "seconds": int(effect.after.total_seconds())}
            case does.NextTip():
                return {"kind": "next_tip"}
            case does.OpenClass() | does.JoinClass() | does.AnswerClass() | does.LookAtClass():
                return {"kind": "class", "act": golden.name_of(effect).split()[0]}
            case does.Forget():
                return {"kind": "forget"}
            case _:
                assert_never(effect)


def _helpline(doing: Helpline) -> happened.Event:
    match doing.act:
        case "taken":
            return happened.CaseTaken()
        case "wrote":
            return happened.OperatorWrote(text=clean(doing.text) or "I am here with you.")
        case "returned":
            return happened.CaseReturned()
        case "closed":
            return happened.CaseClosed()
        case "delayed":
            return happened.CaseDelayed()


def _text_of(key: str, book: Book, state: State, *, flow: str | None) -> Text | None:
    """The text behind ``flow.key``, in the visitor's language, role and country."""
    sheet, _, name = key.partition(".")
    locale = known_locale(book, state.locale)
    for place in dict.fromkeys((flow or sheet, sheet)):
        found = book.texts.find(name, flow=place, locale=locale, role=state.role, country=state.country)
        if found is not None and found.name == key:
            return found
    return None


def _slots(before: State, after: State) -> list[dict[str, Any]]:
    """What is noted about the visitor, and what of it this turn noted."""
    return [
        {
            "name": name,
            "value": slot.value,
            "by": slot.by.value,
            "turn": slot.turn,
            "fresh": before.answer(name) != slot.value,
        }
        for name, slot in after.slots.items()
    ]
