"""Are short answers understood as people type them, without any model?"""

from __future__ import annotations

import pytest

from flows import reading
from tests.flows.worlds import real_book

TITLES = [("save_proof", "📸 Save proof"), ("yes", "Yes, connect me"), ("no", "No")]


def chosen(words: str, *, locale: str = "en", intent: str = "unknown") -> str | None:
    return reading.chosen(words, titles=TITLES, book=real_book(), locale=locale, intent=intent)


@pytest.mark.parametrize(
    "words", ["save proof", "SAVE PROOF!!", "  save   proof ", "📸 save proof", "1", "1)", "১", "1️"]
)
def test_a_title_or_its_number_is_a_choice(words: str) -> None:
    assert chosen(words.rstrip("️")) == "save_proof"


@pytest.mark.parametrize(
    ("locale", "yes", "no"),
    [("en", "ok", "nope"), ("ru", "Да!", "неа"), ("be", "так", "не"), ("bn", "হ্যাঁ", "না"), ("bn", "ji", "na")],
)
def test_yes_and_no_are_known_in_every_language(locale: str, yes: str, no: str) -> None:
    assert chosen(yes, locale=locale) == "yes"
    assert chosen(no, locale=locale) == "no"


def test_an_intent_can_mean_yes_or_no() -> None:
    assert chosen("by all means", intent="affirm") == "yes"
    assert chosen("by no means", intent="deny") == "no"


@pytest.mark.parametrize(
    "words", ["", "0", "4", "99", "save", "1 2", "yes " * 40, "😀", "‮", "no idea what to do"]
)
def test_anything_else_is_no_choice(words: str) -> None:
    assert chosen(words) is None


def test_yes_is_no_answer_to_a_question_without_yes() -> None:
    titles = [("block", "Block")]

    assert reading.chosen("yes", titles=titles, book=real_book(), locale="en", intent="affirm") is None


@pytest.mark.parametrize(
    ("words", "locale", "intent"),
    [
        ("MENU", "en", "help"),
        ("человек", "ru", "talk_to_human"),
        ("стоп!", "be", "stop"),
        ("মানুষ", "bn", "talk_to_human"),
        ("I told that person to stop", "en", None),
    ],
)
def test_menu_person_and_stop_are_known_as_words(words: str, locale: str, intent: str | None) -> None:
    assert reading.command(words, book=real_book(), locale=locale) == intent
