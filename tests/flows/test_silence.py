"""Is whoever falls silent in danger asked once, softly, and can they answer with one digit?"""

from __future__ import annotations

import re

import pytest

from flows.effects import Remind
from flows.events import WaitTimedOut
from flows.model import ROLES
from flows.state import State
from tests.flows.worlds import Talk, real_book, text

BOOK = real_book()
DANGERS = ("suicidal", "self_harm", "sexual_abuse", "immediate_danger", "friend_in_crisis", "feeling_bad")
#: Whoever writes about themselves may be in a room where they cannot speak.
CANNOT_TALK = ("suicidal", "self_harm", "sexual_abuse", "immediate_danger")


def silent(intent: str, *, locale: str = "en", role: str = "child") -> Talk:
    """A conversation in which nobody answered in time."""
    talk = Talk(BOOK, state=State(locale=locale, country="BY", role=role))
    talk.hear(text(means=intent))
    token = next(effect.token for effect in talk.effects if isinstance(effect, Remind))
    talk.hear(WaitTimedOut(token=token))
    return talk


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("locale", BOOK.locales)
@pytest.mark.parametrize("intent", DANGERS)
def test_a_silence_is_answered_once_and_with_a_digit_for_every_button(
    intent: str, locale: str, role: str
) -> None:
    talk = silent(intent, locale=locale, role=role)

    assert len(talk.messages) == 1
    for digit, choice in enumerate(talk.messages[0].choices, start=1):
        assert f"\n{digit}. {choice.title}\n" in f"{talk.messages[0].text}\n"
    assert not any(isinstance(effect, Remind) for effect in talk.effects)


@pytest.mark.parametrize("digit", ["1", "1.", "১"])
@pytest.mark.parametrize("intent", CANNOT_TALK)
def test_1_says_that_they_cannot_talk(intent: str, digit: str) -> None:
    talk = silent(intent)

    talk.hear(text(digit))

    assert talk.says[0].endswith(".cannot_talk")
    assert not any(isinstance(effect, Remind) for effect in talk.effects)


@pytest.mark.parametrize("intent", [*DANGERS[:-1]])
def test_nobody_in_danger_is_asked_to_say_it_in_other_words(intent: str) -> None:
    talk = Talk(BOOK)
    talk.hear(text(means=intent))

    talk.hear(text("…"))

    assert talk.says[0].endswith(".stay")
    assert "112" in talk.messages[0].text


@pytest.mark.parametrize("locale", BOOK.locales)
def test_where_somebody_may_look_at_the_phone_the_check_shows_nothing_of_the_matter(locale: str) -> None:
    talk = silent("abuse_at_home", locale=locale)

    assert not re.search(r"\d{3}", talk.messages[0].text)
    assert not any(isinstance(effect, Remind) for effect in talk.effects)
