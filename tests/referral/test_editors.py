"""What an editor may do at the console: try conversations out, and nothing that has to do with a visitor."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from referral.config import Settings
from referral.operators.rules import Role
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import OperatorClient, Service, running
from tests.referral.serving import SERVICE_SECRET


@pytest.fixture
async def alone(database: str, clock: Time) -> AsyncIterator[Service]:
    """A desk whose bot is away."""
    settings = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        bot_url="http://127.0.0.1:9",
    )
    async with running(settings, clock=clock) as service:
        yield service


async def _token(operator: OperatorClient) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', (await operator.http.get("/tryout")).text)
    assert found
    return found[1]


async def test_an_editor_sees_no_case_and_takes_none(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("olga", role=Role.EDITOR) as olga:
        case = await bot.open()
        fields = {"form_token": await _token(olga), "entry": str(uuid4()), "words": "x", "reason": "curious"}
        home = await olga.http.get("/")
        pages = [
            await olga.http.get(path)
            for path in (f"/cases/{case}", f"/cases/{case}/stream", "/stream", "/supervision", "/operators")
        ]
        of_the_case = [
            f"/cases/{case}/{act}" for act in ("messages", "notes", "release", "pass-on", "close", "pick")
        ]
        acts = [
            await olga.http.post(path, data=fields) for path in ("/take-next", "/operators", *of_the_case)
        ]
        page = (await olga.http.get("/tryout")).text
        status = await bot.status(case)

    assert (home.status_code, home.headers["location"]) == (303, "/tryout")
    assert {answer.status_code for answer in (*pages, *acts)} == {403}
    assert status["state"] == "waiting"
    assert "waiting</span>" not in page
    assert "/stream" not in page


async def test_an_editor_can_leave(service: Service) -> None:
    async with service.as_operator("olga", role=Role.EDITOR) as olga:
        left = await olga.http.post("/sign-out", data={"form_token": await _token(olga)})
        after = await olga.http.get("/tryout")

    assert left.status_code == 303
    assert after.headers["location"] == "/sign-in"


async def test_an_operator_who_tries_something_out_still_sees_who_waits(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as nina:
        await bot.open(danger="emergency")
        page = (await nina.http.get("/tryout")).text

    assert "1 emergency" in page


async def test_a_supervisor_invites_an_editor(service: Service) -> None:
    async with service.as_operator("vera", role=Role.SUPERVISOR) as vera:
        invited = await vera.send("/operators", {"name": "olga", "role": "editor"})
        listed = await vera.see("/operators")

    assert "/invitation/" in invited.text
    assert '<span class="tag">Editor</span>' in listed


async def test_a_bot_that_is_away_is_one_sentence_and_a_way_to_try_again(alone: Service) -> None:
    async with alone.as_operator("olga", role=Role.EDITOR) as olga:
        pages = [
            await olga.http.get(path)
            for path in ("/tryout", "/tryout/flows?flow=welcome", "/tryout/problems")
        ]
        turn = await olga.http.post(
            "/tryout/turns",
            data={"form_token": await _token(olga), "asked": '{"turn": {"event": {"kind": "start"}}}'},
            headers={"accept": "application/json"},
        )

    for page in pages:
        assert page.status_code == 503
        assert "The bot does not answer at the moment." in page.text
        assert "Try again</a>" in page.text
    assert (turn.status_code, turn.json()["error"]) == (503, "bot_unreachable")


async def test_only_the_page_itself_can_ask_for_a_turn(alone: Service) -> None:
    asked = '{"turn": {"event": {"kind": "start"}}}'
    async with alone.as_operator("olga", role=Role.EDITOR) as olga, alone.browser() as stranger:
        token = await _token(olga)
        refused: list[httpx.Response] = [
            await olga.http.post("/tryout/turns", data={"asked": asked}),
            await olga.http.post("/tryout/turns", data={"asked": asked, "form_token": "guessed"}),
            await olga.http.post(
                "/tryout/turns",
                data={"asked": asked, "form_token": token},
                headers={"origin": "https://elsewhere.example"},
            ),
            await olga.http.post("/tryout/golden", data={"golden": "{}"}),
        ]
        signed_out = await stranger.post("/tryout/turns", data={"asked": asked, "form_token": token})

    assert {answer.status_code for answer in refused} == {403}
    assert signed_out.headers["location"] == "/sign-in"


async def test_what_is_no_turn_is_refused_before_the_bot_is_asked(alone: Service) -> None:
    async with alone.as_operator("olga", role=Role.EDITOR) as olga:
        token = await _token(olga)
        answers = [
            await olga.http.post("/tryout/turns", data={"form_token": token, **fields})
            for fields in (
                {},
                {"asked": "no json"},
                {"asked": "[]"},
                {"asked": '{"turn": 5}'},
                {"asked": '{"turn": {}, "number": 0}'},
                {"asked": "[" * 50_000},
            )
        ]
        too_much = await olga.http.post("/tryout/turns", data={"form_token": token, "asked": "x" * 300_000})

    assert {answer.status_code for answer in answers} == {422}
    assert too_much.status_code == 413
