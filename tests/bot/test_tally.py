"""What is counted of how the flows are used, and that no count leads back to anybody."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.privacy import Privacy
from bot.store import Store
from bot.tally.marks import Mark, What, marks
from bot.tally.sums import Tally, between
from flows import engine
from flows.events import (
    CaseTaken,
    ChoicePressed,
    ConversationStarted,
    DangerLevel,
    Event,
    VisitorLeft,
    WaitTimedOut,
)
from flows.payload import for_choice
from flows.state import Mode, Origin, Slot, State
from tests.bot.test_worker import WebVisitor, execute, working
from tests.flows.worlds import real_book, text

Found = Counter[tuple[What, str, str]]


class Talk:
    """A conversation, and what was counted of it."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or engine.begin(real_book(), locale="en", country="BY").with_(role="child")

    def __call__(self, event: Event) -> Found:
        turn = engine.resume(real_book(), self.state, event)
        found = Counter(
            (mark.what, mark.flow, mark.node)
            for mark in marks(real_book(), before=self.state, event=event, turn=turn)
        )
        self.state = turn.state
        return found

    def presses(self, slug: str) -> Found:
        """A button of the question that the conversation stands at."""
        top = self.state.frames[-1]
        return self(ChoicePressed(payload=for_choice(flow=top.flow, node=top.node, slug=slug)))


def test_a_question_is_asked_answered_and_the_flow_finished() -> None:
    talk = Talk()

    told = talk(text("they call me names", means="insults"))
    answered = talk.presses("weeks")
    skipped = talk.presses("just_tell")
    done = talk.presses("done")

    assert told == {
        (What.BEGUN, "insults", ""): 1,
        (What.BEGUN, "incident_questions", ""): 1,
        (What.ASKED, "incident_questions", "how_long"): 1,
    }
    assert answered == {
        (What.ANSWERED, "incident_questions", "how_long"): 1,
        (What.ASKED, "incident_questions", "how_many"): 1,
    }
    assert skipped[What.ANSWERED, "incident_questions", "how_many"] == 1
    assert skipped[What.FINISHED, "incident_questions", ""] == 1
    assert done[What.FINISHED, "insults", ""] == 1
    assert not any(what is What.ASKED for what, *_ in done)


def test_an_answer_in_own_words_is_an_answer() -> None:
    talk = Talk()
    talk(text("they call me names", means="insults"))

    found = talk(text("since the summer, in the class chat", sure=0.1))

    assert found[What.ANSWERED, "incident_questions", "how_long"] == 1


def test_who_speaks_of_danger_has_gone_elsewhere_and_is_asked_again_when_they_come_back() -> None:
    talk = Talk()
    talk(text("they call me names", means="insults"))

    danger = talk(text("i want to die", means="suicidal", danger=DangerLevel.EMERGENCY, by="lexicon"))

    assert danger[What.ELSEWHERE, "incident_questions", "how_long"] == 1
    assert danger[What.BEGUN, "danger", ""] == 1
    assert (What.ANSWERED, "incident_questions", "how_long") not in danger


def test_who_is_not_understood_still_stands_at_the_question() -> None:
    talk = Talk()
    talk(ConversationStarted(locale="en", country="BY", campaign=None))
    stood = talk.state.frames[-1]

    found = talk(text("hm", sure=0.0))

    assert talk.state.frames[-1] == stood
    assert found == {}


@pytest.mark.parametrize("event", [VisitorLeft(), WaitTimedOut(token="0.0")])
def test_who_leaves_or_lets_time_pass_fell_silent(event: Event) -> None:
    talk = Talk()
    asked = talk(text("i want to die", means="suicidal", danger=DangerLevel.EMERGENCY, by="lexicon"))
    if isinstance(event, WaitTimedOut):
        assert talk.state.wait is not None
        event = WaitTimedOut(token=talk.state.wait.token)

    found = talk(event)

    assert asked[What.ASKED, "danger", "care"] == 1
    assert not any(what in (What.ANSWERED, What.ELSEWHERE) for what, *_ in found)


def test_a_question_that_an_operator_ends_is_no_drop_off() -> None:
    talk = Talk()
    talk(text("i want to die", means="suicidal", danger=DangerLevel.EMERGENCY, by="lexicon"))
    talk.presses("connect")
    stood = talk.state.frames[-1] if talk.state.wait else None

    found = talk(CaseTaken())

    assert stood is None or found[What.ELSEWHERE, stood.flow, stood.node] == 1


