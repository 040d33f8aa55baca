"""Rehearsals: what a child who does not exist does at the desk, and that nothing of it leaves the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from referral.cases.clocks import Clocks
from referral.cases.overdue import Overdue
from referral.cases.repository import CaseRepository
from referral.cases.returning import Returning
from referral.cases.rules import AWAY_AFTER, EntryKind
from referral.cases.tables import Message
from referral.clock import utc_now
from referral.connectors.tables import QueuedLetter
from referral.database import Sessions, transaction
from referral.events.tables import OutgoingEvent
from referral.operators.repository import OperatorRepository
from referral.operators.rules import Role
from referral.pager.rules import Channel
from referral.pager.tables import Page
from referral.privacy import Privacy
from referral.rehearsal import rules
from referral.rehearsal.children import Children, rehearsing
from referral.rehearsal.rules import Line
from referral.rehearsal.scripts import Topic, languages, scripts
from tests.referral.conftest import Time
from tests.referral.desk import OperatorClient, Service
from tests.referral.serving import FakeBot

NOW = utc_now()
LATER = timedelta(days=2)


def children_of(service: Service) -> Children:
    services = service.services
    # Whoever plays them thinks so fast that a test need not wait.
    return Children(services.sessions, privacy=services.privacy, clock=services.clock, pace=1e6)


async def practise(operator: OperatorClient, *, begins: bool = True) -> None:
    answer = await operator.send("/practice", {"practise": "yes" if begins else "no"})
    assert answer.status_code == 303, answer.text


@asynccontextmanager
async def rehearsed(service: Service) -> AsyncIterator[tuple[OperatorClient, UUID]]:
    """A rehearsal from its first line to its code, by an operator who still practises."""
    children = children_of(service)
    async with service.as_operator("nina") as operator:
        await practise(operator)
        case = await children.arrive("blackmail", locale="en")
        assert await operator.take_next() == case
        await operator.write(case, "I am here. Are you safe now?")
        await children.look()
        fields = {"outcome": "advice_given", "code": "violence.online_sexual_abuse", "occurred": "online"}
        assert (await operator.send(f"/cases/{case}/close", fields)).status_code == 303
        yield operator, case


@pytest.mark.parametrize("name", sorted(scripts()))
def test_every_child_speaks_every_language_of_the_desk(name: str) -> None:
    script = scripts()[name]

    assert set(script.words) == set(languages()) == {"en", "ru", "be", "bn"}
    for words in script.words.values():
        assert words.opening
        assert len(words.then) >= 3
        assert set(words.answers) == set(Topic)


QUESTIONS = {
    "en": "Are you safe now?",
    "ru": "Ты сейчас в безопасности?",
    "be": "Ты зараз у бяспецы?",
    "bn": "তুমি কি নিরাপদ?",
}


@pytest.mark.parametrize("locale", sorted(QUESTIONS))
@pytest.mark.parametrize("name", sorted(scripts()))
def test_a_child_who_is_asked_whether_they_are_safe_answers_that(name: str, locale: str) -> None:
    script, language = scripts()[name], languages()[locale]
    thread = [Line(kind=EntryKind.OPERATOR, words=QUESTIONS[locale], at=NOW)]

    thinking = rules.answer(script, language, thread=thread, taken=True, now=NOW)
    answered = rules.answer(script, language, thread=thread, taken=True, now=NOW + script.thinks)

    assert thinking is None
    assert answered == script.words[locale].answers[Topic.SAFE]


def test_a_child_tells_the_rest_by_and_by_and_says_nothing_twice() -> None:
    script, language = scripts()["insults"], languages()["en"]
    thread: list[Line] = []
    for _ in range(6):
        thread.append(Line(kind=EntryKind.OPERATOR, words="I see. Go on.", at=NOW))
        said = rules.answer(script, language, thread=thread, taken=True, now=NOW + script.thinks)
        assert said is not None
        thread.append(Line(kind=EntryKind.VISITOR, words=said, at=NOW))

    told = [line.words for line in thread if line.kind is EntryKind.VISITOR]
    assert told == [*script.words["en"].then, *[language.fine] * (6 - len(script.words["en"].then))]


def test_a_child_who_is_left_alone_asks_once_whether_anybody_is_there() -> None:
    script, language = scripts()["suicidal"], languages()["ru"]
    thread = [Line(kind=EntryKind.VISITOR, words=script.words["ru"].opening[0], at=NOW)]
    late = NOW + script.waits

    assert rules.answer(script, language, thread=thread, taken=True, now=late) == language.waiting
    assert rules.answer(script, language, thread=thread, taken=False, now=late) is None
    thread.append(Line(kind=EntryKind.VISITOR, words=language.waiting, at=late))
    assert rules.answer(script, language, thread=thread, taken=True, now=late + script.waits) is None


@pytest.mark.parametrize(
    ("said", "asked"),
    [("Are you safe now?", True), ("You are safe here.", False), ("How are you? You are safe here.", False)],
)
def test_saying_that_a_child_is_safe_is_not_asking(said: str, asked: bool) -> None:
    told = rules.feedback(
        scripts()["suicidal"],
        languages=languages().values(),
        said=[said],
        waited=timedelta(seconds=119),
        code="mental_health.suicide",
        occurred="unknown",
        clocks=Clocks(),
    )

    assert told.asked_safe is asked
    assert (told.in_time, told.coded) == (True, True)


def test_who_answers_late_and_codes_wrongly_is_told_so() -> None:
    told = rules.feedback(
        scripts()["suicidal"],
        languages=languages().values(),
        said=[],
        waited=timedelta(seconds=121),
        code="non_counselling.parents",
        occurred=None,
        clocks=Clocks(),
    )

    assert (told.in_time, told.asked_safe, told.coded) == (False, False, False)


async def test_a_new_operator_practises_from_the_first_line_to_the_code(service: Service) -> None:
    async with rehearsed(service) as (operator, case):
        page = await operator.see("/practice")
        desk = await operator.see("/")

    assert "within the clock" in page
    assert ">✓ asked<" in page
    assert "as the script’s key says" in page
    assert "Practice." in desk
    async with rehearsing(service.services.sessions) as session:
        thread = await CaseRepository(session).thread(case)
        assert sum(entry.kind == EntryKind.VISITOR for entry in thread) == 2


async def test_several_children_come_at_once_the_most_urgent_first(service: Service) -> None:
    children = children_of(service)
    async with service.as_operator("nina") as nina, service.as_operator("vera") as vera:
        parent = await children.arrive("worried_parent", locale="be")
        insulted = await children.arrive("insults", locale="bn")
        suicidal = await children.arrive("suicidal", locale="ru")
        await practise(nina)
        await practise(vera)

        assert [await nina.take_next(), await vera.take_next(), await nina.take_next()] == [
            suicidal,
            insulted,
            parent,
        ]
        assert await children.look() == 3


async def test_who_practises_sees_no_visitor_and_who_does_not_sees_no_rehearsal(service: Service) -> None:
    children = children_of(service)
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as learner,
        service.as_operator("vera", role=Role.SUPERVISOR) as supervisor,
    ):
        await practise(learner)
        visitor = await bot.open(danger="emergency")
        rehearsal = await children.arrive("blackmail", locale="en")

        assert (await supervisor.send(f"/cases/{rehearsal}/pick", {"reason": "to see it"})).status_code == 404
        assert str(rehearsal) not in await supervisor.see("/supervision")
        assert await learner.take_next() == rehearsal
        assert await learner.take_next() is None
        assert (await learner.http.get(f"/cases/{visitor}")).status_code == 404
        assert await supervisor.take_next() == visitor
        assert (await bot.get(f"/v1/cases/{rehearsal}/status")).status_code == 404


async def test_who_holds_a_visitor_finishes_with_them_before_practising(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        await operator.take_next()

        refused = await operator.send("/practice", {"practise": "yes"})
        await operator.close(case)
        await practise(operator)

    assert refused.status_code == 409


async def test_children_who_are_left_over_go_when_the_next_rehearsal_begins(service: Service) -> None:
    children = children_of(service)
    await children.arrive("insults", locale="en")

    await children.tidy()

    assert await children.look() == 0


async def test_a_rehearsal_never_becomes_a_case_nor_a_case_a_rehearsal(
    service: Service, sessions: Sessions
) -> None:
    async with service.as_bot() as bot:
        visitor = await bot.open()
    rehearsal = await children_of(service).arrive("insults", locale="en")

    for case, value in ((visitor, "insults"), (rehearsal, None)):
        with pytest.raises(IntegrityError, match="stays what it was"):
            async with transaction(sessions) as session:
                await session.execute(
                    text('UPDATE "case" SET rehearsal = :value WHERE id = :case'),
                    {"value": value, "case": case},
                )


async def test_nothing_of_a_rehearsal_reaches_the_bot(
    service: Service, bot: FakeBot, sessions: Sessions
) -> None:
    async with rehearsed(service), transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(OutgoingEvent)) == 0
        jobs = await session.scalar(text("SELECT count(*) FROM procrastinate_jobs"))

    assert jobs == 0
    assert bot.attempts == []


async def test_nothing_of_a_rehearsal_reaches_other_systems(service: Service, sessions: Sessions) -> None:
    async with rehearsed(service), transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(QueuedLetter)) == 0


async def test_nothing_of_a_rehearsal_reaches_reports_or_the_yearly_export(service: Service) -> None:
    paths = ("/reports", "/reports/report.csv", "/reports/chi_v2022.csv", "/reports/chi_v2024.csv")
    async with service.as_operator("vera", role=Role.SUPERVISOR) as supervisor:
        known = [path for path in paths if (await supervisor.http.get(path)).status_code == 200]
        before = [(await supervisor.http.get(path)).text for path in known]
        for _ in range(6):
            case = await children_of(service).arrive("blackmail", locale="en")
            await practise(supervisor)
            await supervisor.take_next()
            await supervisor.close(case)
        while_practising = [(await supervisor.http.get(path)).text for path in known]
        await practise(supervisor, begins=False)
        after = [(await supervisor.http.get(path)).text for path in known]

    assert len(known) >= 3
    assert after == before
    # A table is the same for who practises; the page itself also says that they do.
    assert while_practising[1:] == before[1:]


async def test_nothing_of_a_rehearsal_reaches_the_figures_of_a_monitoring_system(service: Service) -> None:
    async with service.browser() as client:
        before = _of_cases((await client.get("/metrics")).text)
        await children_of(service).arrive("suicidal", locale="en")
        after = _of_cases((await client.get("/metrics")).text)

    assert after == before


def _of_cases(metrics: str) -> list[str]:
    """The figures without those of the process itself, whose connections come and go."""
    return [line for line in metrics.splitlines() if "porchlight_desk_" not in line]


async def test_no_clock_of_a_rehearsal_runs_out_and_nobody_is_paged(
    service: Service, sessions: Sessions, privacy: Privacy
) -> None:
    await children_of(service).arrive("suicidal", locale="en")

    marked = await Overdue(sessions, privacy=privacy, channels=list(Channel)).sweep(now=utc_now() + LATER)

    assert marked == 0
    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(Page)) == 0


async def test_no_rehearsal_goes_back_to_the_line_by_itself(
    service: Service, sessions: Sessions, privacy: Privacy
) -> None:
    await children_of(service).arrive("suicidal", locale="en")
    async with service.as_operator("nina") as operator:
        await practise(operator)
        case = await operator.take_next()
        returning = Returning(sessions, privacy=privacy, answer_within=timedelta(minutes=10))

        assert await returning.sweep(now=utc_now() + LATER, watched_since=NOW) == 0
        assert case is not None
        await operator.see(f"/cases/{case}")


async def test_no_rehearsal_counts_for_the_estimate_the_place_or_the_load_of_anybody(
    service: Service,
) -> None:
    async with rehearsed(service) as (operator, _), service.as_bot() as bot:
        for _ in range(3):
            await children_of(service).arrive("suicidal", locale="en")
        visitor = await bot.open(danger="concern")
        status = await bot.status(visitor)
        await practise(operator, begins=False)
        desk = await operator.see("/")

    assert (status["place"], status["waiting"], status["usual_minutes"]) == (1, 1, None)
    assert "in the last twelve hours" not in desk


async def test_no_rehearsal_is_there_to_be_reviewed(service: Service) -> None:
    async with rehearsed(service), service.as_operator("vera", role=Role.SUPERVISOR) as supervisor:
        assert "Every closed talk of your colleagues has been marked." in await supervisor.see("/reviews")


async def test_who_practises_is_not_at_the_desk_for_visitors(
    service: Service, sessions: Sessions, clock: Time
) -> None:
    async with service.as_operator("nina") as operator:
        await practise(operator)
        clock.forward(AWAY_AFTER + timedelta(seconds=1))
        await operator.see("/")

        async with transaction(sessions) as session:
            there = await OperatorRepository(session).at_desk(since=clock() - AWAY_AFTER)
            assert [person.name for person in there] == []


async def test_what_is_long_over_is_removed_with_its_words(
    service: Service, sessions: Sessions, clock: Time
) -> None:
    async with rehearsed(service):
        clock.forward(timedelta(days=31))
        await children_of(service).tidy()

    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(Message)) == 0
