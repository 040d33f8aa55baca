"""Is it told honestly how much professionals have reviewed, and only as long as something is missing?"""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.checks import not_reviewed
from flows.loader import load
from flows.model import Book
from flows.review import is_review
from flows.speech import Voice
from flows.state import State
from tests.flows.worlds import copy_small, real_book

WHO = "Anna Kavalenka, 2026-10-01"


def reviewed(root: Path, *names: str) -> Book:
    """The content of a folder after somebody has reviewed these files, or with no names every file."""
    files = [root / name for name in names] or [*root.glob("texts/*/*.yaml"), *root.glob("definitions/*")]
    for file in files:
        before = file.read_text(encoding="utf-8")
        assert "reviewed: not yet" in before
        file.write_text(before.replace("reviewed: not yet", f'reviewed: "{WHO}"'), encoding="utf-8")
    return load(root)


def told(book: Book, *, locale: str) -> str:
    voice = Voice(book, countries=("BY",))
    return voice.filled("{not_reviewed}", flow="welcome", state=State(locale=locale))


@pytest.mark.parametrize("said", ["not yet", WHO, "A. B., psychologist, 2024-02-29"])
def test_a_review_names_who_and_the_day_or_says_not_yet(said: str) -> None:
    assert is_review(said)


@pytest.mark.parametrize("said", ["", "yes", "Anna", "2026-10-01", ", 2026-10-01", "Anna, 2026-02-30"])
def test_anything_else_is_no_review(said: str) -> None:
    assert not is_review(said)


def test_a_visitor_reads_that_nothing_has_been_reviewed(tmp_path: Path) -> None:
    assert told(load(copy_small(tmp_path)), locale="en") == (
        "No psychologist has checked my answers yet (0 of 18)."
    )


def test_a_visitor_reads_that_only_some_has_been_reviewed(tmp_path: Path) -> None:
    book = reviewed(copy_small(tmp_path), "texts/en/insults.yaml")

    assert told(book, locale="en") == "Psychologists have checked only some of my answers so far (1 of 18)."
    assert told(book, locale="ru") == "Мои ответы психологи ещё не проверяли (0 из 18)."


def test_a_visitor_reads_nothing_of_it_once_everything_is_reviewed(tmp_path: Path) -> None:
    book = reviewed(copy_small(tmp_path))

    assert told(book, locale="en") == told(book, locale="ru") == ""
    assert not_reviewed(book) == ""


def test_the_number_that_is_not_reviewed_counts_flows_and_files_of_texts(tmp_path: Path) -> None:
    book = reviewed(copy_small(tmp_path), "texts/en/insults.yaml", "definitions/insults.yaml")
    flows, sheets = len(book.flows), sum(map(len, book.texts.sheets.values()))

    assert not_reviewed(book) == (
        f"{flows - 1} of {flows} flows and {sheets - 1} of {sheets} text files have not yet been reviewed"
        " by a psychologist."
    )


@pytest.mark.parametrize("locale", real_book().locales)
def test_whoever_asks_what_the_bot_is_reads_it_in_every_language(locale: str) -> None:
    texts = real_book().texts.sheets[locale]["who_are_you"].texts

    assert all("{not_reviewed}" in text.text for text in texts.values())


@pytest.mark.parametrize("locale", real_book().locales)
@pytest.mark.parametrize("role", [None, "child", "parent"])
def test_the_first_words_tell_everybody_how_many_texts_are_reviewed(locale: str, role: str | None) -> None:
    book = real_book()
    hello = book.texts.find("hello", flow="welcome", locale=locale, role=role)

    assert hello is not None
    said = Voice(book, countries=("BY",)).filled(hello.text, flow="welcome", state=State(locale=locale))
    assert book.texts.numeral(len(book.texts.sheets[locale]), locale=locale) in said
