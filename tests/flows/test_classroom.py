"""May anybody find out what a pupil has answered? Codes, thresholds, and what a turn of a class tells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import classroom, payload
from flows.checks import check
from flows.classroom import FOR_PUPILS, STEP, ClassNews, Counts
from flows.effects import AnswerClass, Effect, JoinClass, Say
from flows.events import ChoicePressed, ClassTold, ConversationStarted
from flows.model import CLASS_SURVEY, AskNode
from flows.speech import counted
from flows.state import Mode, State
from tests.flows.test_properties import FAST
from tests.flows.worlds import Talk, danger_text, real_book, text

ROOM = "0b5f1a52-7a0c-4a6e-9d3c-2d5a4f1f7a10"
QUESTIONS = tuple(name for name in real_book().flows[CLASS_SURVEY].nodes if counted(real_book(), name))


def pupil(*, locale: str = "en") -> Talk:
    """Somebody who has joined a class."""
    talk = Talk(real_book(), state=State(locale=locale, country="BY", locale_chosen=True))
    talk.hear(text("4821 7390", sure=0.0))
    talk.hear(ClassTold(news=ClassNews.JOINED, room=ROOM))
    return talk


def answers(effects: tuple[Effect, ...]) -> list[AnswerClass]:
    return [effect for effect in effects if isinstance(effect, AnswerClass)]


# What a turn gives away


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_but_the_sum_tells_what_a_pupil_chose(question: str) -> None:
    after = []
    for slug in counted(real_book(), question):
        talk = pupil()
        effects = talk.hear(
            ChoicePressed(payload=payload.for_choice(flow=CLASS_SURVEY, node=question, slug=slug))
        )
        assert [(answer.room, answer.question, answer.answer) for answer in answers(effects)] == [
            (ROOM, question, slug)
        ]
        rest = [effect for effect in effects if not isinstance(effect, AnswerClass)]
        after.append((talk.state.to_json(), rest))

    assert all(turn == after[0] for turn in after), "state and words are the same whatever was chosen"


def test_there_are_five_questions_and_each_may_be_passed_over() -> None:
    assert len(QUESTIONS) == 5
    assert all("rather_not" in counted(real_book(), question) for question in QUESTIONS)


def test_whoever_has_not_joined_is_not_counted() -> None:
    talk = Talk(real_book())

    assert answers(talk.hear(ChoicePressed(payload="n:class_survey:laugh:scroll"))) == []


def test_a_class_is_on_no_card_for_the_helpline() -> None:
    talk = pupil()

    assert {name for name in talk.state.slots if "class" in name} == {classroom.NEWS, classroom.ROOM}
    assert all(name in talk.state.kept_slots() for name in (classroom.NEWS, classroom.ROOM))


def test_danger_in_a_class_is_answered_as_always_and_the_class_stays_out_of_it() -> None:
    talk = pupil()
    talk.hear(ChoicePressed(payload="n:class_survey:welcome:begin"))

    effects = talk.hear(danger_text())

    assert talk.says[0] == "danger.care"
    assert answers(effects) == []
    assert talk.hear(ClassTold(news=ClassNews.JOINED, room=ROOM)) == ()


@pytest.mark.parametrize("news", ClassNews)
@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.STOPPED])
def test_news_of_a_class_never_talks_into_silence_or_into_a_talk_with_a_person(
    news: ClassNews, mode: Mode
) -> None:
    talk = Talk(real_book(), state=State(locale="en", mode=mode))

    assert talk.hear(ClassTold(news=news, room=ROOM)) == ()
    assert talk.state.mode is mode


@pytest.mark.parametrize("news", ClassNews)
@pytest.mark.parametrize("locale", real_book().locales)
def test_every_news_has_its_own_words_in_every_language(locale: str, news: ClassNews) -> None:
    talk = Talk(real_book(), state=State(locale=locale, role=None if news in FOR_PUPILS else "teacher"))
    talk.hear(ClassTold(news=news, room=ROOM, code="48217390", link="https://a.example/?class=48217390"))

    assert talk.says
    assert all("{" not in message.text for message in talk.messages)


# What the teacher sees

counts = st.dictionaries(
    st.sampled_from(QUESTIONS),
    st.dictionaries(st.sampled_from(["scroll", "adult", "hurts", "one"]), st.integers(0, 40), max_size=4),
    max_size=5,
)


@given(counts)
@FAST
def test_a_question_that_too_few_have_answered_is_not_shown_at_all(several: Counts) -> None:
    shown = classroom.may_be_shown(several)

    assert set(shown) == {name for name, chosen in several.items() if sum(chosen.values()) >= STEP}


@given(counts)
@FAST
def test_no_number_below_the_step_and_none_between_two_steps_is_shown(several: Counts) -> None:
    for question, chosen in classroom.may_be_shown(several).items():
        for answer, number in chosen.items():
            assert number % STEP == 0
            assert number <= several[question][answer] < number + STEP


@given(counts, st.sampled_from(QUESTIONS), st.sampled_from(["scroll", "adult", "hurts", "one"]))
@FAST
def test_one_pupil_more_changes_one_number_by_one_step_at_most(
    several: Counts, question: str, answer: str
) -> None:
    chosen = several.get(question, {})
    more = {**several, question: {**chosen, answer: chosen.get(answer, 0) + 1}}
    before = classroom.may_be_shown(several).get(question, {})
    after = classroom.may_be_shown(more).get(question, {})

    changed = {name for name in after if after[name] != before.get(name, 0)}
    assert changed <= {answer}
    assert after.get(answer, 0) - before.get(answer, 0) in (0, STEP)


@given(counts)
@FAST
def test_what_was_made_fit_to_be_shown_stays_so(several: Counts) -> None:
    shown = classroom.may_be_shown(several)

    assert all(
        classroom.in_steps(number) == number for chosen in shown.values() for number in chosen.values()
    )


def test_the_bars_are_words_and_blocks_in_the_order_of_the_buttons() -> None:
    talk = Talk(real_book(), state=State(locale="en", role="teacher"))
    results = classroom.may_be_shown({"joke": {"hurts": 17, "never": 4}, "know": {"one": 4}})
    talk.hear(ClassTold(news=ClassNews.RESULTS, results=results))

    told = {message.key: message.text for message in talk.messages}
    assert told["class_told.for_joke"].splitlines()[1:6] == [
        "When it hurts Alex: ▮▮▮ 15 or more",
        "When it goes on after “stop”: fewer than 5",
        "It never was one: fewer than 5",
        "It's still a joke: fewer than 5",
        "I'd rather not say: fewer than 5",
    ]
    assert "4" not in told["class_told.for_know"]


# Codes and links


@pytest.mark.parametrize(
    "written", ["48217390", " 4821 7390 ", "4821-7390", "৪৮২১ ৭৩৯০", "4821\u00a07390", "٤٨٢١٧٣٩٠"]
)
def test_a_code_is_read_however_it_is_written(written: str) -> None:
    assert classroom.code_in(written) == "48217390"


@pytest.mark.parametrize(
    "written", ["", "4821739", "482173901", "my code is 48217390", "4821739O", "②②②②②②②②", "+48217390"]
)
def test_anything_else_is_no_code(written: str) -> None:
    assert classroom.code_in(written) is None


@given(st.text(max_size=20))
@FAST
def test_a_code_is_digits_whatever_was_typed(written: str) -> None:
    code = classroom.code_in(written)

    assert code is None or (len(code) == 8 and code.isascii() and code.isdigit())


def test_a_link_leads_into_the_class_and_no_campaign_is_kept_of_it() -> None:
    talk = Talk(real_book())
    effects = talk.hear(ConversationStarted(locale="ru", country="BY", campaign="class_48217390"))

    assert JoinClass(code="48217390") in effects
    assert talk.says == ["welcome.hello", "class_survey.looking"]
    assert talk.state.campaign is None


def test_a_code_inside_a_free_text_question_stays_an_answer() -> None:
    book = real_book()
    collects = [
        (flow.name, name)
        for flow in book.flows.values()
        for name, node in flow.nodes.items()
        if hasattr(node, "collect")
    ]
    flow, node = collects[0]
    talk = Talk(book)
    talk.hear(ChoicePressed(payload="m"))
    frames = (replace(talk.state.frames[-1], flow=flow, node=node),)
    talk.state = talk.state.with_(frames=frames, wait=replace(talk.state.wait, kind="text"))  # type: ignore[type-var]

    assert not any(isinstance(effect, JoinClass) for effect in talk.hear(text("48217390", sure=0.0)))


# Checks for editors


def test_an_editor_is_told_when_an_answer_would_show_in_what_follows() -> None:
    book = real_book()
    flow = book.flows[CLASS_SURVEY]
    laugh = flow.nodes["laugh"]
    assert isinstance(laugh, AskNode)
    broken = replace(laugh, choices={**laugh.choices, "adult": "thanks"}, save="my_answer")
    book = replace(
        book, flows={**book.flows, CLASS_SURVEY: replace(flow, nodes={**flow.nodes, "laugh": broken})}
    )

    said = [problem.sentence for problem in check(book)]

    assert "the buttons of 'laugh' must all lead to the same node: its answers are only counted." in said
    assert "'laugh' cannot have 'save': its answers are only counted." in said


def test_every_message_of_the_results_fits() -> None:
    full = {question: dict.fromkeys(counted(real_book(), question), 60) for question in QUESTIONS}
    for locale in real_book().locales:
        talk = Talk(real_book(), state=State(locale=locale, role="teacher"))
        talk.hear(ClassTold(news=ClassNews.RESULTS, results=full))
        assert all(len(message.text) <= 900 for message in talk.effects if isinstance(message, Say))
