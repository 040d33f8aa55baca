"""What has a turn come to so far? Gathers what is said, noted and asked of the outside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flows import classroom, tips
from flows.desk import Desk
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
    RevokeConsent,
    Say,
)
from flows.events import DangerLevel, OperatorGave
from flows.model import CLASS_SURVEY, HANDOVER, INCIDENTS, ROLES, Book, CaseNode, EffectNode
from flows.speech import Voice
from flows.state import OWN, Frame, Mode, Origin, Slot, State
from flows.texts import COMMON

#: A slot holds an answer, not an archive; the whole text goes to the case as a message.
MAX_SLOT = 1000
#: How many keys of what was said last the hand-over card shows.
MAX_SAID = 30
#: What a flow notes in a slot whose question has not been answered; the operator is not told that.
NOT_ASKED = "not_asked"
#: How many incident intents are remembered.
MAX_INTENTS = 10

#: What goes with every case, and what only with the visitor's word.
SCOPE = ("messages", "answers")
PLAN_SCOPE = "safety_plan"
#: The slot of that word, and the steps of the plan.
PLAN_SHARED = "plan_shared"
PLAN = f"{OWN}plan_"
#: The slot that says whether others may be told, and the text in which that is asked.
FOR_OTHERS = "for_others"
OTHERS_ASKED = "others"
#: What the operator can tell: a name, and the placeholder that stands for it.
CONTACTS = {"helpline": "helpline_short", "emergency": "emergency"}

_COUNTRY = re.compile(r"[A-Z]{2}")
#: Modes in which a case is open at the helpline.
OPEN_CASE = (Mode.WAITING, Mode.LIVE)


class Outcome:
    """One turn under way: ``state`` and ``effects`` are what it has come to so far."""

    def __init__(
        self,
        book: Book,
        state: State,
        *,
        countries: Sequence[str],
        desk: Desk = Desk(),
    ) -> None:
        self.book = book
        # A copy of its own, which ``change`` may change: a copy for every change would take most of a turn.
        self.state = state.with_()
        self.effects: list[Effect] = []
        self.voice = Voice(book, countries=countries, desk=desk)

    @property
    def answered(self) -> bool:
        """Whether this turn says anything."""
        return any(isinstance(effect, Say) for effect in self.effects)

    def say(self, key: str, *, flow: str = COMMON, choices: Sequence[Choice] = ()) -> None:
        """Say one text; nothing happens if no language has it."""
        if message := self.voice.say(key, flow=flow, state=self.state, choices=choices):
            self.effects.append(message)
            self.change(said=(*self.state.said, message.key)[-MAX_SAID:])

    def never_silent(self) -> None:
        """Say at least that the visitor was heard, unless the answer follows at once."""
        if not self.answered and not any(isinstance(effect, LookUpCode) for effect in self.effects):
            self.say("heard", choices=[self.voice.menu_choice(state=self.state)])

    def leave_a_way_on(self) -> None:
        """Where the conversation comes to rest, the last words carry the menu's button: no dead end."""
        last = self.effects[-1] if self.effects else None
        resting = self.state.wait is None and self.state.mode in (Mode.BOT, Mode.WAITING)
        if resting and isinstance(last, Say) and last.sender == "bot" and not last.choices:
            self.effects[-1] = replace(last, choices=(self.voice.menu_choice(state=self.state),))

    def wake(self) -> None:
        """Write again to a visitor who had asked for silence and now writes themselves."""
        if self.state.mode is Mode.STOPPED:
            self.change(mode=Mode.BOT)

    def change(self, **fields: object) -> None:
        """Change fields of the state, which is this turn's alone until the turn is over."""
        for name, value in fields.items():
            object.__setattr__(self.state, name, value)

    def raise_danger(self, level: DangerLevel) -> None:
        """Note a danger; it never falls here, and an open case hears when it rises."""
        if level.rank > self.state.danger.rank:
            self.change(danger=level)
            if self.state.mode in OPEN_CASE:
                self.effects.append(RaiseDanger(danger=level))

    def note_intent(self, intent: str) -> None:
        """Remember an incident for the hand-over card, and the danger that it means by itself."""
        self.raise_danger(self.book.intents.get(intent, DangerLevel.NONE))
        if intent in INCIDENTS:
            others = tuple(heard for heard in self.state.intents if heard != intent)
            self.change(intents=(*others, intent)[-MAX_INTENTS:])

    def save(self, name: str, value: str, *, by: Origin = Origin.FLOW) -> None:
        """Fill a slot or, for ``country``, ``role`` and ``locale``, that field of the state if valid."""
        match name:
            case "country":
                if _COUNTRY.fullmatch(value):
                    self.change(country=value)
            case "role":
                if value in ROLES:
                    self.change(role=value)
            case "locale":
                if value in self.book.locales:
                    self.change(locale=value, locale_chosen=True)
            case _:
                slot = Slot(value=value[:MAX_SLOT], by=by, turn=self.state.turn)
                self.change(slots={**self.state.slots, name: slot})

    def note(self, changes: Mapping[str, str]) -> None:
        """Fill several slots with what the engine itself keeps there."""
        for name, value in changes.items():
            self.save(name, value)

    def give(self, gift: OperatorGave) -> None:
        """Give the visitor what the operator chose."""
        state = self.state
        if gift.document:
            self.hand(gift.document)
        else:
            self.effects.append(
                HandFile(
                    number=gift.number,
                    title=gift.title,
                    form=gift.form,
                    locale=state.locale,
                    country=state.country,
                )
            )

    def hand(self, name: str) -> None:
        """Give the visitor a document, with those of their own answers that it shows."""
        state, document = self.state, self.book.documents.get(name)
        kept = state.kept_slots().items() if document else ()
        self.effects.append(
            Hand(
                document=name,
                locale=state.locale,
                role=state.role,
                country=state.country,
                slots={name: slot.value for name, slot in kept if document and document.shows(name)},
            )
        )

    def open_case(self, frame: Frame, node: CaseNode) -> None:
        """Put the conversation into the helpline's queue; where a case is open, only its danger may rise."""
        self.raise_danger(node.danger)
        if self.state.mode in OPEN_CASE:
            return
        others = frame.flow == HANDOVER and self.state.answer(FOR_OTHERS) == "yes"
        agreed = (node.consent, OTHERS_ASKED) if others else (node.consent,)
        self.effects.append(
            OpenCase(
                reason=node.reason,
                danger=self.state.danger,
                consent="\n\n".join(filter(None, (self._worded(key, flow=frame.flow) for key in agreed))),
                consent_for_others=others,
                card=self._card(node.reason),
                sources={name: slot.by.value for name, slot in self.state.slots.items() if _is_told(name)},
                scope=(*SCOPE, *([PLAN_SCOPE] if self._shares_plan else [])),
                plan=self._plan() if self._shares_plan else {},
                contacts={
                    name: self.voice.filled(f"{{{text}}}", flow=frame.flow, state=self.state)
                    for name, text in CONTACTS.items()
                },
                code=self.voice.desk.code,
            )
        )
        # For another case they are asked again.
        self.save(PLAN_SHARED, "no")
        self.change(mode=Mode.WAITING)

    def _worded(self, key: str, *, flow: str) -> str:
        """A text as this visitor reads it."""
        found = self.voice.text(key, flow=flow, state=self.state)
        return self.voice.filled(found.text, flow=flow, state=self.state) if found else ""

    def carry_out(self, node: EffectNode) -> None:
        """Leave the case, fall silent, forget, begin or end the tips; the flow goes on to its last words."""
        match node.effect:
            case "start_tips":
                self.start_tips()
            case "stop_tips":
                self.note(tips.ended(self.state.answers))
            case "revoke":
                self.effects.append(RevokeConsent())
            case "rate_good" | "rate_so_so" | "rate_bad":
                self.effects.append(RateTalk(face=node.effect.removeprefix("rate_")))
            case "open_class" | "look_at_class" | "close_class":
                self._see_to_class(node.effect)
            case _:
                self._leave(node)

    def start_tips(self) -> None:
        """Let a tip come each day; where they come already, nothing changes."""
        if tips.come(self.state.answers):
            return
        self.note(tips.begun(self.state.answers, turn=self.state.turn, book=self.book))
        self.next_tip()

    def next_tip(self) -> None:
        """Ask to be called at the hour of the next tip."""
        self.effects.append(NextTip(token=self.state.answer(tips.CALL), country=self.state.country))

    def join_class(self, code: str) -> None:
        """Leave what is under way and ask to be let into a class."""
        self.change(frames=(), wait=None)
        self.effects.append(JoinClass(code=code))
        self.say("looking", flow=CLASS_SURVEY)

    def look_up(self, code: str) -> None:
        """Ask for the case of a private code; the question stays until the answer is there."""
        self.effects.append(LookUpCode(code=code))

    def count(self, *, question: str, answer: str) -> None:
        """Let an answer be counted in the visitor's class, if they are in one."""
        if room := self.state.answer(classroom.ROOM):
            self.effects.append(AnswerClass(room=room, question=question, answer=answer))

    def _see_to_class(self, effect: str) -> None:
        # News of the class comes in a moment and has to find the teacher where they are now, not in a
        # question that they left for it.
        self.change(frames=self.state.frames[-1:])
        if effect == "open_class":
            self.effects.append(OpenClass())
        else:
            self.effects.append(LookAtClass(close=effect == "close_class"))

    def _leave(self, node: EffectNode) -> None:
        if self.state.mode in OPEN_CASE:
            self.effects.append(LeaveCase())
        match node.effect:
            case "forget":
                self.effects.append(Forget())
                state = self.state
                # The language is kept for the last words; the turn only so that old timers stay stale.
                self.state = State(
                    locale=state.locale,
                    locale_chosen=state.locale_chosen,
                    channel=state.channel,
                    frames=state.frames[-1:],
                    turn=state.turn,
                )
            case "stop":
                self.change(mode=Mode.STOPPED, frames=self.state.frames[-1:])
                self.note(tips.ended(self.state.answers))
            case _:
                self.change(mode=Mode.BOT)

    @property
    def _shares_plan(self) -> bool:
        return self.state.answer(PLAN_SHARED) == "yes"

    def _plan(self) -> dict[str, str]:
        """The steps of the visitor's safety plan."""
        return {name: value for name, value in self.state.answers.items() if name.startswith(PLAN)}

    def _card(self, reason: str) -> dict[str, str]:
        """What the operator must not ask again."""
        state = self.state
        known = {
            "role": state.role,
            "country": state.country,
            "harm": state.intents[-1] if state.intents else reason,
            "intents": ", ".join(state.intents),
            **{name: value for name, value in state.answers.items() if _is_told(name)},
        }
        return {name: value for name, value in known.items() if value not in ("", None, NOT_ASKED)}


def _is_told(slot: str) -> bool:
    """Whether a slot may stand on the hand-over card: what is the visitor's own may not."""
    return not slot.startswith(OWN) and slot not in (PLAN_SHARED, FOR_OTHERS)
