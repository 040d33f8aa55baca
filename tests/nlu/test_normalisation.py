"""Does the normaliser make equal what children mean as equal, and break no letter?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.components.normalisation import MAX_CHARACTERS, normalise


@given(st.text())
def test_a_normalised_text_never_begins_with_a_slash(text: str) -> None:
    assert not normalise("/" + text).strip().startswith("/")
    assert not normalise(text).strip().startswith("/")


@given(st.text(alphabet=st.sampled_from("/／ \n\u200b\u202eaaаİßﷺ́")))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(min_size=MAX_CHARACTERS, max_size=5 * MAX_CHARACTERS))
def test_a_normalised_text_is_never_longer_than_the_limit(text: str) -> None:
    assert len(normalise(text)) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("Я  Хочу\tДомой", "я хочу домой"),
        ("heeeeelp meeee", "heelp mee"),
        ("ｐｉｇ", "pig"),
        ("/stop", "stop"),
        ("и\u0306", "й"),
        ("হ্যাঁ", "হ্যাঁ"),
        ("আমি ভালো নেই", "আমি ভালো নেই"),
        ("য়", "\u09af\u09bc"),
        ("ў", "ў"),
    ],
)
def test_equal_writing_becomes_equal(written: str, normalised: str) -> None:
    assert normalise(written) == normalised


def test_of_a_long_story_the_beginning_and_the_end_are_kept() -> None:
    story = "it began in may. " + "and then more. " * 200 + "how do i block him?"

    assert normalise(story).startswith("it began in may.")
    assert normalise(story).endswith("how do i block him?")
