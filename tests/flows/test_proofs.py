"""From wherever a conversation can get to, in every language and role: is help near, and a way out?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from flows import engine, payload
from flows.effects import Effect, Forget, OpenCase, Say
from flows.events import ChoicePressed
from flows.model import ROLES, Book
from flows.run import Run
from flows.state import Mode, State
from tests.conftest import STATES
from tests.flows.test_promise import tells_the_number
from tests.flows.walk import COUNTRIES, in_language, place_of, real_walk
from tests.flows.worlds import real_book, text

#: The end of the name of what a visitor reads who already waits for a person, or has one.
WITH_A_PERSON = (".waiting", ".live")
TAPS = 2


def buttons(book: Book, state: State) -> list[str]:
    """The payloads that the visitor can tap where the conversation stands."""
    run = Run(book, state, countries=COUNTRIES)
    standing = run.waiting_at()
    if standing is None:
        return [payload.MENU]
    return [choice.payload for choice in run.choices(*standing)]


def tapped(book: Book, state: State, button: str) -> tuple[State, tuple[Effect, ...]]:
    turn = engine.resume(book, state, ChoicePressed(payload=button), countries=COUNTRIES)
    return turn.state, turn.effects


def is_a_person(effect: Effect) -> bool:
    """Whether this opens a case, asks whether to, or says that a person is there already."""
    if isinstance(effect, Say):
        return effect.key.startswith("handover.") or effect.key.endswith(WITH_A_PERSON)
    return isinstance(effect, OpenCase)


def person_within(book: Book, state: State, *, taps: int) -> bool:
    """Whether so many taps lead to a person, or to the question whether one is wanted."""
    # The menu's button comes last and is the likeliest way.
    for button in reversed(buttons(book, state)):
        after, effects = tapped(book, state, button)
        if any(is_a_person(effect) for effect in effects):
            return True
        if taps > 1 and person_within(book, after, taps=taps - 1):
            return True
    return False


def stops(book: Book, state: State) -> bool:
    """Whether the wish to be left alone is granted at once."""
    after, _ = tapped(book, state, payload.for_intent("stop"))
    return after.mode is Mode.STOPPED


def forgets(book: Book, state: State) -> bool:
    """Whether the wish to be forgotten is granted after one question."""
    asked, _ = tapped(book, state, payload.for_intent("delete_my_data"))
    confirm = payload.for_choice(flow="delete_my_data", node="confirm", slug="yes")
    _, effects = tapped(book, asked, confirm)
    return any(isinstance(effect, Forget) for effect in effects)


def obeys_words(book: Book, state: State) -> bool:
    """Whether typed wishes are understood while no model can be asked, but where an operator reads them."""
    if state.mode is Mode.LIVE:
        return True
    word = sorted(book.texts.words("stop_words", locale=state.locale))[0]
    turn = engine.resume(book, state, text(word, sure=0.0), countries=COUNTRIES)
    return turn.state.mode is Mode.STOPPED


def broken_promises(book: Book, state: State) -> Iterator[str]:
    if not tells_the_number(book, state, intent="suicidal"):
        yield "danger is not answered with the number"
    if not stops(book, state):
        yield "stop does not stop"
    if not forgets(book, state):
        yield "the visitor cannot be forgotten"
    if not obeys_words(book, state):
        yield "a typed stop is not understood"
    if state.mode in (Mode.BOT, Mode.WAITING) and not person_within(book, state, taps=TAPS):
        yield "no person within two taps"


@pytest.mark.slow
@pytest.mark.parametrize("role", [None, *ROLES])
@pytest.mark.parametrize("locale", real_book().locales)
def test_help_and_the_way_out_are_near_everywhere(
    locale: str, role: str | None, record_property: Callable[[str, object], None]
) -> None:
    book = real_book()

    places = in_language(real_walk((role,)), locale)

    record_property(STATES, len(places))
    broken = [
        (*place_of(state), promise) for state in places.values() for promise in broken_promises(book, state)
    ]
    assert broken == []
