"""Does a translator learn what a text is for, and is nothing taken back that would be wrong to say?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.translation import Kind, Spot, Translated, Unit, merge, units
from tests.flows.worlds import real_book, small_book


def unit(text: str, *, target: str = "ru") -> Unit:
    return next(unit for unit in units(small_book(), source="en", target=target) if str(unit.spot) == text)


def back(unit: Unit, words: str) -> Translated:
    return Translated(spot=str(unit.spot), source=unit.source, target=words)


def test_a_text_comes_with_its_place_its_audience_its_limit_and_its_placeholders() -> None:
    told = unit("danger:care")

    assert (told.kind, told.limit, told.audience) == (Kind.MESSAGE, 4096, "tests")
    assert told.places == ("danger.care",)
    assert told.placeholders == {"helpline", "emergency"}
    assert (told.file, told.line) == ("texts/en/danger.yaml", 2)
    assert told.note.startswith("Message, at danger.care. For tests. {emergency}: the emergency number.")


def test_a_button_comes_with_the_questions_that_have_it_and_the_letters_that_fit() -> None:
    told = unit("common::block")

    assert (told.kind, told.limit, told.source) == (Kind.BUTTON, 40, "Block them")
    assert "insults.what_helps" in told.places


def test_a_name_of_an_intent_is_a_button_and_a_list_of_words_is_none() -> None:
    assert unit("intents:insults").kind is Kind.BUTTON
    assert unit("engine:yes_words").kind is Kind.WORDS
    assert unit("engine:yes_words").source.startswith("yes, y, ")


def test_what_to_press_on_a_platform_is_translated_too() -> None:
    assert unit("directory/platforms:telegram.block").limit == 240
    assert unit("directory/platforms:other.name").kind is Kind.BUTTON


def test_a_variant_that_only_the_target_has_shows_what_it_stands_for() -> None:
    every = {str(unit.spot): unit for unit in units(real_book(), source="en", target="ru")}
    told = every["who_are_you:answer@parent"]

    assert told.source == every["who_are_you:answer"].source
    assert told.target != every["who_are_you:answer"].target
    assert told.audience == "parents"


def test_a_text_with_a_number_comes_in_the_forms_of_the_target_language() -> None:
    every = {str(unit.spot): unit for unit in units(small_book(), source="en", target="ru")}
    forms = {text: unit for text, unit in every.items() if text.startswith("directory:place_known")}

    assert {"directory:place_known#few", "directory:place_known#many@parent"} <= forms.keys()
    assert not any("#other" in text for text in forms)
    assert every["directory:place_known#few"].source == "There are {number} people before you in the line."
    assert every["directory:place_known#one@parent"].source.startswith("There is {number} person")
    assert "Said with the numbers 2, 3, 4, 22 and others" in every["directory:place_known#few"].note


def test_a_new_language_lacks_everything() -> None:
    every = units(small_book(), source="en", target="kk")

    assert not any(unit.target for unit in every)
    assert every[-1].spot == Spot(sheet="directory", key="", slug="kk")
    assert "The name of the language, in that language." in every[-1].note


def test_what_comes_back_as_it_went_changes_nothing() -> None:
    every = units(real_book(), source="en", target="bn")

    merged = merge(every, [back(unit, unit.target) for unit in every])

    assert (merged.changes, merged.problems, merged.stale, merged.empty) == ({}, (), (), 0)


def test_new_words_are_a_change_and_no_words_are_none() -> None:
    first, second = unit("insults:believe"), unit("insults:calm")

    merged = merge([first, second], [back(first, " Новое. "), back(second, "")])

    assert merged.changes == {Spot(sheet="insults", key="believe"): "Новое."}
    assert merged.empty == 1


def test_a_translation_of_words_that_have_changed_since_is_left_out_and_named() -> None:
    first = unit("insults:believe")

    merged = merge([replace(first, source="Other words.")], [back(first, "Новое.")])

    assert (merged.changes, merged.stale) == ({}, ("insults:believe",))


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        ("danger:care", "{emergency}", "'danger:care' lost {helpline}: put it back where it belongs"),
        ("insults:believe", "{helpline}", "'insults:believe' holds {helpline}, which the original does not."),
        ("common::block", "о" * 41, "'common::block' is 41 letters long; at most 40 fit"),
        ("intents:insults", "о" * 41, "'intents:insults' is 41 letters long; at most 40 fit"),
        ("engine:yes_words", ", ,", "'engine:yes_words' holds no word."),
    ],
)
def test_words_that_would_be_wrong_to_say_are_told_in_a_sentence(
    text: str, words: str, sentence: str
) -> None:
    merged = merge([unit(text)], [back(unit(text), words)])

    assert any(sentence in problem for problem in merged.problems), merged.problems


def test_an_unknown_and_a_doubled_text_are_told() -> None:
    first = unit("insults:believe")
    unknown = Translated(spot="insults:belive", source="x", target="y")

    merged = merge([first], [back(first, "Раз."), back(first, "Два."), unknown])

    assert merged.problems == (
        "'insults:believe' stands twice in the file.",
        "there is no text 'insults:belive'. Did you mean 'insults:believe'?",
    )
