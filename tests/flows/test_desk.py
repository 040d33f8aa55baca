"""What is said while nobody is at the helpline's desk, as people say it, and where."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from flows import directory, engine
from flows.desk import Desk, nobody_there
from flows.effects import OpenCase, Say
from flows.events import ChoicePressed, DangerLevel
from flows.state import Mode, State
from tests.flows.worlds import real_book

#: A Monday.
TODAY = date(2026, 11, 30)
CLOSED = Desk(here=False, opens_at=datetime(2026, 12, 1, 9, 0, tzinfo=UTC), today=TODAY)
COUNTRIES = ("BY", "BD")


def _press(state: State, pressed: str, *, desk: Desk) -> engine.Turn:
    return engine.resume(real_book(), state, ChoicePressed(payload=pressed), countries=COUNTRIES, desk=desk)


def _says(turn: engine.Turn) -> list[Say]:
    return [effect for effect in turn.effects if isinstance(effect, Say)]


@pytest.mark.parametrize(
    ("locale", "opens_at", "when"),
    [
        ("en", datetime(2026, 11, 30, 18, 0, tzinfo=UTC), "They are here again today at 18:00."),
        ("en", datetime(2026, 12, 1, 9, 30, tzinfo=UTC), "They are here again tomorrow at 9:30."),
        ("en", datetime(2026, 12, 6, 9, 0, tzinfo=UTC), "They are here again on Sunday at 9:00."),
        ("en", datetime(2026, 12, 28, 9, 0, tzinfo=UTC), "They are here again on 28 December at 9:00."),
        ("ru", datetime(2026, 12, 1, 9, 0, tzinfo=UTC), "Люди снова будут здесь завтра в 9:00."),
        ("ru", datetime(2026, 12, 2, 9, 0, tzinfo=UTC), "Люди снова будут здесь в среду в 9:00."),
        ("ru", datetime(2027, 1, 8, 9, 5, tzinfo=UTC), "Люди снова будут здесь 8 января в 9:05."),
        ("be", datetime(2026, 11, 30, 8, 0, tzinfo=UTC), "Людзі зноў будуць тут сёння а 8:00."),
        ("be", datetime(2026, 12, 4, 8, 0, tzinfo=UTC), "Людзі зноў будуць тут у пятніцу а 8:00."),
        ("bn", datetime(2026, 12, 1, 9, 0, tzinfo=UTC), "আগামীকাল সকাল ৯টায় তাঁরা আবার আসবেন।"),
        ("bn", datetime(2026, 12, 3, 18, 30, tzinfo=UTC), "বৃহস্পতিবার সন্ধ্যা ৬টা ৩০ মিনিটে তাঁরা আবার আসবেন।"),
        ("bn", datetime(2026, 12, 16, 0, 0, tzinfo=UTC), "১৬ ডিসেম্বর রাত ১২টায় তাঁরা আবার আসবেন।"),
    ],
)
def test_when_people_are_back_is_said_as_people_say_it(locale: str, opens_at: datetime, when: str) -> None:
    said = nobody_there(real_book().texts, Desk(here=False, opens_at=opens_at, today=TODAY), locale=locale)

    assert said.endswith(when)


@pytest.mark.parametrize("locale", real_book().locales)
def test_a_time_that_nobody_knows_is_not_made_up(locale: str) -> None:
    said = nobody_there(real_book().texts, Desk(here=False), locale=locale)

    assert said
    assert not any(sign.isdecimal() for sign in said)


@pytest.mark.parametrize("locale", real_book().locales)
@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("role", ["child", "parent", "teacher"])
def test_who_asks_for_a_person_while_nobody_is_there_hears_so_and_whom_to_call(
    locale: str, country: str, role: str
) -> None:
    state = State(locale=locale, country=country, role=role)
    (number,) = directory.numbers(real_book().directory, country=country, countries=COUNTRIES)

    offered = _press(state, "i:talk_to_human", desk=CLOSED)
    opened = _press(offered.state, "n:handover:offer:yes", desk=CLOSED)

    nobody = nobody_there(real_book().texts, CLOSED, locale=locale)
    assert [said.key for said in _says(offered)] == ["handover.nobody_here", "handover.offer"]
    assert [said.key for said in _says(opened)] == ["handover.kept"]
    for said in (_says(offered)[0], _says(opened)[0]):
        assert nobody in said.text
        assert number in said.text
    assert opened.state.mode is Mode.WAITING


@pytest.mark.parametrize("locale", real_book().locales)
@pytest.mark.parametrize("intent", ["suicidal", "immediate_danger", "friend_in_crisis", "threats"])
@pytest.mark.parametrize("desk", [CLOSED, Desk(here=False)], ids=["closed", "empty"])
def test_danger_reads_the_number_first_and_goes_into_the_line_all_the_same(
    locale: str, intent: str, desk: Desk
) -> None:
    state = State(locale=locale, country="BY", role="child")
    (number,) = directory.numbers(real_book().directory, country="BY", countries=COUNTRIES)

    told = _press(state, f"i:{intent}", desk=desk)
    flow = "handover" if intent == "threats" else told.state.frames[-1].flow
    way = ["i:talk_to_human", "n:handover:offer:yes"] if intent == "threats" else [f"n:{flow}:care:connect"]
    for pressed in way:
        told = _press(told.state, pressed, desk=desk)

    first = _says(told)[0]
    assert first.key == "common.kept_urgent"
    assert number in first.text.splitlines()[0]
    (case,) = (effect for effect in told.effects if isinstance(effect, OpenCase))
    assert case.danger.rank >= DangerLevel.URGENT.rank


def test_who_waits_while_nobody_is_there_hears_no_estimate() -> None:
    waiting = State(locale="en", country="BY", mode=Mode.WAITING)

    (said, *_) = _says(
        _press(waiting, "i:report_status", desk=Desk(place=2, minutes=5, here=False, opens_at=None))
    )

    assert "There is 1 person before you in the line. Right now nobody from the helpline" in said.text
    assert "minutes" not in said.text


def test_a_turn_tells_that_it_wanted_to_know_whether_somebody_is_there() -> None:
    state = State(locale="en", country="BY")

    assert _press(state, "i:talk_to_human", desk=Desk()).asked_desk
    assert not _press(state, "i:talk_to_human", desk=Desk(here=True)).asked_desk
    assert not _press(state, "i:insults", desk=Desk()).asked_desk
