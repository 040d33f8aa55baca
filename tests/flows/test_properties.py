"""Whatever a visitor does, in whatever state: is every turn answered, ended, and is danger always heard?"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import engine, payload
from flows.effects import Effect, Forget, Hand, LeaveCase, OpenCase, RaiseDanger, Relay, Remind, Say
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
    MediaKind,
    MediaReceived,
    OperatorWrote,
    TextReceived,
    Understanding,
    VisitorLeft,
    WaitTimedOut,
)
from flows.model import Book
from flows.outcome import MAX_SAID
from flows.run import MAX_DEPTH, MAX_EFFECTS
from flows.state import Frame, Mode, Origin, Slot, State, StateUnreadable, Wait
from tests.flows.walk import COUNTRIES
from tests.flows.worlds import danger_text, real_book, small_book, text

BOOK = small_book()
FAST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.text(max_size=60)
flows = st.sampled_from([*BOOK.flows, "gone", ""])
nodes = st.sampled_from([*{node for flow in BOOK.flows.values() for node in flow.nodes}, "gone", ""])
slugs = st.sampled_from(["yes", "no", "skip", "person", "block", "BY", "ru", "telegram", "gone"])
intents = st.sampled_from([*BOOK.intents, "sexual_abuse", "gone", ""])
offered = st.builds(payload.for_choice, flow=flows, node=nodes, slug=slugs)
payloads = st.one_of(offered, intents.map(payload.for_intent), st.just("m"), words)

understandings = st.builds(
    Understanding,
    intent=intents,
    confidence=st.floats(0, 1),
    danger=st.sampled_from(DangerLevel),
    by=st.sampled_from(["lexicon", "model", "outage"]),
    locale=st.sampled_from([None, "en", "ru", "ru-Latn", "bn", "xx"]),
    ranking=st.lists(st.builds(Guess, intent=intents, confidence=st.floats(0, 1)), max_size=4).map(tuple),
)
visitor_events = st.one_of(
    st.builds(TextReceived, text=st.one_of(words, st.sampled_from(["1", "yes", "stop", "a" * 9000])),
              understanding=understandings),
    st.builds(ChoicePressed, payload=payloads),
    st.builds(MediaReceived, kind=st.sampled_from(MediaKind)),
    st.builds(ConversationStarted, locale=st.sampled_from([None, "ru", "xx"]),
              country=st.sampled_from([None, "BD", "??"]), campaign=st.none() | words),
)  # fmt: skip
other_events = st.one_of(
    st.builds(WaitTimedOut, token=st.sampled_from(["1.1", "", "2.3"])),
    st.builds(OperatorWrote, text=words),
    st.sampled_from([CaseTaken(), CaseReturned(), CaseClosed(), CaseDelayed(), VisitorLeft()]),
)
events = st.one_of(visitor_events, other_events)
slots = st.builds(Slot, value=words, by=st.sampled_from(Origin), turn=st.integers(0, 10**6))
states = st.builds(
    State,
    locale=st.sampled_from(["en", "ru", "xx"]),
    country=st.sampled_from([None, "BY", "BD", "AM", "ZZ"]),
    role=st.sampled_from([None, "child", "parent", "pirate"]),
    locale_chosen=st.booleans(),
    mode=st.sampled_from(Mode),
    danger=st.sampled_from(DangerLevel),
    frames=st.lists(st.builds(Frame, flow=flows, node=nodes, intent=intents), max_size=20).map(tuple),
    wait=st.none() | st.builds(Wait, kind=st.sampled_from(["choice", "text"]), token=st.just("1.1")),
    slots=st.dictionaries(st.sampled_from(["harm", "platform", "story"]), slots, max_size=3),
    intents=st.lists(intents, max_size=3).map(tuple),
    said=st.lists(words, max_size=40).map(tuple),
    misses=st.integers(0, 5),
    turn=st.integers(0, 10**6),
)


def says(effects: tuple[Effect, ...]) -> list[Say]:
    return [effect for effect in effects if isinstance(effect, Say)]


@given(states)
@FAST
def test_a_state_survives_json(state: State) -> None:
    assert State.from_json(state.to_json()) == state


@given(states, st.lists(events, max_size=6))
@FAST
def test_no_event_in_any_state_ever_raises_and_every_turn_is_bounded(
    state: State, several: list[Event]
) -> None:
    for event in several:
        turn = engine.resume(BOOK, state, event, countries=COUNTRIES)

        assert len(turn.effects) <= MAX_EFFECTS + 5
        assert len(turn.state.frames) <= max(MAX_DEPTH, len(state.frames))
        assert all(message.text and "{" not in message.text for message in says(turn.effects) if message.key)
        assert State.from_json(turn.state.to_json()) == turn.state
        state = turn.state


@given(states, visitor_events)
@FAST
def test_a_visitor_is_always_answered(state: State, event: Event) -> None:
    turn = engine.resume(BOOK, state, event, countries=COUNTRIES)

    if isinstance(event, TextReceived) and state.mode is Mode.LIVE:
        assert any(isinstance(effect, Relay) for effect in turn.effects)
    else:
        assert says(turn.effects)
    assert len(turn.state.said) <= max(MAX_SAID, len(state.said))


@given(states)
@FAST
def test_danger_reaches_help_from_any_state(state: State) -> None:
    turn = engine.resume(BOOK, state, danger_text(locale=state.locale), countries=COUNTRIES)

    assert says(turn.effects)[0].key == "danger.care"
    assert turn.state.danger is DangerLevel.EMERGENCY
    if state.mode in (Mode.WAITING, Mode.LIVE):
        assert Relay(text="I want to die", danger=DangerLevel.EMERGENCY) in turn.effects


@given(states, events)
@FAST
def test_danger_falls_only_when_the_case_closes_or_everything_is_forgotten(
    state: State, event: Event
) -> None:
    turn = engine.resume(BOOK, state, event, countries=COUNTRIES)

    fell = turn.state.danger.rank < state.danger.rank
    assert not fell or isinstance(event, CaseClosed) or Forget() in turn.effects


@given(states, events)
@FAST
def test_a_chosen_language_changes_only_by_choice(state: State, event: Event) -> None:
    known = state.with_(locale="en", locale_chosen=True)

    turn = engine.resume(BOOK, known, event, countries=COUNTRIES)

    chosen = isinstance(event, ChoicePressed | TextReceived) and turn.state.locale_chosen
    assert turn.state.locale == "en" or chosen


@given(st.text(max_size=200))
@FAST
def test_garbage_in_place_of_a_payload_is_refused_kindly(garbage: str) -> None:
    turn = engine.resume(real_book(), State(locale="bn"), ChoicePressed(payload=garbage), countries=COUNTRIES)

    assert says(turn.effects)


@given(st.text(max_size=200))
@FAST
def test_what_is_not_a_state_is_refused_in_one_way(garbage: str) -> None:
    with pytest.raises(StateUnreadable):
        State.from_json(garbage)


@pytest.mark.parametrize("kind", [Say, Hand, OpenCase, Relay, RaiseDanger, LeaveCase, Remind, Forget])
def test_every_kind_of_effect_happens_in_the_small_world(kind: type[Effect]) -> None:
    assert kind in {type(effect) for effect in _everything(BOOK)}


def _everything(book: Book) -> list[Effect]:
    """The effects of a conversation that tries all there is."""
    state = engine.begin(book, locale="en", country="BY")
    effects: list[Effect] = []
    pressed = [
        "n:plan:whom:mum",
        "n:danger:care:connect",
        "i:talk_to_human",
        "n:handover:already:leave",
        "i:delete_my_data",
    ]
    steps: list[Event] = [text(means="insults"), danger_text()]
    steps += [ChoicePressed(payload=button) for button in pressed]
    steps += [
        text("yes"),
        text(means="insults"),
        ChoicePressed(payload="i:talk_to_human"),
        text("yes"),
        danger_text(),
    ]
    for event in steps:
        turn = engine.resume(book, state, event, countries=COUNTRIES)
        state = turn.state
        effects += turn.effects
    return effects
