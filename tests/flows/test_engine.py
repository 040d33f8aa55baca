"""Does a conversation go where the flows say, and come back from wherever it was led?"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from flows import engine, payload
from flows.desk import Desk
from flows.effects import Forget, Hand, LeaveCase, OpenCase, RaiseDanger, Relay, Remind, Say
from flows.events import (
    CaseClosed,
    CaseDelayed,
    CaseReturned,
    CaseTaken,
    ChoicePressed,
    ConversationStarted,
    DangerLevel,
    Guess,
    MediaKind,
    MediaReceived,
    Mention,
    OperatorWrote,
    VisitorLeft,
    WaitTimedOut,
)
from flows.hearing import MAX_TEXT
from flows.loader import load
from flows.model import text_keys
from flows.outcome import MAX_SAID, MAX_SLOT
from flows.run import MAX_DEPTH
from flows.state import Frame, Mode, Origin, Slot, State, Wait
from tests.flows.worlds import Talk, copy_small, danger_text, real_book, small_book, text


def talk(**changes: object) -> Talk:
    """A conversation in the small world, perhaps not at its beginning."""
    begun = Talk(small_book())
    begun.state = begun.state.with_(**changes)
    return begun


def press(payload: str) -> ChoicePressed:
    return ChoicePressed(payload=payload)


def insulted() -> Talk:
    """A conversation that stands at the question of the insults flow."""
    begun = talk()
    begun.hear(text("they call me a pig", means="insults"))
    assert begun.says == ["insults.believe", "insults.not_your_fault", "insults.what_helps"]
    return begun


# Starting


def test_a_conversation_starts_with_the_welcome() -> None:
    begun = talk()

    begun.hear(ConversationStarted())

    assert begun.says == ["welcome.hello", "welcome.who"]
    assert begun.payloads == ["n:welcome:who:child", "n:welcome:who:parent", "n:welcome:who:skip", "m"]


def test_a_link_sets_language_country_and_campaign() -> None:
    begun = Talk(small_book(), country=None)

    begun.hear(ConversationStarted(locale="ru", country="BD", campaign="school7"))

    assert (begun.state.locale, begun.state.country, begun.state.campaign) == ("ru", "BD", "school7")
    assert begun.messages[0].text == "Привет, я программа."


def test_what_a_link_says_is_bounded_and_checked() -> None:
    begun = talk()

    begun.hear(ConversationStarted(locale="xx", country="nowhere", campaign="x" * 500))

    assert (begun.state.locale, begun.state.country) == ("en", "BY")
    assert len(begun.state.campaign or "") == 64


def test_starting_again_keeps_danger_and_case() -> None:
    begun = talk(danger=DangerLevel.EMERGENCY, mode=Mode.WAITING)

    begun.hear(ConversationStarted())

    assert begun.says == ["welcome.hello", "welcome.who"]
    assert (begun.state.danger, begun.state.mode) == (DangerLevel.EMERGENCY, Mode.WAITING)


def test_an_unknown_language_becomes_the_fallback() -> None:
    assert engine.begin(small_book(), locale="xx").locale == "en"


def test_role_and_country_are_kept_and_change_the_words() -> None:
    begun = Talk(small_book(), country=None)
    begun.hear(ConversationStarted())

    begun.hear(press("n:welcome:who:parent"))
    assert begun.says == ["welcome.country"]
    assert [choice.title for choice in begun.messages[0].choices] == ["Belarus", "Bangladesh", "Skip", "Menu"]
    begun.hear(press("n:welcome:country:BD"))
    begun.hear(text(means="insults"))

    assert (begun.state.role, begun.state.country) == ("parent", "BD")
    assert begun.messages[0].text == "That hurts your child."
    assert [choice.title for choice in begun.messages[2].choices][1] == "Tell what happened"


def test_a_country_changes_the_words_too() -> None:
    assert insulted().messages[0].text == "That hurts, also in Belarus."


def test_skipping_a_question_leaves_what_is_known() -> None:
    begun = talk(role="parent")
    begun.hear(ConversationStarted())

    begun.hear(press("n:welcome:who:skip"))

    assert begun.state.role == "parent"


# Answering a question


@pytest.mark.parametrize("words", ["2", "2.", " Tell what happened! ", "tell WHAT happened"])
def test_a_choice_can_be_typed_by_title_or_number(words: str) -> None:
    begun = insulted()

    begun.hear(text(words))

    assert begun.says == ["insults.tell"]


@pytest.mark.parametrize(
    ("words", "means"), [("yeah", "unknown"), ("nope!", "unknown"), ("positively", "affirm")]
)
def test_yes_and_no_are_understood_by_word_and_by_intent(words: str, means: str) -> None:
    begun = insulted()

    begun.hear(text(words, means=means))

    assert begun.says == ["insults.calm"]


def test_a_number_that_no_choice_has_is_not_understood() -> None:
    begun = insulted()

    begun.hear(text("9"))

    assert begun.says == ["common.not_understood"]


def test_free_text_is_collected_and_not_taken_for_another_matter() -> None:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:tell"))

    begun.hear(text("and then they threatened me", means="threats", sure=0.99))

    assert begun.says == ["insults.thanks", "insults.calm"]
    assert begun.state.answer("story") == "and then they threatened me"


def test_free_text_can_be_skipped_by_button_and_by_word() -> None:
    for event in (press("n:insults:tell:skip"), text("skip")):
        begun = insulted()
        begun.hear(press("n:insults:what_helps:tell"))

        begun.hear(event)

        assert begun.says == ["insults.calm"]
        assert "story" not in begun.state.slots


def test_a_short_clear_wish_interrupts_even_free_text() -> None:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:tell"))

    begun.hear(text("connect me to somebody", means="talk_to_human", sure=0.95))
    assert begun.says == ["handover.offer"]
    begun.hear(press("n:handover:offer:no"))

    assert begun.says == ["handover.not_now", "common.back_to", "insults.tell"]


def test_a_long_text_is_a_story_even_if_it_sounds_like_a_wish() -> None:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:tell"))

    begun.hear(text("I told them to stop writing to me " * 4, means="stop", sure=0.99))

    assert begun.says == ["insults.thanks", "insults.calm"]


@pytest.mark.parametrize("words", ["stop", "a person", "menu"])
def test_the_words_for_stop_person_and_menu_need_no_model(words: str) -> None:
    for begun in (talk(), insulted()):
        begun.hear(text(words, means="unknown", sure=0.0, by="outage"))

        assert begun.says[0] in ("stop.stopped", "handover.offer", "menu.what")


def test_a_slot_is_bounded() -> None:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:tell"))

    begun.hear(text("я" * 9000))

    assert len(begun.state.answer("story")) == MAX_SLOT


# Another matter in between


def test_another_matter_is_answered_and_the_question_comes_back() -> None:
    begun = insulted()

    begun.hear(text("thanks", means="thanks"))

    assert begun.says == ["thanks.welcome", "common.back_to", "insults.what_helps"]
    assert begun.payloads[0] == "n:insults:what_helps:block"


def test_the_same_matter_again_is_heard_and_the_question_asked_again() -> None:
    begun = insulted()

    begun.hear(text("and they threaten me", means="threats"))

    assert begun.says == ["common.heard", "insults.what_helps"]
    assert begun.state.danger is DangerLevel.URGENT
    assert begun.state.intents == ("insults", "threats")


def test_a_flow_knows_the_intent_that_led_to_it_even_after_an_interruption() -> None:
    begun = talk()
    begun.hear(danger_text(intent="self_harm"))
    assert begun.says == ["danger.harm_care"]

    begun.hear(text("hello?", means="affirm"))

    assert begun.says == ["thanks.fine", "common.back_to", "danger.harm_care"]


def test_flows_inside_flows_are_bounded() -> None:
    deep = tuple(Frame(flow="insults", node="what_helps") for _ in range(40))
    begun = talk(frames=deep, wait=Wait(kind="choice", token="1.1"))

    begun.hear(text(means="thanks"))
    begun.hear(danger_text())

    assert len(begun.state.frames) <= MAX_DEPTH
    assert begun.says == ["danger.care"]


def test_a_person_is_reached_however_deep_the_talk_is() -> None:
    deep = tuple(
        Frame(flow="how_to_block", node="which") if number % 2 else Frame(flow="menu", node="menu")
        for number in range(MAX_DEPTH - 1)
    )
    begun = Talk(
        real_book(),
        state=State(
            locale="en",
            frames=(*deep, Frame(flow="insults", node="what_helps")),
            wait=Wait(kind="choice", token="1.1"),
        ),
    )

    begun.hear(ChoicePressed(payload=payload.for_choice(flow="insults", node="what_helps", slug="person")))

    assert begun.says[0].startswith("handover.")
    assert len(begun.state.frames) <= MAX_DEPTH


# Not understood


def test_at_rest_the_two_best_guesses_are_offered() -> None:
    ranking = (
        Guess(intent="threats", confidence=0.2),
        Guess(intent="affirm", confidence=0.9),
        Guess(intent="insults", confidence=0.3),
        Guess(intent="nonsense", confidence=0.8),
        Guess(intent="stop", confidence=0.1),
    )
    begun = talk()

    begun.hear(text("blah", means="insults", sure=0.3, ranking=ranking))

    assert begun.says == ["not_understood.sorry"]
    assert [choice.title for choice in begun.messages[0].choices] == [
        "Somebody insults me",
        "Somebody threatens me",
        "Menu",
        "Talk to a person",
    ]
    begun.hear(press("i:insults"))
    assert begun.says[0] == "insults.believe"
    assert [frame.flow for frame in begun.state.frames] == ["insults"]


def test_in_a_question_the_guesses_stand_beside_its_buttons_and_it_stays_open() -> None:
    begun = insulted()

    begun.hear(text("blah", ranking=(Guess(intent="stop", confidence=0.3),)))

    assert begun.says == ["common.not_understood"]
    assert begun.payloads == ["i:stop"] + [
        f"n:insults:what_helps:{slug}" for slug in ("block", "tell", "yes", "no", "person")
    ]
    begun.hear(text("no"))
    assert begun.says == ["insults.calm"]


def test_the_second_miss_also_offers_a_person() -> None:
    begun = talk()
    begun.hear(text("blah"))

    begun.hear(text("blub"))
    assert begun.says == ["common.not_understood_again"]
    assert "i:talk_to_human" in begun.payloads
    begun.hear(text("thanks", means="thanks"))

    assert begun.state.misses == 0


def test_a_flow_may_say_itself_what_happens_to_what_it_does_not_understand() -> None:
    begun = insulted()
    assert begun.state.wait is not None
    begun.hear(WaitTimedOut(token=begun.state.wait.token))
    assert begun.says == ["insults.nudge"]

    begun.hear(text("blah"))

    assert begun.says == ["insults.calm"]


# Buttons


def test_an_old_button_works_later() -> None:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:no"))
    begun.hear(press("i:help"))

    begun.hear(press("n:insults:what_helps:tell"))

    assert begun.says == ["insults.tell"]


def test_a_button_of_the_caller_ends_what_was_called() -> None:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:block"))
    assert begun.says == ["block.which"]

    begun.hear(press("n:insults:what_helps:tell"))

    assert [frame.flow for frame in begun.state.frames] == ["insults"]


def test_a_called_flow_comes_back_to_its_caller() -> None:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:block"))

    begun.hear(press("n:block:which:telegram"))

    assert begun.says == ["block.steps", "insults.what_helps"]
    assert begun.messages[0].text.startswith("On Telegram: Telegram: chat → the name at the top")


@pytest.mark.parametrize(
    "payload",
    ["", "x", "n:", "n:insults:gone:x", "n:gone:a:b", "n:insults:what_helps:gone", "n:insults:believe:x",
     "n:insults:tell:gone", "i:gone", "i:", "n:a:b:c:d", "й" * 60, "\x00", "n:welcome:country:QQ"],
)  # fmt: skip
def test_an_unknown_button_gets_a_kind_answer_and_the_menu(payload: str) -> None:
    begun = insulted()

    begun.hear(press(payload))

    assert begun.says == ["common.old_button"]
    assert begun.payloads == ["m"]
    assert begun.state.frames[-1].flow == "insults"


def test_the_menu_button_keeps_the_place_to_come_back_to() -> None:
    begun = insulted()

    begun.hear(press("m"))

    assert begun.says == ["menu.what"]
    assert [frame.flow for frame in begun.state.frames] == ["insults", "menu"]


# Waiting


def test_a_question_with_a_time_limit_asks_to_be_reminded() -> None:
    begun = insulted()

    reminders = [effect for effect in begun.effects if isinstance(effect, Remind)]

    assert begun.state.wait is not None
    assert reminders == [Remind(after=timedelta(minutes=10), token=begun.state.wait.token)]


def test_a_stale_timer_changes_nothing() -> None:
    begun = insulted()
    before = begun.state
    assert before.wait is not None
    old = before.wait.token
    begun.hear(text(means="thanks"))
    asked_again = begun.state

    begun.hear(WaitTimedOut(token=old))

    assert begun.effects == ()
    assert begun.state == asked_again


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.STOPPED])
def test_a_timer_is_silent_while_an_operator_talks_and_after_stop(mode: Mode) -> None:
    begun = insulted()
    begun.state = begun.state.with_(mode=mode)
    assert begun.state.wait is not None

    begun.hear(WaitTimedOut(token=begun.state.wait.token))

    assert begun.effects == ()


# What is not text


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (MediaKind.PHOTO, "common.media_photo"),
        (MediaKind.VOICE, "common.media_voice"),
        (MediaKind.FILE, "common.media"),
        (MediaKind.LOCATION, "common.media_location"),
    ],
)
def test_what_is_not_text_gets_a_kind_answer_and_the_question_stays(kind: MediaKind, key: str) -> None:
    begun = insulted()
    wait = begun.state.wait

    begun.hear(MediaReceived(kind=kind))

    assert begun.says == [key]
    assert begun.state.wait == wait


# Danger


def test_danger_comes_before_everything_else_and_returns() -> None:
    begun = insulted()

    begun.hear(danger_text())
    assert begun.says == ["danger.care"]
    assert "8-801-100-16-11" in begun.messages[0].text
    assert "112" in begun.messages[0].text
    assert begun.state.danger is DangerLevel.EMERGENCY
    begun.hear(press("n:danger:care:keep_talking"))
    begun.hear(text("yes"))

    assert begun.says == ["danger.breathe", "common.back_to", "insults.what_helps"]
    assert begun.state.danger is DangerLevel.EMERGENCY


def test_danger_while_talking_about_danger_gives_the_number_again() -> None:
    begun = talk()
    begun.hear(danger_text())
    begun.hear(press("n:danger:care:keep_talking"))

    begun.hear(danger_text())

    assert begun.says == ["danger.care"]
    assert len(begun.state.frames) == 1


def test_the_model_may_find_danger_too_if_it_is_sure_enough() -> None:
    sure, unsure = talk(), talk()

    sure.hear(text("i cannot go on", means="suicidal", sure=0.5))
    unsure.hear(
        text(
            "i cannot go on", means="suicidal", sure=0.2, ranking=(Guess(intent="suicidal", confidence=0.2),)
        )
    )

    assert sure.says == ["danger.care"]
    assert unsure.says == ["not_understood.sorry"]
    assert "i:suicidal" in unsure.payloads


def test_danger_is_answered_in_the_language_that_it_was_written_in() -> None:
    begun = talk()

    begun.hear(danger_text("хочу умереть", locale="ru"))

    assert begun.messages[0].text.startswith("Хорошо, что ты пишешь.")
    assert begun.state.locale == "ru"
    assert not begun.state.locale_chosen


def test_a_chosen_language_stays() -> None:
    begun = talk(locale_chosen=True)

    begun.hear(danger_text("hochu umeret", locale="ru-Latn"))

    assert begun.messages[0].text.startswith("I am glad you wrote.")


def test_other_urgent_matters_raise_the_danger_and_keep_their_own_flow() -> None:
    begun = talk()

    begun.hear(text("they will beat me", means="threats"))

    assert begun.says[0] == "insults.believe"
    assert begun.state.danger is DangerLevel.URGENT


def test_a_guess_button_that_means_danger_leads_to_the_danger_flow() -> None:
    begun = insulted()

    begun.hear(press("i:suicidal"))

    assert begun.says == ["danger.care"]


def test_without_a_danger_flow_there_are_still_care_and_a_number(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    (root / "definitions" / "danger.yaml").unlink()
    begun = Talk(load(root))

    begun.hear(danger_text())

    assert begun.says == ["common.emergency"]
    assert "8-801-100-16-11" in begun.messages[0].text


@pytest.mark.parametrize("country", ["BY", "BD", None, "AM", "ZZ"])
def test_the_emergency_words_need_no_state(country: str | None) -> None:
    class Found:
        locale = "ru-Latn"

    said = engine.emergency_say(small_book(), Found(), locale="en", country=country)
    sorry = engine.emergency_say(small_book(), None, locale="en", country=country)

    assert (said.key, sorry.key) == ("common.emergency", "common.outage")
    assert said.text.startswith("Хорошо")
    for message in (said.text, sorry.text):
        assert any(number in message for number in ("8-801-100-16-11", "1098", "112"))
        assert "{" not in message


# A person


def open_case() -> Talk:
    begun = insulted()
    begun.hear(press("n:insults:what_helps:person"))
    begun.hear(text("yes"))
    return begun


def test_a_case_is_opened_with_a_card_and_the_consent_that_was_shown() -> None:
    begun = open_case()

    opened = [effect for effect in begun.effects if isinstance(effect, OpenCase)]
    assert len(opened) == 1
    assert opened[0].reason == "talk_to_human"
    assert opened[0].consent == "Shall a person read this chat?"
    assert opened[0].card == {"country": "BY", "harm": "insults", "intents": "insults"}
    assert begun.state.mode is Mode.WAITING
    assert begun.says == ["handover.waiting", "insults.what_helps"]
    assert "I cannot see your place in the line right now." in begun.messages[0].text


def test_the_place_in_the_line_is_told_where_the_shell_knows_it() -> None:
    begun = open_case()

    turn = engine.resume(small_book(), begun.state, press("i:talk_to_human"), desk=Desk(place=3, minutes=10))
    left = engine.resume(
        small_book(), turn.state, press("n:handover:already:wait"), desk=Desk(place=3, minutes=10)
    )

    says = [effect.text for effect in left.effects if isinstance(effect, Say)]
    assert says[0] == (
        "A person will come. There are 2 people before you in the line."
        " Lately an answer took about 10 minutes."
    )


def test_a_case_carries_the_greater_of_the_danger_of_node_and_conversation() -> None:
    begun = talk(danger=DangerLevel.URGENT)
    begun.hear(press("i:talk_to_human"))

    begun.hear(text("yes"))

    assert [effect.danger for effect in begun.effects if isinstance(effect, OpenCase)] == [DangerLevel.URGENT]


def test_while_a_case_waits_the_bot_answers_and_passes_on() -> None:
    begun = open_case()

    begun.hear(text("no"))

    assert begun.effects[0] == Relay(text="no")
    assert begun.says == ["insults.calm"]


def test_a_second_case_is_not_opened_and_danger_is_raised_instead() -> None:
    begun = open_case()

    begun.hear(danger_text())
    assert RaiseDanger(danger=DangerLevel.EMERGENCY) in begun.effects
    assert Relay(text="I want to die", danger=DangerLevel.EMERGENCY) in begun.effects
    begun.hear(press("n:danger:care:connect"))

    assert begun.says[0] == "danger.waiting"
    assert not [effect for effect in begun.effects if isinstance(effect, OpenCase | RaiseDanger)]


def test_an_operator_talks_and_the_bot_only_passes_on() -> None:
    begun = open_case()

    begun.hear(CaseTaken())
    assert begun.says == ["handover.taken"]
    begun.hear(OperatorWrote(text="Hi, I am here."))
    assert begun.messages == [Say(key="", text="Hi, I am here.", sender="operator")]
    begun.hear(text("they insult me", means="insults"))

    assert list(begun.effects) == [Relay(text="they insult me")]


def test_danger_is_answered_also_while_an_operator_talks() -> None:
    begun = talk(mode=Mode.LIVE)

    begun.hear(danger_text())

    assert begun.effects[0] == Relay(text="I want to die", danger=DangerLevel.EMERGENCY)
    assert begun.effects[1] == RaiseDanger(danger=DangerLevel.EMERGENCY)
    assert begun.says == ["danger.care"]
    assert begun.state.mode is Mode.LIVE


def test_a_long_text_of_an_operator_arrives_whole() -> None:
    begun = talk(mode=Mode.LIVE)
    words = "".join(str(number) for number in range(3000))

    begun.hear(OperatorWrote(text=words))

    assert "".join(message.text for message in begun.messages) == words
    assert all(len(message.text) <= MAX_TEXT for message in begun.messages)


def test_an_operator_who_writes_is_heard_even_if_the_state_was_lost() -> None:
    begun = talk()

    begun.hear(OperatorWrote(text="Are you there?"))
    begun.hear(text("yes"))

    assert begun.effects == (Relay(text="yes"),)


def test_a_returned_case_waits_again() -> None:
    begun = talk(mode=Mode.LIVE)

    begun.hear(CaseReturned())

    assert begun.says == ["handover.returned"]
    assert begun.state.mode is Mode.WAITING


def test_a_delayed_case_is_told_with_a_number() -> None:
    begun = talk(mode=Mode.WAITING)

    begun.hear(CaseDelayed())

    assert begun.says == ["common.delayed"]
    assert "8-801-100-16-11" in begun.messages[0].text


def test_a_closed_case_ends_the_danger_and_what_was_noted() -> None:
    begun = open_case()
    begun.hear(danger_text())
    begun.hear(CaseTaken())

    begun.hear(CaseClosed())

    assert begun.says == ["handover.closed"]
    assert begun.payloads == ["m"]
    assert begun.state.mode is Mode.BOT
    assert (begun.state.danger, begun.state.slots, begun.state.intents) == (DangerLevel.NONE, {}, ())


# What a text names outright


def named(*mentions: Mention) -> Talk:
    """A conversation whose first words name these."""
    begun = talk()
    begun.hear(text("they call me a pig", means="insults", mentions=mentions))
    return begun


def test_what_a_text_names_is_noted_for_the_flows_and_the_card() -> None:
    begun = named(
        Mention(kind="platform", value="telegram"),
        Mention(kind="time", value="since:last_week"),
        Mention(kind="relationship", value="classmate"),
    )

    assert begun.state.answer("platform") == "telegram"
    assert begun.state.answer("time") == "since last week"
    assert begun.state.answer("relationship") == "classmate"
    assert begun.state.slots["platform"].by is Origin.MENTION


def test_of_two_apps_none_is_noted_and_an_unknown_one_neither() -> None:
    two = named(Mention(kind="platform", value="telegram"), Mention(kind="platform", value="viber"))

    assert two.state.answer("platform") == ""
    assert named(Mention(kind="platform", value="dota")).state.answer("platform") == ""


@pytest.mark.parametrize(("age", "role"), [("11", "child"), ("13", "teen"), ("17", "teen"), ("34", None)])
def test_whoever_names_their_age_is_spoken_to_accordingly(age: str, role: str | None) -> None:
    assert named(Mention(kind="age", value=age, whose="self")).state.role == role


def test_the_age_of_another_says_nothing_of_who_writes() -> None:
    assert named(Mention(kind="age", value="11", whose="other")).state.role is None


def test_a_role_that_was_chosen_is_not_changed_by_an_age() -> None:
    begun = talk(role="teacher")

    begun.hear(text("i was 11", means="insults", mentions=(Mention(kind="age", value="11", whose="self"),)))

    assert begun.state.role == "teacher"


# What the visitor makes for themselves


NOTED = Slot(value="insults", by=Origin.FLOW, turn=1)


def planned(*, locale: str = "en") -> Talk:
    """A conversation in which a small plan was made."""
    begun = Talk(small_book(), locale=locale)
    begun.hear(press("m"))
    begun.hear(press("n:menu:what:plan"))
    begun.hear(text("music, {helpline} and a walk"))
    begun.hear(press("n:plan:whom:mum"))
    return begun


def test_answers_are_shown_in_words_of_their_own_and_typed_ones_as_they_were_typed() -> None:
    assert planned().messages[0].text == "I do this: music, {helpline} and a walk. I ask my mum."
    assert planned(locale="ru").messages[0].text.endswith("Попрошу: мою маму.")


@pytest.mark.parametrize(("harm", "words"), [("insults", "People insult me"), ("rumours", "spreading lies")])
def test_what_one_flow_has_noted_another_one_says_in_its_words(harm: str, words: str) -> None:
    begun = Talk(real_book())
    begun.state = begun.state.with_(role="child")

    begun.hear(text(means=harm))
    begun.hear(press(f"n:{harm}:what_helps:tell_adult"))
    begun.hear(press("n:help_me_tell:who:mum"))
    begun.hear(press("n:help_me_tell:want:listen"))

    message = next(said for said in begun.messages if said.key == "help_me_tell.message")
    assert words in message.text


def test_typed_words_are_never_taken_for_the_name_of_a_text_nor_kept_among_ours() -> None:
    begun = talk()
    begun.hear(press("n:plan:helps:skip"))
    begun.hear(press("n:menu:what:plan"))
    begun.hear(text("block"))

    begun.hear(press("n:plan:whom:mum"))

    assert begun.messages[0].text == "I do this: block. I ask my mum."
    assert not [spot for spot in begun.book.texts._found if "my_helps_block" in spot]


def test_an_answer_without_words_of_its_own_is_shown_as_its_button_says() -> None:
    begun = planned()

    begun.hear(press("n:plan:whom:teacher"))

    assert begun.messages[0].text.endswith("I ask A teacher.")


def test_what_was_not_answered_is_left_out() -> None:
    begun = talk()
    begun.hear(press("n:plan:helps:skip"))

    begun.hear(press("n:plan:whom:mum"))

    assert begun.messages[0].text == "I do this: . I ask my mum."


def test_a_document_is_handed_over_with_the_visitors_own_answers_alone() -> None:
    begun = planned()
    begun.state = begun.state.with_(role="teen", slots={**begun.state.slots, "harm": NOTED})

    begun.hear(press("n:plan:whom:mum"))

    assert [effect for effect in begun.effects if isinstance(effect, Hand)] == [
        Hand(
            document="plan",
            locale="en",
            role="teen",
            country="BY",
            slots={"my_helps": "music, {helpline} and a walk", "my_whom": "mum"},
        )
    ]


def test_every_answer_tells_how_and_when_it_came_about() -> None:
    begun = planned()
    begun.hear(text("they call me a pig", means="insults"))

    assert {name: (slot.by, slot.turn) for name, slot in begun.state.slots.items()} == {
        "my_helps": (Origin.WORDS, 3),
        "my_whom": (Origin.BUTTON, 4),
        "harm": (Origin.FLOW, 5),
    }


def test_answers_that_an_older_version_kept_are_read() -> None:
    old = json.loads(State(locale="en").to_json()) | {"v": 1, "slots": {"harm": "insults"}}

    assert State.from_json(json.dumps(old)).answers == {"harm": "insults"}


def test_what_is_the_visitors_own_outlives_a_case_and_no_operator_sees_it() -> None:
    begun = planned()
    mine = begun.state.slots

    begun.hear(press("i:talk_to_human"))
    begun.hear(press("n:handover:offer:yes"))
    cards = [effect.card for effect in begun.effects if isinstance(effect, OpenCase)]
    begun.hear(CaseTaken())
    begun.hear(CaseClosed())

    assert cards
    assert not [name for name in cards[0] if name.startswith("my_")]
    assert begun.state.slots == mine


@pytest.mark.parametrize("event", [CaseTaken(), CaseReturned(), CaseClosed(), CaseDelayed()])
@pytest.mark.parametrize("mode", [Mode.BOT, Mode.STOPPED])
def test_who_left_the_line_hears_nothing_of_it(event: CaseTaken, mode: Mode) -> None:
    begun = talk(mode=mode)

    begun.hear(event)

    assert begun.effects == ()
    assert begun.state.mode is mode


def test_the_visitor_can_leave_the_line() -> None:
    begun = open_case()
    begun.hear(text("a person"))
    assert begun.says == ["handover.already"]

    begun.hear(press("n:handover:already:leave"))

    assert LeaveCase() in begun.effects
    assert begun.says[0] == "handover.left"
    assert begun.state.mode is Mode.BOT


# Stop, forget, language


def test_stop_makes_the_bot_silent_until_the_visitor_writes() -> None:
    begun = open_case()

    begun.hear(text("stop"))
    assert LeaveCase() in begun.effects
    assert begun.says == ["stop.stopped"]
    assert (begun.state.mode, begun.state.frames) == (Mode.STOPPED, ())
    begun.hear(OperatorWrote(text="hello?"))
    assert begun.effects == ()
    begun.hear(text(means="thanks"))

    assert begun.says == ["thanks.welcome"]
    assert begun.state.mode == Mode.BOT.value


def test_danger_wakes_a_silent_bot() -> None:
    begun = talk(mode=Mode.STOPPED)

    begun.hear(danger_text())

    assert begun.says == ["danger.care"]


def test_forgetting_leaves_nothing_but_the_language() -> None:
    begun = open_case()
    begun.hear(press("i:delete_my_data"))

    begun.hear(text("yes"))

    assert begun.says == ["delete_my_data.done"]
    assert Forget() in begun.effects
    assert begun.state == State(locale="en", turn=begun.state.turn, said=("delete_my_data.done",))


def test_not_forgetting_returns_to_the_question() -> None:
    begun = insulted()
    begun.hear(press("i:delete_my_data"))

    begun.hear(text("no"))

    assert begun.says == ["delete_my_data.kept", "common.back_to", "insults.what_helps"]


def test_a_chosen_language_is_spoken_from_the_next_word_on() -> None:
    begun = insulted()
    begun.hear(press("i:change_language"))
    assert [choice.title for choice in begun.messages[0].choices] == ["English", "Русский", "Menu"]

    begun.hear(press("n:change_language:which:ru"))

    assert begun.messages[0].text == "Теперь по-русски."
    assert begun.says[-1] == "insults.what_helps"
    assert begun.state.locale_chosen


def test_who_blocked_us_is_not_written_to_and_leaves_the_line() -> None:
    begun = open_case()

    begun.hear(VisitorLeft())

    assert begun.effects == (LeaveCase(),)
    assert begun.state.mode is Mode.STOPPED


# What must not break


@pytest.mark.parametrize("frame", [Frame(flow="gone", node="a"), Frame(flow="insults", node="gone")])
def test_a_question_that_no_longer_exists_leads_kindly_to_the_menu(frame: Frame) -> None:
    begun = talk(
        frames=(frame,),
        wait=Wait(kind="choice", token="1.1"),
        danger=DangerLevel.URGENT,
        mode=Mode.WAITING,
    )

    begun.hear(text("2"))

    assert begun.says == ["common.lost", "menu.what"]
    assert (begun.state.danger, begun.state.mode) == (DangerLevel.URGENT, Mode.WAITING)


def test_a_caller_that_no_longer_exists_is_left_out() -> None:
    begun = talk(
        frames=(
            Frame(flow="insults", node="what_helps"),
            Frame(flow="gone", node="a"),
            Frame(flow="stop", node="x"),
        ),
        wait=Wait(kind="choice", token="1.1"),
    )
    begun.state = begun.state.with_(frames=(*begun.state.frames[:2], Frame(flow="block", node="which")))

    begun.hear(press("n:block:which:back"))

    assert begun.says == ["common.back_to", "insults.what_helps"]


@pytest.mark.parametrize(
    "nodes",
    [
        "a: {set: {x: y}, go: b}\n  b: {set: {x: z}, go: a}",
        "a: {say: hello, go: a}",
        "a: {call: welcome, go: a}",
    ],
)
def test_a_ring_of_nodes_ends_with_a_kind_word(tmp_path: Path, nodes: str) -> None:
    root = copy_small(tmp_path)
    (root / "definitions" / "welcome.yaml").write_text(
        f"flow: welcome\nnodes:\n  {nodes}\n", encoding="utf-8"
    )
    begun = Talk(load(root))

    begun.hear(ConversationStarted())

    assert begun.says[-1] == "common.lost"
    assert begun.payloads == ["m"]
    assert begun.state.frames == ()


def test_a_flow_that_says_nothing_still_answers(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    (root / "definitions" / "thanks.yaml").write_text(
        "flow: thanks\nintents: [thanks, affirm]\nnodes:\n  a: {end: true}\n", encoding="utf-8"
    )
    begun = Talk(load(root))

    begun.hear(text(means="thanks"))

    assert begun.says == ["common.heard"]


def test_without_welcome_and_menu_there_is_still_an_answer(tmp_path: Path) -> None:
    root = copy_small(tmp_path)
    for flow in ("welcome", "menu", "not_understood"):
        (root / "definitions" / f"{flow}.yaml").unlink()
    begun = Talk(load(root))

    for event in (ConversationStarted(), press("m"), text("blah")):
        begun.hear(event)

        assert begun.says


def test_what_was_said_is_remembered_but_bounded() -> None:
    begun = insulted()
    for _ in range(30):
        begun.hear(text(means="thanks"))

    assert len(begun.state.said) == MAX_SAID
    assert begun.state.said[-1] == "insults.what_helps"


def test_the_same_turn_twice_is_the_same() -> None:
    begun = insulted()

    turns = [engine.resume(small_book(), begun.state, text("no")) for _ in range(2)]

    assert turns[0] == turns[1]


def test_a_turn_tells_which_nodes_it_came_through_and_which_effects_are_theirs() -> None:
    book = small_book()

    turn = engine.resume(book, engine.begin(book, locale="en"), text("they call me names", means="insults"))

    (flow,) = {step.flow for step in turn.path}
    assert flow == "insults"
    assert turn.path[0].node == book.flows["insults"].start
    assert [step.effects for step in turn.path] == sorted(step.effects for step in turn.path)
    for step, following in zip(turn.path, turn.path[1:], strict=False):
        own = [
            effect.key for effect in turn.effects[step.effects : following.effects] if isinstance(effect, Say)
        ]
        node = book.flows["insults"].nodes[step.node]
        assert [key.partition(".")[2] for key in own] == list(text_keys(node))


def test_the_card_tells_answers_and_not_what_was_skipped() -> None:
    begun = Talk(real_book())
    begun.hear(text(means="insults"))
    for slug in ("weeks", "skip", "yes", "just_tell"):
        begun.hear(press(next(found for found in begun.payloads if found.endswith(f":{slug}"))))

    begun.hear(press("n:insults:what_helps:person"))
    begun.hear(press("n:handover:offer:yes"))
    begun.hear(press("n:handover:others:no"))

    card = next(effect.card for effect in begun.effects if isinstance(effect, OpenCase))
    assert (card["how_long"], card["still_going"]) == ("weeks", "yes")
    assert not {"how_many", "safe_now"} & card.keys()


def test_an_answer_that_tells_the_same_incident_again_loses_no_answer() -> None:
    begun = Talk(real_book())
    begun.hear(text(means="insults"))
    begun.hear(press("n:incident_questions:how_long:weeks"))

    begun.hear(text("the whole class calls me names", means="insults"))

    assert begun.says == ["incident_questions.unread", "incident_questions.still_going"]
    assert begun.state.answer("how_long") == "weeks"


def test_the_same_incident_told_at_the_menu_is_gone_into_again() -> None:
    begun = Talk(real_book())
    begun.hear(text(means="insults"))
    begun.hear(press("m"))

    begun.hear(text("they call me names", means="insults"))

    assert begun.says[0] == "insults.believe"


def test_a_way_round_a_question_is_no_answer_to_it() -> None:
    begun = Talk(real_book())
    begun.hear(press("n:insults:what_helps:block"))

    begun.hear(press("n:advice_block:which:back"))

    assert "platform" not in begun.state.slots


def test_a_flow_that_is_entered_by_name_leaves_a_way_on_too() -> None:
    turn = engine.enter(real_book(), engine.begin(real_book(), locale="en"), "advice_takedown")

    (said,) = [effect for effect in turn.effects if isinstance(effect, Say)]
    assert [choice.payload for choice in said.choices] == ["m"]
