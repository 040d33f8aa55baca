"""What does the bot make of the lexicon's word and the model's guesses together?"""

from __future__ import annotations

import pytest

from bot.nlu_client import NluClient, Parsed
from bot.understanding import NOT_UNDERSTOOD, Understander
from flows.events import DangerLevel, Guess, Mention
from flows.safety import load_lexicons
from tests.flows.worlds import REAL, real_book


@pytest.fixture
def understander() -> Understander:
    intents = real_book().intents
    return Understander(
        lexicon=load_lexicons(REAL / "lexicons"),
        nlu=NluClient("http://127.0.0.1:1", intents=intents),
        danger=intents,
        threshold=0.35,
    )


def ranking(**guesses: float) -> tuple[Guess, ...]:
    return tuple(Guess(intent=name, confidence=sure) for name, sure in guesses.items())


def test_a_sure_guess_is_acted_upon(understander: Understander) -> None:
    understood = understander.judge(Parsed(ranking=ranking(insults=0.9, rumours=0.05)))

    assert understood.intent == "insults"
    assert understood.doubt is None


def test_an_unsure_guess_is_not_understood_and_brings_its_likeliest_meanings(
    understander: Understander,
) -> None:
    understood = understander.judge(Parsed(ranking=ranking(insults=0.3, rumours=0.2, threats=0.05)))

    assert understood.intent == NOT_UNDERSTOOD
    assert [guess.intent for guess in understood.ranking[:2]] == ["insults", "rumours"]


def test_what_the_text_names_travels_with_what_it_means_but_not_the_words(
    understander: Understander,
) -> None:
    entities = (
        {"entity": "platform", "value": "telegram", "start": 3, "end": 7},
        {"entity": "age", "value": 11, "start": 12, "end": 14, "role": "self"},
    )

    understood = understander.judge(Parsed(ranking=ranking(insults=0.9), entities=entities))

    assert understood.mentions == (
        Mention(kind="platform", value="telegram"),
        Mention(kind="age", value="11", whose="self"),
    )


def test_of_two_equally_likely_matters_the_visitor_says_which_it_is(understander: Understander) -> None:
    understood = understander.judge(Parsed(ranking=ranking(insults=0.44, hate_speech=0.42)))

    assert understood.intent == NOT_UNDERSTOOD
    assert [guess.intent for guess in understood.ranking] == ["insults", "hate_speech"]


def test_a_fairly_likely_danger_is_asked_about_beside_what_was_understood(understander: Understander) -> None:
    understood = understander.judge(Parsed(ranking=ranking(feeling_bad=0.7, suicidal=0.2)))

    assert understood.intent == "feeling_bad"
    assert understood.danger is DangerLevel.NONE
    assert understood.doubt == "suicidal"


def test_several_faint_dangers_together_are_asked_about_too(understander: Understander) -> None:
    guesses = ranking(insults=0.8, self_harm=0.07, suicidal=0.06)

    assert understander.judge(Parsed(ranking=guesses)).doubt == "self_harm"


def test_a_fairly_likely_urgent_matter_is_asked_about_too(understander: Understander) -> None:
    guesses = ranking(insults=0.7, threats=0.1, offline_violence=0.15)

    understood = understander.judge(Parsed(ranking=tuple(sorted(guesses, key=lambda one: -one.confidence))))

    assert understood.intent == "insults"
    assert understood.doubt == "offline_violence"


def test_what_may_cost_a_life_is_asked_about_before_what_is_likelier(understander: Understander) -> None:
    guesses = ranking(exclusion=0.6, threats=0.2, suicidal=0.13)

    assert understander.judge(Parsed(ranking=guesses)).doubt == "suicidal"


def test_beside_an_urgent_matter_only_a_danger_to_life_is_asked_about(understander: Understander) -> None:
    assert understander.judge(Parsed(ranking=ranking(threats=0.6, blackmail=0.3))).doubt is None
    assert understander.judge(Parsed(ranking=ranking(threats=0.6, suicidal=0.2))).doubt == "suicidal"


def test_what_is_acted_upon_is_not_asked_about(understander: Understander) -> None:
    understood = understander.judge(Parsed(ranking=ranking(suicidal=0.6, feeling_bad=0.3)))

    assert understood.danger is DangerLevel.EMERGENCY
    assert understood.doubt is None


def test_the_most_dangerous_part_of_a_long_message_wins_and_the_rest_is_kept(
    understander: Understander,
) -> None:
    parsed = Parsed(
        ranking=ranking(insults=0.6, threats=0.2),
        parts=(ranking(insults=0.9), ranking(threats=0.8), ranking(greet=0.9)),
    )

    understood = understander.judge(parsed)

    assert understood.intent == "threats"
    assert understood.danger is DangerLevel.URGENT
    assert understood.secondary == ("insults",)


def test_a_danger_that_is_only_guessed_at_is_not_taken_for_said(understander: Understander) -> None:
    understood = understander.judge(Parsed(ranking=ranking(out_of_scope=0.62, suicidal=0.31)))

    assert understood.secondary == ()
    assert understood.doubt == "suicidal"


def test_a_danger_that_a_part_may_speak_of_is_asked_about(understander: Understander) -> None:
    parsed = Parsed(
        ranking=ranking(how_to_block=0.9, suicidal=0.05), parts=(ranking(suicidal=0.6, self_harm=0.2),)
    )

    assert understander.judge(parsed).doubt == "suicidal"


def test_an_unsure_part_changes_nothing(understander: Understander) -> None:
    parsed = Parsed(ranking=ranking(insults=0.9), parts=(ranking(threats=0.6),))

    assert understander.judge(parsed).intent == "insults"


def test_a_greeting_around_a_matter_is_not_the_matter(understander: Understander) -> None:
    parsed = Parsed(ranking=ranking(greet=0.6), parts=(ranking(exclusion=0.8),))

    assert understander.judge(parsed).intent == "exclusion"


async def test_the_lexicon_is_believed_without_asking_the_model(understander: Understander) -> None:
    # Given a model that cannot be reached
    understood = await understander.read("i want to die", locale="en")

    assert understood.by == "lexicon"
    assert understood.danger is DangerLevel.EMERGENCY


async def test_without_a_model_a_text_is_not_understood(understander: Understander) -> None:
    understood = await understander.read("they call me names", locale="en")

    assert (understood.intent, understood.by) == (NOT_UNDERSTOOD, "outage")