def test_the_course_is_counted_once_a_conversation_and_so_is_the_case_that_follows() -> None:
    talk = Talk()

    begun = talk(ChoicePressed(payload=for_choice(flow="learn", node="answer", slug="course")))
    again = talk(ChoicePressed(payload=for_choice(flow="learn", node="answer", slug="course")))
    before_last = talk.state
    talk.state = before_last.with_(
        frames=(engine.begin(real_book(), locale="en").frames),
        slots={**before_last.slots, **{f"my_kids_{part}": _done() for part in range(2, 7)}},
    )
    talk(ChoicePressed(payload=for_choice(flow="course_kids_1", node="quiz_3", slug="new_hair")))
    done = talk.presses("not_your_fault")
    talk(ChoicePressed(payload=for_choice(flow="menu", node="for_child", slug="person")))
    talk.presses("yes")
    case = talk.presses("no")

    assert begun[What.COURSE_BEGUN, "", ""] == 1
    assert (What.COURSE_BEGUN, "", "") not in again
    assert (What.COURSE_PART, "", "") not in done, "another part was done before"
    assert done[What.COURSE_DONE, "", ""] == 1
    assert case[What.COURSE_CASE, "", ""] == 1


def test_who_never_did_the_course_and_asks_for_a_person_is_not_counted_for_it() -> None:
    talk = Talk()
    talk(ChoicePressed(payload=for_choice(flow="menu", node="for_child", slug="person")))

    talk.presses("yes")
    found = talk.presses("no")

    assert talk.state.mode is Mode.WAITING
    assert not any(what is What.COURSE_CASE for what, *_ in found)


async def test_sums_of_all_workers_add_up_by_month_where_the_desk_is(store: Store) -> None:
    mark = Mark(what=What.ASKED, flow="insults", node="what_helps", locale="be")
    one, other = (Tally(zone=ZoneInfo("Europe/Minsk")) for _ in range(2))
    one.count([mark, mark], at=datetime(2026, 10, 31, 20, 59, tzinfo=UTC))
    one.count([mark], at=datetime(2026, 10, 31, 21, 0, tzinfo=UTC))
    other.count([mark], at=datetime(2026, 11, 5, tzinfo=UTC))

    for tally in (one, other, one):
        await tally.write_down(store)

    assert [item.number for item in await between(store, first="2026-10", last="2026-10")] == [2]
    assert [item.number for item in await between(store, first="2026-11", last="2026-11")] == [2]
    (both,) = await between(store, first="2026-10", last="2026-11")
    assert (both.mark, both.number) == (mark, 4)


async def test_a_month_that_no_report_reaches_is_deleted(store: Store) -> None:
    tally = Tally(zone=ZoneInfo("UTC"))
    mark = Mark(what=What.BEGUN, flow="insults", locale="en")
    tally.count([mark], at=datetime(2001, 1, 1, tzinfo=UTC))
    tally.count([mark], at=datetime.now(UTC))
    await tally.write_down(store)

    assert [item.number for item in await between(store, first="0000-01", last="9999-12")] == [1]


async def test_counts_that_could_not_be_written_down_are_kept_for_the_next_time(
    store: Store, database_url: str
) -> None:
    tally = Tally(zone=ZoneInfo("UTC"))
    tally.count([Mark(what=What.BEGUN, flow="insults", locale="en")], at=datetime.now(UTC))
    await execute(database_url, "ALTER TABLE flow_sum RENAME TO gone")
    await tally.write_down(store)
    await execute(database_url, "ALTER TABLE gone RENAME TO flow_sum")

    await tally.write_down(store)

    assert [item.number for item in await between(store, first="0000-01", last="9999-12")] == [1]


async def test_a_worker_writes_down_what_it_counted_before_it_ends(
    store: Store, privacy: Privacy, database_url: str
) -> None:
    visitor = WebVisitor(store, privacy)
    async with working(database_url):
        await visitor.does("started")
        await visitor.hears()

    rows = await execute(database_url, "SELECT what, flow, locale, number FROM flow_sum WHERE node = ''")
    columns = await execute(
        database_url, "SELECT column_name FROM information_schema.columns WHERE table_name = 'flow_sum'"
    )

    assert ("begun", "welcome", "en", 1) in rows
    assert {name for (name,) in columns} == {"month", "what", "flow", "node", "locale", "number"}


def _done() -> Slot:
    return Slot(value="done", by=Origin.FLOW, turn=1)
