"""What happens from one wait to the next? Walks the nodes of a flow, gathering state and effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from flows import payload
from flows.assessment import assess
from flows.case_code import GIVEN
from flows.desk import Desk
from flows.effects import Choice, Remind
from flows.events import DangerLevel
from flows.masking import mask
from flows.model import (
    DANGER,
    DANGER_INTENTS,
    HANDOVER,
    MENU,
    NOT_UNDERSTOOD,
    UNKNOWN,
    AskNode,
    Book,
    BranchNode,
    CallNode,
    CaseNode,
    CollectNode,
    EffectNode,
    EndNode,
    HandNode,
    Node,
    SayNode,
    SetNode,
    is_wait,
)
from flows.outcome import Outcome
from flows.speech import accepted, offered
from flows.state import Frame, Origin, State, Wait
from flows.texts import SLOT

#: A turn that takes more steps has lost its way.
MAX_STEPS_PER_TURN = 100
#: Flows inside flows; beyond this the outermost are forgotten, never the one that was just entered.
MAX_DEPTH = 12
#: A turn that wants more of the outside than this has lost its way.
MAX_EFFECTS = 40
#: Buttons that lead to a person at once; a question without one gets the menu's, so that two taps suffice.
_TO_A_PERSON = frozenset({"person", "connect"})
#: Buttons that leave a question unanswered; what they say is nothing that an operator should read.
_NO_ANSWER = frozenset({"skip", "just_tell", *_TO_A_PERSON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node that a turn came through, for whoever asks why something was said."""

    flow: str
    node: str
    #: How many effects there were when the turn came to this node: its own follow from there.
    effects: int


