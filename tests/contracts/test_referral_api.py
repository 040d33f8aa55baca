"""The bot's real client and the real referral service mean the same by every request between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from bot.referral_client import CaseGone, ReferralClient, ReferralRefused, ReferralUnreachable
from referral.events.tables import EventKind
from tests.referral.desk import OPENED_AT, Service
from tests.referral.serving import SERVICE_SECRET, FakeBot


@pytest.fixture
async def client(service: Service) -> AsyncIterator[ReferralClient]:
    made = ReferralClient(service.url, secret=SERVICE_SECRET)
    yield made
    await made.close()


def _case(**changes: Any) -> dict[str, Any]:
    """What CONTRACTS says about ``POST /v1/cases``, with every field that it names."""
    return {
        "id": str(uuid4()),
        "conversation": str(uuid4()),
        "channel": "telegram",
        "locale": "ru",
        "country": "BY",
        "role": "child",
        "danger": "emergency",
        "reason": "suicidal",
        "opened_at": "2026-11-22T03:04:05.123456+00:00",
        "consent": "Человек на линии помощи увидит то, что ты написал(а).",
        "card": {"harm": "suicidal", "since": "они не отстают", "story": "chosen"},
        "said": ["danger.care", "talk_to_human.consent"],
        "promised": ["danger.care"],
        "scope": ["messages", "answers", "safety_plan"],
        "sources": {"since": "words"},
        "plan": {"my_plan_signs": "не сплю"},
        "contacts": {"helpline": "8-801-100-16-11", "emergency": "112"},
        "texts": {"danger.care": {"ru": "Мне важно.", "en": "I care."}},
        "messages": [
            {
                "id": str(uuid4()),
                "sender": sender,
                "text": f"сказал {sender}",
                "sent_at": OPENED_AT,
                "key": "danger.care" if sender == "bot" else None,
            }
            for sender in ("visitor", "bot", "operator")
        ],
    } | changes


def _message(text: str) -> dict[str, Any]:
    return {"id": str(uuid4()), "text": text, "sent_at": "2026-11-22T03:05:00+00:00", "danger": "concern"}


async def test_a_conversation_is_handed_over_and_everything_of_it_can_be_repeated(
    client: ReferralClient, service: Service
) -> None:
    wanted, message = _case(), _message("ты тут?")
    case = UUID(wanted["id"])

    for _ in range(2):
        await client.open_case(wanted)
        await client.add_message(case, message)
        await client.raise_danger(case, danger="emergency")

    assert await client.status(case) == {
        "id": str(case),
        "state": "waiting",
        "place": 1,
        "waiting": 1,
        "usual_minutes": None,
        "here": False,
        "opens_at": None,
    }
    async with service.as_operator("nina") as operator:
        assert await operator.take_next() == case
        page = await operator.see(f"/cases/{case}")
    assert await client.status(case) == {
        "id": str(case),
        "state": "held",
        "place": None,
        "waiting": 0,
        "usual_minutes": None,
        "here": True,
        "opens_at": None,
    }
    for words in ("сказал visitor", "сказал bot", "сказал operator", "ты тут?", "они не отстают"):
        assert page.count(words) == 1


@pytest.mark.parametrize(
    "missing", [{"country": None}, {"role": None}, {"card": {}}, {"said": []}, {"messages": []}]
)
async def test_what_a_visitor_did_not_say_does_not_keep_them_from_a_person(
    client: ReferralClient, missing: dict[str, Any]
) -> None:
    wanted = _case(**missing)

    await client.open_case(wanted)

    assert (await client.status(UUID(wanted["id"])))["state"] == "waiting"


async def test_leaving_and_forgetting_can_be_repeated(client: ReferralClient) -> None:
    wanted = _case()
    case = UUID(wanted["id"])
    await client.open_case(wanted)

    for _ in range(2):
        await client.leave(case)
        await client.forget(case)

    assert (await client.status(case))["state"] == "closed"


async def test_consent_is_taken_back_and_a_talk_is_rated_and_both_can_be_repeated(
    client: ReferralClient, service: Service
) -> None:
    wanted = _case()
    case = UUID(wanted["id"])
    await client.open_case(wanted)
    async with service.as_operator("nina") as operator:
        await operator.take_next()
        await operator.close(case)

    for _ in range(2):
        await client.rate(case, face="good")
        await client.revoke(case)

    assert (await client.status(case))["state"] == "closed"


async def test_words_for_a_case_that_is_over_or_unknown_are_told_from_an_outage(
    client: ReferralClient,
) -> None:
    wanted = _case()
    await client.open_case(wanted)
    await client.leave(UUID(wanted["id"]))

    with pytest.raises(CaseGone):
        await client.add_message(UUID(wanted["id"]), _message("вернулся"))
    with pytest.raises(CaseGone):
        await client.add_message(uuid4(), _message("алло"))


async def test_a_wrong_secret_and_a_wrong_case_are_refusals_and_no_outage(
    client: ReferralClient, service: Service
) -> None:
    stranger = ReferralClient(service.url, secret="whsec_" + "YW5vdGhlciBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRl")

    with pytest.raises(ReferralRefused) as unsigned:
        await stranger.open_case(_case())
    with pytest.raises(ReferralRefused) as misunderstood:
        await client.open_case(_case(surname="x"))
    await stranger.close()

    assert (unsigned.value.status, misunderstood.value.status) == (401, 422)


async def test_a_service_that_is_away_is_an_outage() -> None:
    client = ReferralClient("http://127.0.0.1:9", secret=SERVICE_SECRET)

    with pytest.raises(ReferralUnreachable):
        await client.open_case(_case())
    await client.close()


async def test_events_have_the_form_that_both_sides_agreed_on(
    client: ReferralClient, service: Service, bot: FakeBot
) -> None:
    wanted = _case()
    await client.open_case(wanted)
    async with service.as_operator("nina") as operator:
        case = await operator.take_next()
        assert case is not None
        entry = uuid4()
        await operator.write(case, "я здесь", entry=entry)
        await operator.send(f"/cases/{case}/release")
        await operator.take_next()
        await operator.close(case)
        await bot.until(lambda seen: len(seen.events) == 5)

    assert bot.kinds == ["case.taken", "case.message", "case.returned", "case.taken", "case.closed"]
    assert {kind.removeprefix("case.") for kind in bot.kinds} == set(EventKind)
    for event in bot.events:
        assert set(event) == {"type", "timestamp", "data"}
    assert bot.events[0]["data"] == {"case": str(case)}
    assert bot.events[4]["data"] == {"case": str(case), "rate": True}
    assert bot.events[1]["data"] == {"case": str(case), "message": str(entry), "text": "я здесь"}


async def test_an_error_says_what_it_is_in_one_word_and_one_sentence(service: Service) -> None:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        answer = await http.post("/v1/cases", json=_case())

    assert set(answer.json()) == {"error", "detail"}
    assert answer.json()["error"] == "signature_invalid"
