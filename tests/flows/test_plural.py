"""Do the words go with the number, in every language that counts people?"""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import directory, plural
from flows.checks import check
from flows.loader import ContentInvalid, load
from flows.texts import form_of, plain_key
from tests.flows.worlds import copy_small, real_book


@pytest.mark.parametrize(
    ("locale", "numbers", "form"),
    [
        ("en", (1,), "one"),
        ("en", (0, 2, 11, 21, 100), "other"),
        ("ru", (1, 21, 101, 1001), "one"),
        ("ru", (2, 3, 4, 22, 104), "few"),
        ("ru", (0, 5, 11, 12, 13, 14, 20, 25, 111, 112), "many"),
        ("be", (1, 31, 121), "one"),
        ("be", (2, 33, 124), "few"),
        ("be", (0, 7, 11, 14, 30), "many"),
        ("bn", (0, 1), "one"),
        ("bn", (2, 11, 21), "other"),
        ("pl", (1,), "one"),
        ("pl", (2, 24), "few"),
        ("pl", (0, 5, 12, 21), "many"),
        ("kk", (1,), "one"),
    ],
)
def test_each_number_has_the_form_that_cldr_gives_it(
    locale: str, numbers: tuple[int, ...], form: str
) -> None:
    assert {plural.form(number, locale=locale) for number in numbers} == {form}
    assert form in plural.forms(locale)


@pytest.mark.parametrize("locale", ["en", "ru", "be", "bn", "pl", "xx"])
def test_a_language_has_exactly_the_forms_that_its_numbers_take(locale: str) -> None:
    taken = {plural.form(number, locale=locale) for number in range(200)}

    assert taken == set(plural.forms(locale))
    assert plural.form(7, locale=locale) == plural.forms(locale)[-1]


def test_a_translator_is_shown_numbers_of_each_form() -> None:
    assert plural.examples("few", locale="ru") == (2, 3, 4, 22)
    assert plural.examples("one", locale="en") == (1,)
    assert plural.examples("few", locale="en") == ()


def test_bangla_numbers_are_written_in_bangla_digits() -> None:
    assert real_book().texts.numeral(107, locale="bn") == "১০৭"
    assert real_book().texts.numeral(107, locale="ru") == "107"


def test_a_key_is_read_without_its_form_and_variant() -> None:
    assert [plain_key(key) for key in ("a", "a@BY", "a#few", "a#few@teen")] == ["a"] * 4
    assert [form_of(key) for key in ("a", "a@BY", "a#few", "a#few@teen")] == ["", "", "few", "few"]


@pytest.mark.parametrize(
    ("locale", "role", "place", "told"),
    [
        ("en", None, 1, "You are next in the line."),
        ("en", None, 2, "There is 1 person before you in the line."),
        ("en", "parent", 3, "There are 2 people before you in the line."),
        ("ru", None, 1, "Твоя очередь — следующая."),
        ("ru", None, 2, "Перед тобой в очереди 1 человек."),
        ("ru", "child", 4, "Перед тобой в очереди 3 человека."),
        ("ru", "parent", 13, "Перед вами в очереди 12 человек."),
        ("ru", "teacher", 22, "Перед вами в очереди 21 человек."),
        ("be", None, 3, "Перад табой у чарзе 2 чалавекі."),
        ("be", "parent", 6, "Перад вамі ў чарзе 5 чалавек."),
        ("bn", None, 2, "সারিতে তোমার আগে ১ জন আছেন।"),
        ("bn", "teacher", 12, "সারিতে আপনার আগে ১১ জন আছেন।"),
        ("en", None, None, "I cannot see your place in the line right now."),
        ("ru", "parent", None, "Сейчас я не вижу вашего места в очереди."),
    ],
)
def test_the_place_in_the_line_is_said_as_people_say_it(
    locale: str, role: str | None, place: int | None, told: str
) -> None:
    assert directory.place(real_book().texts, locale=locale, role=role, number=place) == told


@pytest.mark.parametrize(
    ("locale", "minutes", "told"),
    [
        ("en", 5, "Lately an answer took about 5 minutes."),
        ("en", 65, "Lately an answer took more than an hour."),
        ("en", None, "I don't know how long it will take."),
        ("ru", 5, "В последнее время ответа ждали около 5 минут."),
        ("ru", None, "Сколько ещё ждать, я не знаю."),
        ("be", 60, "Апошнім часам адказу чакалі каля 60 хвілін."),
        ("bn", 15, "ইদানীং উত্তর পেতে প্রায় ১৫ মিনিট লেগেছে।"),
        ("bn", 120, "ইদানীং উত্তর পেতে এক ঘণ্টার বেশি লেগেছে।"),
    ],
)
def test_how_long_an_answer_took_is_said_or_that_nobody_knows(
    locale: str, minutes: int | None, told: str
) -> None:
    assert directory.wait(real_book().texts, locale=locale, minutes=minutes) == told


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        (
            "texts/ru/directory.yaml",
            "place_known#few:",
            "# few:",
            "the label 'place_known#few' is missing in this language.",
        ),
        (
            "texts/en/directory.yaml",
            "place_next:",
            'place_known#few: "{number}"\nplace_next:',
            "'place_known#few' must have one of this language's forms: place_known#one, place_known#other.",
        ),
        (
            "texts/en/directory.yaml",
            "place_next:",
            'place_known: "{number}"\nplace_next:',
            "'place_known' must have one of this language's forms: place_known#one, place_known#other.",
        ),
        (
            "texts/ru/directory.yaml",
            "place_known#few@parent:",
            "# few:",
            "'place_known#one@parent' needs 'place_known#few@parent' beside it.",
        ),
        (
            "texts/en/insults.yaml",
            "believe:",
            'calm#one: "One."\nbelieve:',
            "'calm#one' is said without a number, so it cannot have the form 'one'.",
        ),
    ],
)
def test_a_form_too_few_or_too_many_is_told(
    tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    root = copy_small(tmp_path)
    spot = root / file
    before = spot.read_text(encoding="utf-8")
    assert old in before
    spot.write_text(before.replace(old, new, 1), encoding="utf-8")

    assert any(sentence in str(problem) for problem in check(load(root)))


def test_a_form_that_no_language_has_is_told(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    sheet = root / "texts" / "en" / "block.yaml"
    sheet.write_text(sheet.read_text(encoding="utf-8") + 'which#som: "x"\n', encoding="utf-8")

    with pytest.raises(ContentInvalid, match="'#som' is no form of a number"):
        load(root)
