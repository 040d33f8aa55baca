"""What an operator says reaches the bot once, in order, at once, whatever fails on the way."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from referral.database import Sessions, transaction
from referral.events.repository import EventRepository
from tests.referral.desk import OperatorClient, Service, eventually
from tests.referral.serving import FakeBot


async def _taken(service: Service, operator: OperatorClient) -> UUID:
    async with service.as_bot() as bot:
        await bot.open()
    case = await operator.take_next()
    assert case is not None
    return case


async def test_the_bot_hears_of_the_whole_talk_in_order(service: Service, bot: FakeBot) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await operator.write(case, "привет")
        await operator.write(case, "я здесь")
        await operator.close(case)

        await bot.until(lambda seen: len(seen.events) == 4)

    assert bot.kinds == ["case.taken", "case.message", "case.message", "case.closed"]
    assert bot.texts == ["привет", "я здесь"]
    assert {event["data"]["case"] for event in bot.events} == {str(case)}
    assert len(bot.attempts) == 4


async def test_a_message_sent_twice_by_the_browser_is_said_once(service: Service, bot: FakeBot) -> None:
    entry = uuid4()
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        answers = await asyncio.gather(*(operator.write(case, "привет", entry=entry) for _ in range(5)))
        await operator.write(case, "и ещё")

        await bot.until(lambda seen: "и ещё" in seen.texts)

    assert {answer.status_code for answer in answers} == {303}
    assert bot.texts == ["привет", "и ещё"]


@pytest.mark.parametrize("failures", [(500,), (500, 503, 302), (404, 401)])
async def test_after_failures_everything_arrives_once_and_in_order(
    service: Service, bot: FakeBot, failures: tuple[int, ...]
) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        bot.fail(*failures)
        for number in range(5):
            await operator.write(case, str(number))

        await bot.until(lambda seen: len(seen.texts) == 5)

    assert bot.texts == ["0", "1", "2", "3", "4"]


async def test_an_answer_that_is_lost_does_not_make_the_visitor_read_twice(
    service: Service, bot: FakeBot
) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        bot.lose_next_answer = True
        await operator.write(case, "один раз")
        await operator.write(case, "потом")

        await bot.until(lambda seen: seen.texts == ["один раз", "потом"])

    assert len(bot.attempts) == 4
    assert bot.attempts[1] == bot.attempts[2]


async def test_the_bot_may_ask_for_a_pause_and_gets_it(service: Service, bot: FakeBot) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        bot.fail(429, retry_after="2")
        began = time.monotonic()
        await operator.write(case, "подождём")
        await asyncio.sleep(0.5)
        await operator.write(case, "и это не раньше")

        await bot.until(lambda seen: len(seen.texts) == 2)

    assert time.monotonic() - began >= 2
    assert bot.texts == ["подождём", "и это не раньше"]
    assert len(bot.attempts) == 4


async def test_another_case_does_not_wait_for_a_case_that_fails(service: Service, bot: FakeBot) -> None:
    async with service.as_operator("nina") as operator:
        slow = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        bot.fail(429, retry_after="60")
        await operator.write(slow, "позже")
        await bot.until(lambda seen: len(seen.attempts) == 2)

        case = await _taken(service, operator)
        await operator.write(case, "сразу")
        await bot.until(lambda seen: seen.texts == ["сразу"])


async def test_when_the_conversation_is_gone_nothing_more_is_sent(service: Service, bot: FakeBot) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        bot.fail(410)
        await operator.write(case, "ты здесь?")
        await bot.until(lambda seen: len(seen.attempts) == 2)
        page = await eventually(
            lambda: operator.see(f"/cases/{case}"), lambda page: "can no longer be reached" in page
        )

        refused = await operator.write(case, "ау")
        closed = await operator.close(case)
        await asyncio.sleep(0.5)

    assert "Not delivered" in page
    assert refused.status_code == 409
    assert closed.status_code == 303
    assert len(bot.attempts) == 2


async def test_a_visitor_who_is_forgotten_is_not_written_to(service: Service, bot: FakeBot) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        bot.fail(503)
        await operator.write(case, "поздно")
        async with service.as_bot() as client:
            await client.post(f"/v1/cases/{case}/forget")
        await asyncio.sleep(1)

    assert bot.texts == []


async def test_work_of_a_worker_that_died_is_taken_over(
    service: Service, bot: FakeBot, sessions: Sessions
) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        await eventually(lambda: _jobs(sessions), lambda jobs: jobs == 0)
        # What a process leaves behind that is killed in the middle of a delivery: a job that is being done by
        # a worker whose heart no longer beats, and, the worst case, another one that waits behind it.
        async with transaction(sessions) as session:
            await session.execute(
                text(
                    "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
                    " VALUES (now() - interval '1 minute') RETURNING id)"
                    " INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args,"
                    " status, worker_id) SELECT 'delivery', 'deliver', :case, :case,"
                    " jsonb_build_object('case', CAST(:case AS text)), 'doing', id FROM dead"
                ),
                {"case": str(case)},
            )
        await operator.write(case, "жив?")
        await operator.write(case, "жив")

        await bot.until(lambda seen: len(seen.texts) == 2, within=30)
        await eventually(lambda: _jobs(sessions), lambda jobs: jobs == 0)

    assert bot.texts == ["жив?", "жив"]


async def test_an_event_without_a_job_is_found_and_sent(
    service: Service, bot: FakeBot, sessions: Sessions
) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        await bot.until(lambda seen: len(seen.events) == 1)
        bot.fail(429, retry_after="3")
        await operator.write(case, "забытое")
        await bot.until(lambda seen: len(seen.attempts) == 2)
        await eventually(lambda: _jobs(sessions, status="todo"), lambda jobs: jobs == 1)
        async with transaction(sessions) as session:
            await session.execute(text("DELETE FROM procrastinate_jobs WHERE status = 'todo'"))

        await bot.until(lambda seen: seen.texts == ["забытое"], within=30)


async def test_wake_ups_are_not_lost_when_two_messages_meet(service: Service, bot: FakeBot) -> None:
    async with service.as_operator("nina") as operator:
        case = await _taken(service, operator)
        token = await operator.form_token()

        async def write(words: str) -> None:
            fields = {"entry": str(uuid4()), "words": words, "form_token": token}
            await operator.http.post(f"/cases/{case}/messages", data=fields)

        for number in range(40):
            await asyncio.gather(write(f"{number}a"), write(f"{number}b"))
            await bot.until(lambda seen, number=number: len(seen.texts) == 2 * number + 2, within=2)  # type: ignore[misc]

    assert len(set(bot.texts)) == 80


async def test_a_sibling_that_waits_is_merged_with_and_not_doubled(sessions: Sessions) -> None:
    case = uuid4()
    async with transaction(sessions) as session:
        await EventRepository(session).defer(case, after=timedelta(minutes=1))
    async with transaction(sessions) as session:
        await EventRepository(session).defer(case)

    assert await _jobs(sessions) == 1


async def _jobs(sessions: Sessions, *, status: str | None = None) -> int:
    async with transaction(sessions) as session:
        query = "SELECT count(*) FROM procrastinate_jobs WHERE status::text = coalesce(:status, status::text)"
        return int(await session.scalar(text(query), {"status": status}) or 0)
