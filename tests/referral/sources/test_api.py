"""Another bot refers a visitor: with their consent, once, and only ever sees its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from referral.config import Settings
from referral.database import Sessions, transaction
from referral.operators.rules import Role
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import OPENED_AT, PATIENCE, OperatorClient, Service, running
from tests.referral.serving import SERVICE_SECRET, FakeBot


def referral_json(**changes: Any) -> dict[str, Any]:
    """A referral that is accepted, with these fields changed."""
    return {
        "conversation": "b7c1f6",
        "channel": "whatsapp",
        "locale": "en",
        "country": "BD",
        "role": "child",
        "danger": "concern",
        "reason": "insults",
        "consent": {"sentence": "Yes, show it to the helpline."},
        "card": {"since": "this_week"},
        "messages": [{"sender": "visitor", "text": "they laugh at me", "sent_at": OPENED_AT}],
    } | changes


class OtherBot:
    """Another bot, with the token that a supervisor gave it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.http = client

    async def refer(self, *, key: str | None = None, **changes: Any) -> httpx.Response:
        """Refer a visitor."""
        headers = {"idempotency-key": key or str(uuid4())}
        return await self.http.post("/v1/referrals", json=referral_json(**changes), headers=headers)

    async def referred(self, **changes: Any) -> UUID:
        """The id of a new referral."""
        answer = await self.refer(**changes)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def events(self, case: UUID, *, after: int = 0) -> list[dict[str, Any]]:
        """What is new."""
        answer = await self.http.get(f"/v1/referrals/{case}/events", params={"after": after})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["events"]
        return found


@pytest.fixture
async def vera(service: Service) -> AsyncIterator[OperatorClient]:
    async with service.as_operator("vera", role=Role.SUPERVISOR) as supervisor:
        yield supervisor


async def token_of(vera: OperatorClient, name: str = "School bot") -> str:
    """A token, which the page shows once."""
    answer = await vera.send("/connections/sources", {"name": name})
    assert answer.status_code == 200, answer.text
    found = re.search(r"porchlight_[\w-]+", answer.text)
    assert found
    return found[0]


