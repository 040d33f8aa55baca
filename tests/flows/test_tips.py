"""One tip a day, thirty in all, none after danger and none unasked: what the engine promises about tips."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import tips
from flows.effects import NextTip
from flows.events import CaseClosed, ChoicePressed, Event, TipDue, VisitorLeft
from flows.state import Mode, Origin, Slot, State
from tests.flows.test_properties import FAST
from tests.flows.worlds import Talk, danger_text, real_book, text

BEGIN = ChoicePressed(payload="n:daily_tip:offer:yes")
NO_MORE = ChoicePressed(payload="n:daily_tip:subscribed:no_more")


def subscriber(**state: Any) -> Talk:
    """Somebody in Belarus on Telegram who has just asked for tips."""
    talk = Talk(
        real_book(), state=State(**({"locale": "en", "country": "BY", "channel": "telegram"} | state))
    )
    talk.hear(BEGIN)
    return talk


def called(talk: Talk, day: str) -> list[str]:
    """The tips that come when the hour of this day has struck."""
    talk.hear(TipDue(token=talk.state.answer(tips.CALL), day=day))
    return [key for key in talk.says if key.startswith("tips.tip_")]


def pending(talk: Talk) -> list[NextTip]:
    return [effect for effect in talk.effects if isinstance(effect, NextTip)]


@pytest.mark.parametrize("role", [None, "child", "teen", "parent", "teacher"])
@pytest.mark.parametrize("locale", real_book().locales)
def test_thirty_tips_come_in_order_and_then_they_end(locale: str, role: str | None) -> None:
    talk = subscriber(locale=locale, locale_chosen=True, role=role)

    heard = [tip for day in range(31) for tip in called(talk, f"day {day}")]

    assert heard == [f"tips.{tip}" for tip in real_book().tips]
    assert len(heard) == 30
    assert not tips.come(talk.state.answers)
    assert pending(talk) == []


def test_the_last_tip_says_that_it_was_the_last() -> None:
    talk = subscriber()
    for day in range(30):
        called(talk, f"day {day}")

    assert talk.says == ["tips.tip_30", "tips.over"]


def test_no_day_has_two_tips_even_if_the_hour_strikes_twice() -> None:
    talk = subscriber()

    assert called(talk, "today") == ["tips.tip_01"]
    assert called(talk, "today") == []
    assert len(pending(talk)) == 1, "tomorrow's is still asked for"
    assert called(talk, "tomorrow") == ["tips.tip_02"]


def test_ending_and_beginning_again_on_one_day_brings_no_second_tip() -> None:
    talk = subscriber()
    called(talk, "today")
    talk.hear(NO_MORE)
    talk.hear(BEGIN)

    assert called(talk, "today") == []
    assert called(talk, "tomorrow") == ["tips.tip_02"], "and they go on where they ended"


def test_a_call_that_was_answered_is_not_answered_again() -> None:
    talk = subscriber()
    old = TipDue(token=talk.state.answer(tips.CALL), day="today")
    talk.hear(old)
    before = talk.state

    assert talk.hear(TipDue(token=old.token, day="tomorrow")) == ()
    assert talk.state == before


def test_asking_twice_is_asking_once() -> None:
    talk = subscriber()
    talk.hear(BEGIN)

    assert pending(talk) == []
    assert called(talk, "today") == ["tips.tip_01"]


@pytest.mark.parametrize(
    "end",
    [NO_MORE, text("stop", sure=0.0), VisitorLeft(), ChoicePressed(payload="n:delete_my_data:confirm:yes")],
)
def test_whoever_ends_leaves_or_is_forgotten_gets_no_more(end: Event) -> None:
    talk = subscriber()
    token = talk.state.answer(tips.CALL)
    talk.hear(end)

    assert talk.hear(TipDue(token=token, day="today")) == ()


@pytest.mark.parametrize("mode", [Mode.WAITING, Mode.LIVE])
def test_while_a_case_is_open_no_tip_comes(mode: Mode) -> None:
    talk = subscriber()
    talk.state = talk.state.with_(mode=mode)

    assert [called(talk, f"day {day}") for day in range(5)] == [[]] * 5
    assert len(pending(talk)) == 1
    talk.hear(CaseClosed())
    assert [called(talk, f"after {day}") for day in range(4)] == [[], [], [], ["tips.tip_01"]]


def test_after_danger_three_days_pass_without_a_tip_also_if_it_is_spoken_of_again() -> None:
    talk = subscriber()
    talk.hear(danger_text())
    assert [called(talk, f"day {day}") for day in range(2)] == [[], []]
    talk.hear(danger_text())

    assert [called(talk, f"later {day}") for day in range(4)] == [[], [], [], ["tips.tip_01"]]


def test_in_a_country_whose_clocks_are_not_known_nobody_is_woken() -> None:
    talk = Talk(real_book(), countries=("BY", "AM"), state=State(locale="en", channel="telegram"))
    talk.hear(text("daily tip", sure=0.0))
    talk.hear(ChoicePressed(payload="n:daily_tip:country:AM"))

    assert talk.says == ["daily_tip.unknown_hour"]


def test_a_typed_wish_for_tips_is_heard_in_a_free_text_question_too() -> None:
    book = real_book()
    talk = Talk(book, state=State(locale="en", country="BY", channel="telegram"))
    talk.hear(ChoicePressed(payload="m"))
    talk.hear(text("Daily tip!", sure=0.0))

    assert talk.says == ["daily_tip.offer"]


slots = st.dictionaries(
    st.sampled_from([tips.COMING, tips.LAST, tips.CALL, tips.DAY, tips.QUIET, "platform"]),
    st.sampled_from(["on", "off", "", "tip_01", "tip_30", "gone", "1.0", "1.", "x", "3", "-1", "²", "today"]),
)
calls = st.lists(
    st.tuples(st.sampled_from(["1.0", "", "x", "current"]), st.sampled_from(["today", "b", "c"]))
)


@given(slots, calls)
@FAST
def test_whatever_a_conversation_keeps_no_day_has_two_tips(
    kept: dict[str, str], several: list[tuple[str, str]]
) -> None:
    noted = {name: Slot(value=value, by=Origin.FLOW, turn=0) for name, value in kept.items()}
    talk = Talk(real_book(), state=State(locale="en", country="BY", channel="telegram", slots=noted))
    had: list[str] = []

    for token, day in several:
        current = talk.state.answer(tips.CALL)
        talk.hear(TipDue(token=current if token == "current" else token, day=day))
        told = sum(key.startswith("tips.tip_") for key in talk.says)
        assert told <= 1
        if told:
            assert not had or had[-1] != day
            had.append(day)
        assert len(pending(talk)) <= 1
