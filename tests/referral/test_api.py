"""The bot can hand a conversation over, and nothing it does twice happens twice."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx
import pytest

from tests.referral.desk import OPENED_AT, Service, case_json


async def test_a_case_opened_twice_is_one_case_with_one_name(service: Service) -> None:
    wanted = case_json()

    async with service.as_bot() as bot:
        first = await bot.post("/v1/cases", wanted)
        again = await bot.post("/v1/cases", wanted)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["state"] == "waiting"
    assert first.json()["place"] == 1


async def test_danger_comes_before_age_in_the_line(service: Service) -> None:
    async with service.as_bot() as bot:
        calm = await bot.open(danger="none")
        concern = await bot.open(danger="concern")
        second_concern = await bot.open(danger="concern")
        emergency = await bot.open(danger="emergency")

        places = [(await bot.status(case))["place"] for case in (emergency, concern, second_concern, calm)]
        status = await bot.status(calm)

    assert places == [1, 2, 3, 4]
    assert status == {
        "id": str(calm),
        "state": "waiting",
        "place": 4,
        "waiting": 4,
        "usual_minutes": None,
        "here": False,
        "opens_at": None,
    }


async def test_a_message_that_arrives_twice_stands_in_the_thread_once(service: Service) -> None:
    number = str(uuid4())
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        first = await bot.say(case, "ты тут?", id=number)
        again = await bot.say(case, "ты тут?", id=number)
        await operator.take_next()

        page = await operator.see(f"/cases/{case}")

    assert (first.status_code, again.status_code) == (201, 200)
    assert page.count("ты тут?") == 1


async def test_a_new_case_may_repeat_messages_of_an_earlier_one(service: Service) -> None:
    wanted = case_json()
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        await bot.post("/v1/cases", wanted)
        case = await operator.take_next()
        assert case is not None
        await operator.close(case)

        answer = await bot.post("/v1/cases", wanted | {"id": str(uuid4())})
        await operator.take_next()
        page = await operator.see(f"/cases/{answer.json()['id']}")

    assert answer.status_code == 201
    assert "меня травят в чате" in page
    assert "1 earlier case" in page


async def test_a_dangerous_message_moves_the_case_ahead_and_calm_ones_do_not_move_it_back(
    service: Service,
) -> None:
    async with service.as_bot() as bot:
        first = await bot.open(danger="concern")
        second = await bot.open(danger="concern")

        await bot.say(second, "я не хочу жить", danger="emergency")
        await bot.say(second, "ладно", danger="none")
        await bot.post(f"/v1/cases/{second}/danger", {"danger": "concern"})

        assert (await bot.status(second))["place"] == 1
        assert (await bot.status(first))["place"] == 2


async def test_raising_danger_moves_the_case_ahead(service: Service) -> None:
    async with service.as_bot() as bot:
        first = await bot.open(danger="concern")
        second = await bot.open(danger="concern")

        answer = await bot.post(f"/v1/cases/{second}/danger", {"danger": "urgent"})

        assert answer.json()["place"] == 1
        assert (await bot.status(first))["place"] == 2


async def test_a_message_for_a_closed_case_is_refused_by_name(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        await operator.take_next()
        await operator.close(case)

        answer = await bot.say(case, "ещё вопрос")

    assert answer.status_code == 409
    assert answer.json()["error"] == "case_closed"


async def test_a_repeat_of_a_message_is_accepted_even_after_the_case_was_closed(service: Service) -> None:
    number = str(uuid4())
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        await bot.say(case, "спасибо", id=number)
        await operator.take_next()
        await operator.close(case)

        answer = await bot.say(case, "спасибо", id=number)

    assert answer.status_code == 200


async def test_a_case_that_nobody_opened_is_not_found(service: Service) -> None:
    async with service.as_bot() as bot:
        answers = [
            await bot.get(f"/v1/cases/{uuid4()}/status"),
            await bot.say(uuid4(), "алло"),
            await bot.post(f"/v1/cases/{uuid4()}/leave"),
        ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert answers[0].json()["error"] == "case_unknown"


async def test_a_visitor_who_leaves_the_queue_waits_no_more(service: Service) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()

        first = await bot.post(f"/v1/cases/{case}/leave")
        again = await bot.post(f"/v1/cases/{case}/leave")

        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["state"] == "closed"
        assert await operator.take_next() is None


async def test_a_visitor_who_leaves_a_talk_cannot_be_written_to_but_the_case_can_be_filed(
    service: Service,
) -> None:
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        await operator.take_next()

        answer = await bot.post(f"/v1/cases/{case}/leave")
        refused = await operator.write(case, "вы здесь?")
        page = await operator.see(f"/cases/{case}")
        closed = await operator.close(case)

    assert answer.json()["state"] == "held"
    assert refused.status_code == 409
    assert "The visitor has left" in page
    assert closed.status_code == 303


@pytest.mark.parametrize("taken", [False, True])
async def test_a_forgotten_case_keeps_its_name_and_no_words(service: Service, taken: bool) -> None:
    wanted = case_json()
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        opened = (await bot.post("/v1/cases", wanted)).json()
        if taken:
            await operator.take_next()
            await operator.write(opened["id"], "расскажите")

        answer = await bot.post(f"/v1/cases/{opened['id']}/forget")
        again = await bot.post(f"/v1/cases/{opened['id']}/forget")
        repeat = await bot.post("/v1/cases", wanted)

        gone = await operator.http.get(f"/cases/{opened['id']}")

    assert (answer.status_code, again.status_code) == (200, 200)
    assert answer.json()["state"] == "closed"
    assert repeat.status_code == 200
    assert repeat.json()["designation"] == opened["designation"]
    assert gone.status_code == 404


async def test_an_unsigned_request_is_refused_before_anything_is_read(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        without = await client.post("/v1/cases", json=case_json())
        garbage = await client.post("/v1/cases", content=b"\xff{{{", headers={"webhook-id": "1"})
        listed = await client.get(f"/v1/cases/{uuid4()}/status")

    assert [answer.status_code for answer in (without, garbage, listed)] == [401] * 3
    assert without.json()["error"] == "signature_invalid"


@pytest.mark.parametrize(
    "broken",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v1,%%%"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "soon"},
        {"webhook-id": "another"},
    ],
)
async def test_a_wrong_signature_is_refused(service: Service, broken: dict[str, str]) -> None:
    body = json.dumps(case_json()).encode()
    async with service.as_bot() as bot, httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        answer = await client.post("/v1/cases", content=body, headers={**bot.headers(body), **broken})

    assert answer.status_code == 401


async def test_a_field_we_do_not_know_is_refused_by_name_and_not_quoted(service: Service) -> None:
    async with service.as_bot() as bot:
        answer = await bot.post("/v1/cases", case_json(surname="Канарейка"))

    assert answer.status_code == 422
    assert answer.json()["error"] == "request_invalid"
    assert "surname" in answer.json()["detail"]
    assert "Канарейка" not in answer.text


async def test_a_visitor_who_wrote_a_great_deal_still_gets_a_person(service: Service) -> None:
    said = [
        {"id": str(uuid4()), "sender": sender, "text": "আ" * 10_000, "sent_at": OPENED_AT}
        for sender in ("visitor", "operator") * 20
    ]
    async with service.as_bot() as bot:
        answer = await bot.post("/v1/cases", case_json(messages=said))

    assert answer.status_code == 201


async def test_a_body_of_ten_megabytes_gets_a_clear_refusal(service: Service) -> None:
    async with service.as_bot() as bot:
        answer = await bot.post("/v1/cases", {"text": "x" * 10_000_000})

    assert answer.status_code == 413
    assert answer.json()["error"] == "body_too_large"


async def test_a_longest_allowed_message_with_control_characters_is_kept(service: Service) -> None:
    text = "\u202eя\x00\x07" + "я" * 9_990
    async with service.as_bot() as bot, service.as_operator("nina") as operator:
        case = await bot.open()
        answer = await bot.say(case, text)
        too_long = await bot.say(case, "я" * 10_001)
        await operator.take_next()
        page = await operator.see(f"/cases/{case}")

    assert answer.status_code == 201
    assert too_long.status_code == 422
    assert "\x00" not in page
    assert "\x07" not in page


async def test_the_documentation_pages_of_the_framework_are_off(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        answers = [await client.get(path) for path in ("/docs", "/redoc", "/openapi.json")]

    assert [answer.status_code for answer in answers] == [404] * 3
