"""Is the measure of how hard a text is to read what it says, in every language?"""

from __future__ import annotations

import pytest

from flows.level import is_long, level_of, readings, sentences_of, words_of
from tests.flows.worlds import real_book, small_book


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("That hurts. It is not your fault!", ["That hurts", "It is not your fault"]),
        ("Call {helpline}.\n\nNow: {emergency}.", ["Call", "Now"]),
        ("• Save proof.\n• Block them", ["• Save proof", "• Block them"]),
        ("Это больно… Правда? «Да.» Точка.", ["Это больно", "Правда", "«Да", "Точка"]),
        ("এটা ঠিক না। তুমি একা না।", ["এটা ঠিক না", "তুমি একা না"]),
        ("**Write** to [this page](https://a.example/b.c) now.", ["Write to this page now"]),
        ("It is 10.30 on e.g.", ["It is 10.30 on e.g"]),
        ("{helpline}\n112", []),
    ],
)
def test_a_text_falls_into_sentences(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("Don't answer: 5 of 10 don’t.", ["Don't", "answer", "of", "don’t"]),
        ("Кто-то пишет тебе — гадости", ["Кто-то", "пишет", "тебе", "гадости"]),
        ("তুমি “একা” না", ["তুমি", "একা", "না"]),
    ],
)
def test_numbers_and_signs_are_no_words(sentence: str, words: list[str]) -> None:
    assert words_of(sentence) == words


@pytest.mark.parametrize(
    ("word", "locale", "long"),
    [
        ("screen", "en", False),
        ("helpline", "en", True),
        ("скриншот", "ru", False),
        ("доказательство", "ru", True),
        ("камп'ютар", "be", False),
        ("паведамленне", "be", True),
        ("মানুষ", "bn", False),
        ("স্ক্রিনশট", "bn", True),
        ("বন্ধু", "bn", False),
        ("Häuschen", "de", True),
    ],
)
def test_what_is_long_depends_on_the_language(word: str, locale: str, long: bool) -> None:
    assert is_long(word, locale=locale) is long


def test_the_level_counts_words_sentences_and_long_words_and_names_the_longest() -> None:
    level = level_of(["Block them. Tell somebody whom you trust.", "Stop."], locale="en")

    assert (level.words, level.sentences, level.long) == (8, 3, 1)
    assert level.words_a_sentence == pytest.approx(8 / 3)
    assert level.share_of_long == pytest.approx(1 / 8)
    assert level.worst == ((5, "Tell somebody whom you trust"), (2, "Block them"))


def test_no_text_has_no_level() -> None:
    level = level_of(["{helpline}"], locale="en")

    assert (level.words_a_sentence, level.share_of_long, level.worst) == (0.0, 0.0, ())


def test_roles_that_read_the_same_share_a_row() -> None:
    found = [reading for reading in readings(real_book()) if reading.flow == "who_are_you"]

    assert [reading.roles for reading in found if reading.locale == "en"] == [
        ("child", "teen", "parent", "teacher")
    ]
    assert [reading.roles for reading in found if reading.locale == "ru"] == [
        ("child", "teen"),
        ("parent", "teacher"),
    ]


def test_only_texts_for_children_are_warned_of() -> None:
    hard = [reading for reading in readings(real_book()) if reading.warnings]

    assert all(set(reading.roles) & {"child", "teen"} for reading in hard)


def test_every_flow_is_measured_in_every_language() -> None:
    book = small_book()

    assert {(reading.flow, reading.locale) for reading in readings(book)} == {
        (name, locale) for name in (*book.flows, "tips") for locale in book.locales
    }