class Run(Outcome):
    """Walks the flows in one turn, from where the conversation stands to its next wait or rest."""

    def __init__(
        self,
        book: Book,
        state: State,
        *,
        countries: Sequence[str],
        desk: Desk = Desk(),
        guesses: Sequence[Choice] = (),
    ) -> None:
        super().__init__(book, state, countries=countries, desk=desk)
        #: Buttons for ``options: guesses``.
        self.guesses = tuple(guesses)
        #: The nodes that this turn came through, in order.
        self.path: list[Step] = []
        #: Whether a branch wanted to know whether anybody is at the desk, and nobody had told.
        self.asked_desk = False
        self._steps = 0

    # Where the conversation stands

    def waiting_at(self) -> tuple[Frame, AskNode | CollectNode] | None:
        """The question that the conversation stands at, or None when it rests."""
        if self.state.wait is None or not self.state.frames:
            return None
        node = self._node(self.state.frames[-1])
        return (self.state.frames[-1], node) if isinstance(node, AskNode | CollectNode) else None

    def mend(self) -> bool:
        """Drop what names flows or nodes that no longer exist; True if the question itself was lost."""
        if self.state.wait is None and not self.state.frames:
            return False
        if self.waiting_at() is not None:
            return False
        self.rest()
        return True

    def rest(self) -> None:
        """Leave every flow; the next text starts afresh."""
        self.change(frames=(), wait=None)

    # Ways into a flow

    def hear(self, intent: str) -> None:
        """Answer an intent by its flow; a danger intent always leads to the danger flow."""
        self.note_intent(intent)
        if intent in DANGER_INTENTS and self.book.intents.get(intent, DangerLevel.NONE).rank >= 2:
            self.help(intent)
        else:
            self.enter(self.book.answers.get(intent, MENU), intent=intent)

    def help(self, intent: str) -> None:
        """Care and the number, before everything else; without a danger flow at least these words."""
        if DANGER in self.book.flows:
            self.enter(DANGER, intent=intent)
        else:
            self.say("emergency")

    def enter(self, flow: str, *, intent: str = "") -> None:
        """Push a flow on top of what is under way; one that is under way already starts again."""
        if flow not in self.book.flows:
            self.lost()
            return
        frames = self._without(flow)
        if frames and frames[-1].flow == NOT_UNDERSTOOD:
            frames = frames[:-1]
        start = self.book.flows[flow].start
        self.change(frames=(*frames, Frame(flow=flow, node=start, intent=intent))[-MAX_DEPTH:], wait=None)
        self.walk(start)

    def restart(self, flow: str) -> None:
        """Leave every flow and enter this one."""
        self.rest()
        self.enter(flow)

    def lost(self) -> None:
        """Rest with a kind word and the menu's button: better than silence and better than a ring."""
        self.rest()
        self.say("lost", choices=[self.voice.menu_choice(state=self.state)])

    def press(self, pressed: payload.Pressed) -> bool:
        """Go where a button leads, also an old one; False if no such button exists (any more)."""
        target = self._target(pressed)
        if target is None:
            return False
        node = self.book.flows[pressed.flow].nodes[pressed.node]
        self._stand_at(pressed.flow, pressed.node)
        if isinstance(node, AskNode) and node.save and _is_answer(node, pressed.slug):
            self.save(node.save, pressed.slug, by=Origin.BUTTON)
        if isinstance(node, AskNode) and node.counts:
            self.count(question=pressed.node, answer=pressed.slug)
        self.walk(target)
        return True

    def collect(self, node: CollectNode, text: str) -> None:
        """Keep a free text, without what must not be kept, and go on."""
        self.save(node.save, mask(text), by=Origin.WORDS)
        self.walk(node.go)

    # The walk

    def walk(self, name: str) -> None:
        """Run the nodes of the top frame from this one until the conversation waits or rests."""
        following: str | None = name
        self.change(wait=None)
        while following is not None:
            self._steps += 1
            frame = self._move(following)
            node = self._node(frame)
            if node is None or self._steps > MAX_STEPS_PER_TURN or len(self.effects) >= MAX_EFFECTS:
                self.lost()
                return
            following = self._do(frame, node)

    def ask_again(self) -> None:
        """Put the question that the conversation stands at once more, as when it was first asked."""
        if (standing := self.waiting_at()) is not None:
            self._note(standing[0])
            self._wait(*standing)

    def choices(self, frame: Frame, node: AskNode | CollectNode) -> tuple[Choice, ...]:
        """The buttons of a question, in their order; the menu's comes last where none leads to a person."""
        titles = self.titles(frame, node)
        choices = tuple(
            Choice(title=title, payload=payload.for_choice(flow=frame.flow, node=frame.node, slug=slug))
            for slug, title in titles
        )
        if any(slug in _TO_A_PERSON for slug, _ in titles):
            return choices
        return (*choices, self.voice.menu_choice(state=self.state))

    def titles(self, frame: Frame, node: AskNode | CollectNode) -> list[tuple[str, str]]:
        """Slug and title of every button of a question, in their order."""
        if isinstance(node, CollectNode):
            slugs: tuple[str, ...] = ("skip",) if node.skip else ()
            text = None
        else:
            buttons = offered(
                self.book, node.options, countries=self.voice.countries, country=self.state.country
            )
            slugs = (*buttons, *node.choices)
            text = self.voice.text(node.ask, flow=frame.flow, state=self.state)
        return [
            (slug, self.voice.title(slug, flow=frame.flow, state=self.state, text=text))
            for slug in dict.fromkeys(slugs)
        ]

    def _note(self, frame: Frame) -> None:
        self.path.append(Step(flow=frame.flow, node=frame.node, effects=len(self.effects)))

    def _node(self, frame: Frame) -> Node | None:
        flow = self.book.flows.get(frame.flow)
        return flow.nodes.get(frame.node) if flow else None

    def _without(self, flow: str) -> tuple[Frame, ...]:
        """The frames below the first one of this flow; all of them if it is not under way."""
        names = [frame.flow for frame in self.state.frames]
        return self.state.frames[: names.index(flow)] if flow in names else self.state.frames

    def _move(self, node: str) -> Frame:
        frame = Frame(flow=self.state.frames[-1].flow, node=node, intent=self.state.frames[-1].intent)
        self.change(frames=(*self.state.frames[:-1], frame))
        return frame

    def _stand_at(self, flow: str, node: str) -> None:
        """Go to a node from wherever the conversation is: down the stack if the flow is under way there."""
        below = self._without(flow)
        intent = ""
        if len(below) < len(self.state.frames):
            intent = self.state.frames[len(below)].intent
        elif not self.book.flows[flow].interrupt and flow != DANGER:
            below = ()
        self.change(frames=(*below, Frame(flow=flow, node=node, intent=intent))[-MAX_DEPTH:], wait=None)

    def _target(self, pressed: payload.Pressed) -> str | None:
        flow = self.book.flows.get(pressed.flow)
        node = flow.nodes.get(pressed.node) if flow else None
        if isinstance(node, CollectNode):
            return node.skip if pressed.slug == "skip" else None
        if not isinstance(node, AskNode):
            return None
        if pressed.slug in node.choices:
            return node.choices[pressed.slug]
        known = accepted(self.book, node.options, countries=self.voice.countries)
        return node.go if pressed.slug in known else None

    def _do(self, frame: Frame, node: Node) -> str | None:
        """Do one node; the next one, or None when the conversation waits or rests."""
        self._note(frame)
        match node:
            case SayNode():
                for key in node.say:
                    self.say(key, flow=frame.flow)
                return node.go if node.go is not None else self._return()
            case AskNode() | CollectNode():
                self._wait(frame, node)
                return None
            case BranchNode():
                return node.cases.get(self._value(node.branch, frame=frame), node.otherwise)
            case CallNode():
                return self._call(frame, node)
            case SetNode():
                for name, value in node.values.items():
                    copied = value.startswith(SLOT)
                    self.save(name, self.state.answer(value.removeprefix(SLOT)) if copied else value)
                return node.go
            case CaseNode():
                self.open_case(frame, node)
                return node.go
            case EffectNode():
                self.carry_out(node)
                return node.go
            case HandNode():
                self.hand(node.document)
                return node.go
            case EndNode():
                return self._return()
            case _:
                assert_never(node)

    def _wait(self, frame: Frame, node: AskNode | CollectNode) -> None:
        key = node.ask if isinstance(node, AskNode) else node.collect
        choices = self.choices(frame, node)
        if isinstance(node, AskNode) and node.options == "guesses":
            choices = (*self.guesses, *choices)
        self.say(key, flow=frame.flow, choices=choices)
        token = f"{self.state.turn}.{self._steps}"
        self.change(wait=Wait(kind="choice" if isinstance(node, AskNode) else "text", token=token))
        if node.timeout:
            self.effects.append(Remind(after=node.timeout.after, token=token))

    def _value(self, branch: str, *, frame: Frame) -> str:
        state, people = self.state, self.voice.desk.people
        if branch == "desk" and people is None:
            self.asked_desk = True
        fields = {
            "role": state.role,
            "country": state.country,
            "locale": state.locale,
            "channel": state.channel,
            "intent": frame.intent,
            "mode": state.mode.value,
            "danger": self._danger().value,
            "desk": people,
            "code": GIVEN if self.voice.desk.code else None,
            "assessment": assess(state.answers).verdict.value,
        }
        if branch in fields:
            return fields[branch] or UNKNOWN
        return state.answer(branch.removeprefix("slot:")) or UNKNOWN

    def _danger(self) -> DangerLevel:
        """How dangerous it is by what was told, or by the matter at hand, which may have been a button."""
        matter = self.book.intents.get(self.state.answer("harm"), DangerLevel.NONE)
        return max(self.state.danger, matter, key=lambda level: level.rank)

    def _call(self, frame: Frame, node: CallNode) -> str | None:
        flow = self.book.flows.get(node.call)
        if flow is None:
            return node.go
        called = Frame(flow=flow.name, node=flow.start, intent=frame.intent)
        self.change(frames=(*self.state.frames, called)[-MAX_DEPTH:])
        return flow.start

    def _return(self) -> str | None:
        """Leave the top flow: on in the caller, back to an interrupted question, or to rest."""
        self.change(frames=self.state.frames[:-1])
        while self.state.frames:
            frame = self.state.frames[-1]
            node = self._node(frame)
            if isinstance(node, CallNode):
                return node.go
            if node is not None and is_wait(node):
                self.say("back_to")
                return frame.node
            self.change(frames=self.state.frames[:-1])
        return None


def _is_answer(node: AskNode, slug: str) -> bool:
    """Whether a button answers the question; beside options stand only ways round it, such as 'back'."""
    return slug not in node.choices if node.options else slug not in _NO_ANSWER


def operator_says(run: Run, key: str, *, choices: Sequence[Choice] = ()) -> None:
    """Say what the helpline's side of a handover means for the visitor."""
    run.say(key, flow=HANDOVER, choices=choices)
