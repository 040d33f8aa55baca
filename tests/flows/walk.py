"""Where can a conversation get to? Walks a book breadth first: every button pressed, every timer run out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from flows import engine, payload, tips
from flows.classroom import ClassNews
from flows.effects import Say
from flows.events import (
    CaseClosed,
    ChoicePressed,
    ClassTold,
    ConversationStarted,
    DangerLevel,
    Event,
    TextReceived,
    WaitTimedOut,
)
from flows.graph import reachable
from flows.model import UNKNOWN, AskNode, Book, BranchNode, CallNode, CollectNode, Node, is_wait
from flows.speech import offered
from flows.state import Frame, Mode, State
from tests.flows.worlds import real_book, text

COUNTRIES = ("BY", "BD")
#: Whoever has not said who they are, and the roles with words and ways of their own.
ADULTS_TOO = (None, "parent", "teacher")
#: Lists of words that lead into a flow which has no intent.
OFFERS = ("tip_words", "class_words", "unshare_words")
#: The flow, the node and who talks with the visitor there; at rest flow and node are empty.
Place = tuple[str, str, Mode]


def walk(book: Book, *, locale: str, roles: Iterable[str | None] = ADULTS_TOO) -> dict[Place, State]:
    """One state for every place that can be reached, in any role, from any way in; states go through JSON."""
    found: dict[Place, State] = {}
    ahead: deque[State] = deque()
    fresh = State(locale=locale, locale_chosen=True)
    ahead += [fresh.with_(role=role, country=country) for role in roles for country in (None, COUNTRIES[0])]
    ahead += [fresh.with_(mode=mode) for mode in (Mode.WAITING, Mode.LIVE)]
    rested: set[tuple[Place, str | None, str | None, bool]] = set()
    seen: set[tuple[Place, Frame | None, frozenset[str]]] = set()
    turning, turned = turning_slots(book), flows_that_turn(book)
    entrances = ways_in(book, locale=locale)
    while ahead:
        state = ahead.popleft()
        place = place_of(state)
        rest = (place, state.role, state.country, tips.come(state.answers))
        # Whoever rests may go anywhere, by role, country and whether tips come; a question leads where its
        # arrows lead, and from the end of its flow to whoever called it; a flow that knows an answer may not
        # ask again.
        known = turning.intersection(state.slots) if place[0] in turned else frozenset()
        asked = (place, _caller(book, state), known)
        if rest in rested if not place[0] else asked in seen:
            continue
        rested.add(rest)
        seen.add(asked)
        # A state is read back from the database before anything happens to it.
        read = State.from_json(state.to_json())
        found.setdefault(place, read)
        for event in tuple(events_at(book, read)) or entrances:
            ahead.append(engine.resume(book, read, event, countries=COUNTRIES).state)
    return found


@cache
def real_walk(roles: tuple[str | None, ...]) -> dict[Place, State]:
    """Where visitors of these roles can get to; in English, which stands for every language."""
    return walk(real_book(), locale="en", roles=roles)


def in_language(places: Mapping[Place, State], locale: str) -> dict[Place, State]:
    """The same places for a visitor of another language: no flow turns by language."""
    assert not [node for node in _branches(real_book()) if node.branch == "locale"]
    return {place: state.with_(locale=locale) for place, state in places.items()}


def _caller(book: Book, state: State) -> Frame | None:
    """Where the flow at hand will return to; what led there counts only where that flow asks for it."""
    if len(state.frames) < 2:
        return None
    frame = state.frames[-2]
    nodes = book.flows[frame.flow].nodes.values()
    by_intent = any(isinstance(node, BranchNode) and node.branch == "intent" for node in nodes)
    return frame if by_intent else replace(frame, intent="")


def flows_that_turn(book: Book) -> frozenset[str]:
    """The flows that ask whether something is known already, and those that call them, however deep."""
    found = {flow.name for flow in book.flows.values() if any(map(_turns, flow.nodes.values()))}
    calls = {
        flow.name: {node.call for node in flow.nodes.values() if isinstance(node, CallNode)}
        for flow in book.flows.values()
    }
    while more := {name for name, called in calls.items() if called & found} - found:
        found |= more
    return frozenset(found)


def turning_slots(book: Book) -> frozenset[str]:
    """The slots of which a flow asks whether they were filled at all."""
    return frozenset(node.branch.removeprefix("slot:") for node in _branches(book) if _turns(node))


def _branches(book: Book) -> Iterator[BranchNode]:
    nodes = (node for flow in book.flows.values() for node in flow.nodes.values())
    return (node for node in nodes if isinstance(node, BranchNode))


def _turns(node: Node) -> bool:
    return isinstance(node, BranchNode) and node.branch.startswith("slot:") and UNKNOWN in node.cases


def place_of(state: State) -> Place:
    """Where a conversation stands."""
    top = state.frames[-1] if state.frames and state.wait else Frame(flow="", node="")
    return top.flow, top.node, state.mode


def ways_in(book: Book, *, locale: str) -> tuple[Event, ...]:
    """Everything that leads into a flow from rest."""
    intents = (ChoicePressed(payload=payload.for_intent(intent)) for intent in book.intents)
    dangers = {intent for intent, level in book.intents.items() if level.rank >= DangerLevel.URGENT.rank}
    doubts = (text("…", means="out_of_scope", doubt=intent) for intent in sorted(dangers))
    named = (text(min(book.texts.words(words, locale=locale)), sure=0.0) for words in OFFERS)
    begun = (ConversationStarted(), ChoicePressed(payload=payload.MENU), text("…"))
    # A talk that is over, after which the visitor is asked how it was.
    over = (CaseClosed(rate=True),)
    told = (ClassTold(news=news, room="a room", code="48217390") for news in ClassNews)
    return (*begun, *intents, *doubts, *named, *told, *over)


def events_at(book: Book, state: State) -> Iterator[Event]:
    """Everything that the question at hand has an arrow for."""
    if not state.frames or state.wait is None:
        return
    frame = state.frames[-1]
    node = book.flows[frame.flow].nodes[frame.node]
    slugs: list[str] = []
    if isinstance(node, AskNode):
        slugs = [*node.choices, *offered(book, node.options, countries=COUNTRIES)]
        if node.otherwise:
            yield text("…")
    elif isinstance(node, CollectNode):
        slugs = ["skip"] if node.skip else []
        yield text("…")
    for slug in slugs:
        yield ChoicePressed(payload=payload.for_choice(flow=frame.flow, node=frame.node, slug=slug))
    if isinstance(node, AskNode | CollectNode) and node.timeout:
        yield WaitTimedOut(token=state.wait.token)


def waits(book: Book) -> set[tuple[str, str]]:
    """Every question that an arrow leads to, in any flow that something leads to."""
    entered = {
        "welcome",
        "menu",
        "danger",
        "danger_question",
        "handover",
        "not_understood",
        "class_survey",
        "class_told",
        "rate_talk",
    } & book.flows.keys()
    entered |= set(book.answers.values())
    ahead = list(entered)
    while ahead:
        flow = book.flows[ahead.pop()]
        for name in reachable(flow, start=flow.start):
            node = flow.nodes[name]
            if isinstance(node, CallNode) and node.call not in entered:
                entered.add(node.call)
                ahead.append(node.call)
    return {
        (name, spot)
        for name in entered
        for spot in reachable(book.flows[name], start=book.flows[name].start)
        if is_wait(book.flows[name].nodes[spot])
    }


def first_message(book: Book, state: State, event: TextReceived) -> Say | None:
    """What the visitor reads next after a text."""
    turn = engine.resume(book, state, event, countries=COUNTRIES)
    return next((effect for effect in turn.effects if isinstance(effect, Say)), None)
