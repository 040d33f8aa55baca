"""The first promise: danger is answered with care and a number in the very next message, everywhere."""

from __future__ import annotations

from functools import cache

import pytest

from flows import directory
from flows.model import Book
from flows.safety import Lexicon, load_lexicons
from flows.state import Mode, State
from tests.flows.walk import ADULTS_TOO, COUNTRIES, first_message, in_language, real_walk, waits, walk
from tests.flows.worlds import REAL, danger_text, real_book, small_book, text

#: Every country that the deployment offers, one that the directory lacks, and none at all.
PLACES = (*COUNTRIES, "ZZ", None)
INTENTS = ("suicidal", "self_harm", "sexual_abuse", "immediate_danger", "friend_in_crisis")
WORDS = "i want to die"


def locales() -> list[str]:
    return list(real_book().locales)


@cache
def lexicon() -> Lexicon:
    return load_lexicons(REAL / "lexicons")


def tells_the_number(book: Book, state: State, *, intent: str) -> bool:
    """Whether a danger message in this state is first of all answered with the country's number."""
    numbers = directory.numbers(book.directory, country=state.country, countries=COUNTRIES)
    message = first_message(book, state, danger_text(WORDS, intent=intent, locale=state.locale))
    return message is not None and bool(numbers) and all(number in message.text for number in numbers)


@pytest.mark.parametrize("locale", locales())
def test_danger_is_answered_with_the_number_at_every_node_of_every_flow(locale: str) -> None:
    book = real_book()
    places = in_language(real_walk(ADULTS_TOO), locale)

    broken = [
        (place, country)
        for place, state in places.items()
        for country in PLACES
        if not tells_the_number(book, state.with_(country=country), intent="suicidal")
    ]

    assert broken == []
    assert {(flow, node) for flow, node, _ in places if flow} == waits(book)


@pytest.mark.parametrize("locale", locales())
@pytest.mark.parametrize("intent", INTENTS)
def test_every_kind_of_danger_is_answered_with_the_number_in_every_role_and_mode(
    locale: str, intent: str
) -> None:
    book = real_book()

    fresh = State(locale=locale, locale_chosen=True)
    roles = (None, "child", "teen", "parent", "teacher")
    states = [fresh.with_(country=country) for country in (*PLACES, *book.directory.countries)]
    states += [
        fresh.with_(country=place, role=role, mode=mode)
        for place in PLACES
        for role in roles
        for mode in Mode
    ]

    broken = [state for state in states if not tells_the_number(book, state, intent=intent)]

    assert broken == []


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "i want to die"),
        ("ru", "хочу умереть"),
        ("be", "хачу памерці"),
        ("bn", "আমি মরে যেতে চাই"),
        ("ru", "hochu umeret"),
        ("bn", "ami more jete chai"),
    ],
)
@pytest.mark.parametrize("country", PLACES)
def test_what_the_lexicon_finds_is_answered_with_the_number(
    locale: str, words: str, country: str | None
) -> None:
    match = lexicon().first_match(words)
    assert match is not None
    state = State(locale=locale, country=country)
    event = text(words, means=match.intent, sure=1.0, danger=match.danger, by="lexicon", locale=match.locale)

    message = first_message(real_book(), state, event)

    numbers = directory.numbers(real_book().directory, country=country, countries=COUNTRIES)
    assert message is not None
    assert numbers
    assert all(number in message.text for number in numbers)


def test_an_intent_that_only_the_lexicon_knows_is_answered_with_the_number_too() -> None:
    state = State(locale="en", country="BD")

    assert tells_the_number(real_book(), state, intent="never heard of")


def test_the_small_world_keeps_the_promise_too() -> None:
    book = small_book()

    places = walk(book, locale="ru")

    assert {(flow, node) for flow, node, _ in places if flow} == waits(book)
    assert all(tells_the_number(book, state, intent="suicidal") for state in places.values())
