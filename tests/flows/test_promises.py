"""What the bot promises and hands over: whoever takes over reads it, and nothing that was kept back."""

from __future__ import annotations

import pytest

from flows import engine
from flows.desk import Desk
from flows.effects import OpenCase, Say
from flows.events import ChoicePressed, DangerLevel
from flows.promises import PROMISES
from flows.speech import in_every_language
from flows.state import Origin, Slot, State
from tests.flows.worlds import real_book

COUNTRIES = ("BY", "BD")
PLAN = {
    "my_plan": "made",
    "my_plan_signs": "не могу спать",
    "my_plan_alone": "музыка",
    "my_plan_places": "open",
    "my_plan_people": "тётя",
    "my_plan_room": "open",
}


def test_every_promise_is_a_text_that_every_language_has() -> None:
    book = real_book()

    for key in PROMISES:
        sheet, _, name = key.partition(".")
        for locale in book.locales:
            found = book.texts.find(name, flow=sheet, locale=locale)
            assert found is not None, f"{key} in {locale}"
            assert found.name == key


def test_a_text_is_told_in_every_language_and_a_plan_in_none() -> None:
    state = _with_plan()

    offer = in_every_language(real_book(), "handover.offer", state=state, countries=COUNTRIES)

    assert set(offer) == {"en", "ru", "be", "bn"}
    assert offer["en"].startswith("I can put you through")
    assert in_every_language(real_book(), "safety_plan.plan", state=state, countries=COUNTRIES) == {}


def test_a_plan_is_handed_over_only_when_its_owner_says_so() -> None:
    shared, kept = _case("share"), _case("keep_mine")

    assert shared.plan == {name: value for name, value in PLAN.items() if name.startswith("my_plan_")}
    assert shared.scope == ("messages", "answers", "safety_plan")
    assert kept.plan == {}
    assert kept.scope == ("messages", "answers")
    assert not {name for case in (shared, kept) for name in case.card if "plan" in name}


def test_whoever_agreed_once_is_asked_again_for_another_case() -> None:
    turn = _pressed("share")

    assert turn.state.answer("plan_shared") == "no"


def test_the_card_says_where_each_answer_is_from_and_whom_to_call() -> None:
    state = _with_plan().with_(
        slots={"how_long": Slot(value="weeks", by=Origin.BUTTON, turn=1)}, country="BY", role="child"
    )
    offered = engine.resume(real_book(), state, ChoicePressed(payload="i:talk_to_human")).state
    asked = engine.resume(real_book(), offered, ChoicePressed(payload="n:handover:offer:yes")).state
    turn = engine.resume(real_book(), asked, ChoicePressed(payload="n:handover:others:no"))

    [case] = [effect for effect in turn.effects if isinstance(effect, OpenCase)]
    assert case.sources["how_long"] == "button"
    assert case.contacts["helpline"]
    assert case.contacts["emergency"]
    assert any(isinstance(effect, Say) and effect.key == "handover.waiting" for effect in turn.effects)


def _with_plan() -> State:
    slots = {name: Slot(value=value, by=Origin.WORDS, turn=1) for name, value in PLAN.items()}
    return engine.begin(real_book(), locale="ru", country="BY").with_(slots=slots)


def _pressed(slug: str) -> engine.Turn:
    state = _with_plan()
    for payload in ("i:talk_to_human", "n:handover:offer:yes", "n:handover:others:no"):
        state = engine.resume(real_book(), state, ChoicePressed(payload=payload)).state
    return engine.resume(real_book(), state, ChoicePressed(payload=f"n:handover:share_plan:{slug}"))


def _case(slug: str) -> OpenCase:
    [case] = [effect for effect in _pressed(slug).effects if isinstance(effect, OpenCase)]
    return case


@pytest.mark.parametrize("locale", real_book().locales)
def test_others_are_told_only_where_that_was_asked_and_agreed_to_for_this_case(locale: str) -> None:
    state = engine.begin(real_book(), locale=locale, country="BY")
    agreed, state = _asked(state, "yes")
    state = engine.resume(real_book(), state, ChoicePressed(payload="n:handover:already_waiting:leave")).state
    refused, _ = _asked(state, "no")
    in_danger = engine.resume(real_book(), state, ChoicePressed(payload="i:suicidal")).state
    turn = engine.resume(real_book(), in_danger, ChoicePressed(payload="n:danger:care:connect"))
    [danger] = [effect for effect in turn.effects if isinstance(effect, OpenCase)]

    asked = in_every_language(real_book(), "handover.others", state=state, countries=COUNTRIES)[locale]
    assert [case.consent_for_others for case in (agreed, refused, danger)] == [True, False, False]
    assert [asked in case.consent for case in (agreed, refused, danger)] == [True, False, False]
    assert not any("for_others" in case.card for case in (agreed, refused, danger))


@pytest.mark.parametrize("desk", [Desk(), Desk(here=True), Desk(here=False)])
@pytest.mark.parametrize("intent", sorted(real_book().intents))
def test_nobody_in_danger_is_asked_whether_others_may_be_told(intent: str, desk: Desk) -> None:
    book = real_book()
    state = engine.begin(book, locale="en", country="BY").with_(role="child")
    state = engine.resume(book, state, ChoicePressed(payload=f"i:{intent}"), desk=desk).state
    state = engine.resume(book, state, ChoicePressed(payload="i:talk_to_human"), desk=desk).state
    turn = engine.resume(book, state, ChoicePressed(payload="n:handover:offer:yes"), desk=desk)

    asked = any(isinstance(effect, Say) and effect.key == "handover.others" for effect in turn.effects)
    in_danger = book.intents[intent].rank >= DangerLevel.URGENT.rank
    assert asked is (not in_danger and desk.here is not False)
    assert asked is not any(isinstance(effect, OpenCase) for effect in turn.effects)


def _asked(state: State, answer: str) -> tuple[OpenCase, State]:
    """The case of somebody who answers so whether others may be told, and where they stand then."""
    for payload in ("i:talk_to_human", "n:handover:offer:yes", f"n:handover:others:{answer}"):
        turn = engine.resume(real_book(), state, ChoicePressed(payload=payload))
        state = turn.state
    [case] = [effect for effect in turn.effects if isinstance(effect, OpenCase)]
    return case, state