@asynccontextmanager
async def with_token(service: Service, token: str) -> AsyncIterator[OtherBot]:
    """A bot that shows this token."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=service.url, headers=headers, trust_env=False, timeout=PATIENCE
    ) as client:
        yield OtherBot(client)


@pytest.fixture
async def school(service: Service, vera: OperatorClient) -> AsyncIterator[OtherBot]:
    async with with_token(service, await token_of(vera)) as bot:
        yield bot


async def test_a_referred_visitor_is_taken_answered_and_named_on_the_card(
    service: Service, school: OtherBot, bot: FakeBot
) -> None:
    case = await school.referred()
    waiting = (await school.http.get(f"/v1/referrals/{case}")).json()
    async with service.as_operator("nina") as nina:
        assert await nina.take_next() == case
        page = await nina.see(f"/cases/{case}")
        await nina.write(case, "I am here")
        said = {"id": str(uuid4()), "text": "thank you", "sent_at": OPENED_AT}
        answers = [await school.http.post(f"/v1/referrals/{case}/messages", json=said) for _ in range(2)]
        before = await nina.see(f"/cases/{case}")
        events = await school.events(case)
        again = await school.events(case, after=events[-1]["position"])
        after = await nina.see(f"/cases/{case}")
        await nina.close(case)
        end = await school.events(case, after=events[-1]["position"])
    late = await school.http.post(f"/v1/referrals/{case}/messages", json=said | {"id": str(uuid4())})

    assert (waiting["state"], waiting["place"]) == ("waiting", 1)
    assert "School bot (another bot)" in page
    assert "they laugh at me" in page
    assert [answer.status_code for answer in answers] == [201, 200]
    assert "thank you" in before
    assert [(event["what"], event["text"]) for event in events] == [("taken", None), ("message", "I am here")]
    assert again == []
    assert ("Delivered" in before, "Delivered" in after) == (False, True)
    assert [event["what"] for event in end] == ["closed"]
    assert late.status_code == 409
    assert bot.attempts == []


async def test_the_same_key_never_opens_two_cases(school: OtherBot) -> None:
    first = await school.refer(key="referral-1")
    repeat = await school.refer(key="referral-1")
    other = await school.refer(key="referral-1", reason="threats")
    second = await school.refer(key="referral-2")

    assert (first.status_code, repeat.status_code, second.status_code) == (201, 200, 201)
    assert first.json()["id"] == repeat.json()["id"] != second.json()["id"]
    assert (other.status_code, other.json()["error"]) == (422, "key_reused")
    assert first.headers["location"] == f"/v1/referrals/{first.json()['id']}"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"consent": None}, "consent"),
        ({"consent": {"sentence": "  "}}, "consent.sentence"),
        ({"name": "Anna"}, "name: Extra inputs are not permitted"),
        ({"consent": {"sentence": "yes", "email": "a@b"}}, "consent.email"),
        ({"danger": "terrible"}, "danger"),
        ({"card": {"favourite_colour": "green"}}, "card.favourite_colour"),
        ({"conversation": "two words"}, "conversation"),
        ({"messages": [{"sender": "operator", "text": "x", "sent_at": OPENED_AT}]}, "messages.0.sender"),
        ({"messages": [{"sender": "bot", "text": "x", "sent_at": "0001-01-01T00:00:00Z"}]}, "2000 and 2100"),
    ],
)
async def test_what_cannot_be_accepted_is_refused_with_a_sentence_that_quotes_nobody(
    school: OtherBot, change: dict[str, Any], says: str
) -> None:
    answer = await school.refer(**change)

    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert "laugh" not in answer.text
    assert "Anna" not in answer.text


async def test_without_an_idempotency_key_nothing_is_accepted(school: OtherBot) -> None:
    answer = await school.http.post("/v1/referrals", json=referral_json())

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_a_referral_that_is_too_large_is_refused(school: OtherBot) -> None:
    answer = await school.refer(card={"since": "y" * 3_000_000})

    assert answer.status_code == 413


async def test_nobody_sees_the_visitors_of_another_bot(
    service: Service, vera: OperatorClient, school: OtherBot
) -> None:
    case = await school.referred()
    said = {"id": str(uuid4()), "text": "x", "sent_at": OPENED_AT}
    async with with_token(service, await token_of(vera, "Another bot")) as other, service.as_bot() as ours:
        theirs = await ours.open()
        answers = [
            await other.http.get(f"/v1/referrals/{case}"),
            await other.http.get(f"/v1/referrals/{case}/events"),
            await other.http.post(f"/v1/referrals/{case}/messages", json=said),
            await other.http.post(f"/v1/referrals/{case}/danger", json={"danger": "urgent"}),
            await other.http.post(f"/v1/referrals/{case}/leave"),
            await other.http.delete(f"/v1/referrals/{case}"),
            await school.http.get(f"/v1/referrals/{theirs}"),
            await school.http.delete(f"/v1/referrals/{uuid4()}"),
        ]

    assert {answer.status_code for answer in answers} == {404}


@pytest.mark.parametrize("token", ["", "porchlight_wrong", "x y"])
async def test_a_wrong_token_opens_nothing(service: Service, token: str) -> None:
    async with with_token(service, token.strip() or "none") as stranger:
        answer = await stranger.refer(consent=None)

    assert (answer.status_code, answer.json()["error"]) == (401, "token_invalid")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_that_was_taken_away_opens_nothing(
    service: Service, vera: OperatorClient, school: OtherBot, sessions: Sessions
) -> None:
    await school.referred()
    page = await vera.see("/connections")
    found = re.search(r'action="(/connections/sources/[^"]+/revoke)"', page)
    assert found
    assert "Last heard of" in page
    assert (await vera.send(found[1])).status_code == 303
    refused = await school.refer()
    again = await token_of(vera)
    async with transaction(sessions) as session:
        rows = (await session.execute(text("SELECT name, token_hash FROM source"))).all()

    assert refused.status_code == 401
    assert [name for name, _ in rows] == ["School bot", "School bot"]
    assert not any(again.encode() in token for _, token in rows)
    assert again not in await vera.see("/connections")


async def test_whoever_asks_too_often_is_asked_to_wait_and_others_are_not(database: str, clock: Time) -> None:
    settings = Settings(
        referral_database_url=database,
        referral_secret_key=SECRET_KEY,
        service_secret=SERVICE_SECRET,
        source_requests_per_minute=3,
    )
    async with (
        running(settings, clock=clock) as service,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        with_token(service, await token_of(vera, "Hasty")) as hasty,
        with_token(service, await token_of(vera, "Calm")) as calm,
    ):
        statuses = [(await hasty.refer(consent=None)).status_code for _ in range(3)]
        refused = await hasty.refer()
        other = await calm.refer()
        clock.forward(timedelta(seconds=61))
        later = await hasty.refer()

    assert statuses == [422, 422, 422]
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (other.status_code, later.status_code) == (201, 201)


async def test_danger_rises_consent_is_taken_back_and_the_visitor_may_leave(school: OtherBot) -> None:
    case = await school.referred()

    raised = await school.http.post(f"/v1/referrals/{case}/danger", json={"danger": "emergency"})
    revoked = await school.http.post(f"/v1/referrals/{case}/revoke")
    left = await school.http.post(f"/v1/referrals/{case}/leave")

    assert (raised.json()["state"], revoked.json()["state"]) == ("waiting", "waiting")
    assert left.json()["state"] == "closed"


async def test_a_deletion_leaves_no_word_and_nothing_made_of_words(
    school: OtherBot, sessions: Sessions
) -> None:
    case = await school.referred()

    gone = await school.http.delete(f"/v1/referrals/{case}")
    again = await school.http.delete(f"/v1/referrals/{case}")

    async with transaction(sessions) as session:
        query = text('SELECT card, conversation, fingerprint FROM "case" JOIN referred_case ON case_id = id')
        assert (await session.execute(query)).all() == [(None, None, None)]
    assert (gone.status_code, again.status_code) == (204, 204)
    assert (await school.http.get(f"/v1/referrals/{case}")).json()["state"] == "closed"
    assert await school.events(case) == []


async def test_a_visitor_who_comes_back_is_known_to_have_come_back(
    service: Service, school: OtherBot
) -> None:
    await school.referred()
    await school.referred()
    async with service.as_operator("nina") as nina:
        case = await nina.take_next()
        page = await nina.see(f"/cases/{case}")

    assert "1 earlier case" in page


async def test_a_case_that_waits_for_its_own_bot_does_not_look_like_an_outage_of_ours(
    service: Service, school: OtherBot, sessions: Sessions
) -> None:
    case = await school.referred()
    async with service.as_operator("nina") as nina, service.browser() as monitoring:
        await nina.take_next()
        await nina.write(case, "I am here")
        async with transaction(sessions) as session:
            await session.execute(text("UPDATE event SET created_at = created_at - interval '1 hour'"))
        ready = (await monitoring.get("/readyz")).json()

    assert ready == {"status": "ok", "degraded": []}


async def test_the_description_is_there_for_everybody_and_about_other_bots_alone(service: Service) -> None:
    async with service.browser() as anybody:
        document = (await anybody.get("/v1/openapi.json")).json()

    assert document["openapi"].startswith("3.")
    assert all(path.startswith("/v1/referrals") for path in document["paths"])
    assert document["components"]["schemas"]["NewReferral"]["examples"]
