"""Only operators get in, only from the console itself, and only for as long as they are there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from referral.database import Sessions, transaction
from referral.operators.rules import Role
from referral.operators.tables import Operator, Session
from tests.referral.conftest import Time
from tests.referral.desk import PASSWORD, OperatorClient, Service


async def test_nothing_is_shown_to_who_is_not_signed_in(service: Service) -> None:
    async with service.browser() as browser:
        answers = [
            await browser.get(path)
            for path in ("/", f"/cases/{uuid4()}", "/supervision", "/operators", "/stream", "/session")
        ]
        program = await browser.get("/session", headers={"accept": "application/json"})

    assert {answer.headers.get("location") for answer in answers} == {"/sign-in"}
    assert program.status_code == 401


async def test_an_invitation_works_once_and_only_with_a_long_enough_password(service: Service) -> None:
    secret = await service.invitation("nina")
    path = f"/invitation/{secret}"
    async with service.browser() as browser:
        looked = [await browser.get(path) for _ in range(2)]
        short = await browser.post(path, data={"password": "eleven chrs", "again": "eleven chrs"})
        repeated = await browser.post(
            path, data={"password": "ninaninaninanina", "again": "ninaninaninanina"}
        )
        different = await browser.post(path, data={"password": PASSWORD, "again": PASSWORD + "!"})
        accepted = await browser.post(path, data={"password": PASSWORD, "again": PASSWORD})
        again = await browser.post(path, data={"password": PASSWORD, "again": PASSWORD})
        desk = await browser.get("/")

    assert [answer.status_code for answer in looked] == [200, 200]
    assert [answer.status_code for answer in (short, repeated, different)] == [422] * 3
    assert "The two passwords are not the same" in different.text
    assert accepted.status_code == 303
    assert again.status_code == 410
    assert "Who is waiting" in desk.text


async def test_an_invitation_ends_after_a_week(service: Service, clock: Time) -> None:
    secret = await service.invitation("nina")
    clock.forward(timedelta(days=7))

    async with service.browser() as browser:
        answer = await browser.get(f"/invitation/{secret}")

    assert answer.status_code == 410


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(service: Service) -> None:
    async with service.as_operator("nina"), service.browser() as browser:
        answer = await browser.post("/sign-in", data={"name": " Nina ", "password": PASSWORD})

    cookies = answer.headers.get_list("set-cookie")
    assert answer.status_code == 303
    assert cookies[0].startswith("porchlight=")
    assert "Max-Age" not in cookies[0]
    assert all("HttpOnly" in cookie and "SameSite=strict" in cookie for cookie in cookies)


async def test_a_wrong_password_and_an_unknown_name_look_the_same(service: Service) -> None:
    async with service.as_operator("nina"), service.browser() as browser:
        wrong = await browser.post("/sign-in", data={"name": "nina", "password": "not this one, no"})
        unknown = await browser.post("/sign-in", data={"name": "nobody", "password": "not this one, no"})

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text.replace("nina", "nobody") == unknown.text


@pytest.mark.parametrize("name", ["nina", "nobody"])
async def test_guessing_is_slowed_down_and_the_right_password_waits_as_well(
    service: Service, clock: Time, name: str
) -> None:
    async with service.as_operator("nina"), service.browser() as browser:
        guesses = [
            await browser.post("/sign-in", data={"name": name, "password": f"guess number {number}"})
            for number in range(5)
        ]
        blocked = await browser.post("/sign-in", data={"name": name, "password": PASSWORD})
        clock.forward(timedelta(seconds=31))
        later = await browser.post("/sign-in", data={"name": name, "password": PASSWORD})

    assert [answer.status_code for answer in guesses] == [401] * 5
    assert blocked.status_code == 429
    assert later.status_code == (303 if name == "nina" else 401)


async def test_a_session_ends_after_half_an_hour_without_use(service: Service, clock: Time) -> None:
    async with service.as_operator("nina") as operator:
        for _ in range(3):
            clock.forward(timedelta(minutes=29))
            await operator.see("/")
        clock.forward(timedelta(minutes=31))
        answer = await operator.http.get("/")

    assert answer.headers["location"] == "/sign-in"


async def test_a_session_ends_after_twelve_hours_whatever_happens(service: Service, clock: Time) -> None:
    async with service.as_operator("nina") as operator:
        for _ in range(28):
            clock.forward(timedelta(minutes=25))
            await operator.see("/")
        clock.forward(timedelta(minutes=25))
        answer = await operator.http.get("/")

    assert answer.headers["location"] == "/sign-in"


async def test_signing_out_ends_the_session_on_the_server(service: Service, sessions: Sessions) -> None:
    async with service.as_operator("nina") as operator:
        cookies = dict(operator.http.cookies)
        answer = await operator.send("/sign-out")
        operator.http.cookies.update(cookies)
        again = await operator.http.get("/")
        async with transaction(sessions) as session:
            left = (await session.scalars(select(Session))).all()

    assert answer.headers["location"] == "/sign-in"
    assert again.headers["location"] == "/sign-in"
    assert left == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_of_another_site_is_refused(service: Service, headers: dict[str, str]) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        await bot.open()
        answer = await operator.send("/take-next", headers=headers)
        signing_in = await operator.http.post(
            "/sign-in", data={"name": "nina", "password": PASSWORD}, headers=headers
        )

    assert (answer.status_code, signing_in.status_code) == (403, 403)


async def test_a_form_without_the_token_of_this_session_is_refused(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as operator,
        service.as_operator("oleg") as other,
    ):
        await bot.open()
        without = await operator.send("/take-next", token=False)
        foreign = await operator.http.post("/take-next", data={"form_token": await other.form_token()})

    assert (without.status_code, foreign.status_code) == (403, 403)


async def test_every_answer_forbids_frames_foreign_scripts_and_caches(service: Service) -> None:
    async with service.as_operator("nina") as operator:
        answers = [
            await operator.http.get(path)
            for path in ("/", "/sign-in", "/nowhere", f"/cases/{uuid4()}", "/healthz", "/v1/cases/x/status")
        ]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_no_page_weighs_more_than_200_kilobytes_with_all_it_loads(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("vera", role=Role.SUPERVISOR) as operator:
        case = await bot.open()
        await operator.take_next()
        pages = [await operator.see(path) for path in ("/", f"/cases/{case}", "/supervision", "/operators")]
        static = [
            await operator.http.get(f"/static/{name}")
            for name in ("console.css", "console.js", "icons.svg", "lantern.svg")
        ]

    assets = sum(len(answer.content) for answer in static)
    assert all(answer.status_code == 200 for answer in static)
    assert max(len(text.encode()) for text in pages) + assets < 200_000


async def test_words_of_a_visitor_are_text_and_never_markup(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open(card={"since": "<b>now</b>"})
        await bot.say(case, "<script>alert(1)</script>")
        await operator.take_next()
        page = await operator.see(f"/cases/{case}")

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>now</b>" not in page


async def test_a_supervisor_invites_disables_and_cannot_lock_everybody_out(
    service: Service, sessions: Sessions
) -> None:
    async with (
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_operator("nina") as nina,
    ):
        page = await vera.send("/operators", {"name": "Oleg", "role": "operator"})
        twice = await vera.send("/operators", {"name": "oleg", "role": "operator"})
        async with transaction(sessions) as session:
            ids = {row.name: row.number for row in (await session.scalars(select(Operator))).all()}
        gone = await vera.send(f"/operators/{ids['nina']}/disable")
        locked_out = await nina.http.get("/")
        last = await vera.send(f"/operators/{ids['vera']}/disable")

    assert f"{service.settings.console}/invitation/" in page.text
    assert twice.status_code == 409
    assert gone.status_code == 303
    assert locked_out.headers["location"] == "/sign-in"
    assert last.status_code == 409


async def test_an_operator_who_holds_a_case_is_not_disabled(service: Service, sessions: Sessions) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_operator("nina") as nina,
    ):
        await bot.open()
        await nina.take_next()
        async with transaction(sessions) as session:
            number = (await session.scalars(select(Operator.number).where(Operator.name == "nina"))).one()
        answer = await vera.send(f"/operators/{number}/disable")

    assert answer.status_code == 409


async def test_a_case_stands_on_an_open_desk(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as operator,
        _stream(operator, "/stream") as lines,
    ):
        await _until(lines, "0 waiting")
        await bot.open(danger="emergency")
        await _until(lines, "1 emergency")


async def test_a_desk_counts_what_is_new_in_each_case_by_itself(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        for conversation in ("one", "another"):
            await bot.open(conversation=conversation)
        first, second = await nina.take_next(), await nina.take_next()
        assert first is not None
        assert second is not None
        await bot.say(first, "are you there")
        await bot.say(first, "please")
        await nina.write(second, "I am here.")

        # The words with which she came were not answered either.
        assert "3 new messages" in await nina.see()

        await nina.write(first, "Now I am.")

        assert "new message" not in await nina.see()


async def test_a_message_of_the_visitor_appears_in_an_open_case_at_once(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        await operator.take_next()
        async with _stream(operator, f"/cases/{case}/stream") as lines:
            await _until(lines, "standing")
            await bot.say(case, "ты ещё здесь?")
            await _until(lines, "ты ещё здесь?")
            await operator.write(case, "да")
            await _until(lines, "Delivered")


async def test_an_open_page_is_told_when_the_case_is_with_somebody_else(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        await operator.take_next()
        async with _stream(operator, f"/cases/{case}/stream") as lines:
            await _until(lines, "standing")
            await bot.post(f"/v1/cases/{case}/forget")
            await _until(lines, "event: case_gone")


async def test_an_open_page_is_told_when_its_session_ends(service: Service) -> None:
    async with (
        service.as_bot() as bot,
        service.as_operator("nina") as operator,
        _stream(operator, "/stream") as lines,
    ):
        await _until(lines, "0 waiting")
        await operator.send("/sign-out")
        await bot.open()
        await _until(lines, "event: signed_out")


async def test_health_readiness_and_metrics_tell_no_words_and_no_ids(service: Service) -> None:
    async with service.as_bot() as bot, service.browser() as browser:
        case = await bot.open(danger="urgent")
        health = await browser.get("/healthz")
        ready = await browser.get("/readyz")
        metrics = (await browser.get("/metrics")).text

    assert health.status_code == 200
    assert ready.json() == {"status": "ok", "degraded": []}
    assert 'porchlight_cases_open{danger="urgent",state="waiting"} 1.0' in metrics
    assert "porchlight_events_pending 0.0" in metrics
    assert str(case) not in metrics


async def test_metrics_tell_how_long_the_first_word_of_a_person_took(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open(danger="urgent")
        await operator.take_next()
        before = _first_answers((await operator.http.get("/metrics")).text)
        await operator.write(case, "I am here with you.")
        await operator.write(case, "Take your time.")
        metrics = (await operator.http.get("/metrics")).text

    assert _first_answers(metrics) == before + 1
    assert "porchlight_desk_jobs_waiting" in metrics
    assert "porchlight_desk_database_connections_in_use" in metrics


def _first_answers(metrics: str) -> float:
    found = re.search(r'^porchlight_case_first_answer_seconds_count{danger="urgent"} (.+)$', metrics, re.M)
    return float(found[1]) if found else 0.0


async def test_tables_of_an_older_version_are_not_ready(service: Service, database: str) -> None:
    async with service.browser() as browser:
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
            await connection.execute("UPDATE alembic_version SET version_num = '0001'")
        ready = await browser.get("/readyz")

    assert (ready.status_code, ready.json()) == (503, {"status": "down", "degraded": ["migrations"]})


@asynccontextmanager
async def _stream(operator: OperatorClient, path: str) -> AsyncIterator[asyncio.Queue[str]]:
    lines: asyncio.Queue[str] = asyncio.Queue()
    async with operator.http.stream("GET", path, headers={"accept": "text/event-stream"}) as response:
        assert response.status_code == 200

        async def read() -> None:
            async for line in response.aiter_lines():
                lines.put_nowait(line)

        task = asyncio.create_task(read())
        try:
            yield lines
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _until(lines: asyncio.Queue[str], wanted: str, *, within: float = 30) -> None:
    async with asyncio.timeout(within):
        while wanted not in await lines.get():
            pass
