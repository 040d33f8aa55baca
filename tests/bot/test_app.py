"""What the bot's HTTP interface does with bad input: a clear refusal, nothing lost, nothing logged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from bot.app import create_app
from bot.config import Settings
from bot.messages import MAX_TEXT, clean
from bot.privacy import Privacy
from bot.store import Store
from tests.bot.test_worker import settings as settings_of
from tests.referral.serving import serving


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_of(database_url)


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running application."""
    async with (
        serving(create_app(settings)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
async def chat(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client that has begun a conversation."""
    begun = await http.post("/chat/v1/conversations", json={"locale": "ru"})
    assert begun.status_code == 201
    http.headers["authorization"] = f"Bearer {begun.json()['token']}"
    return http


async def waiting(store: Store, chat: httpx.AsyncClient, privacy: Privacy) -> list[dict[str, Any]]:
    """What lies in the inbox of this client's conversation, without the greeting's cause."""
    token = chat.headers["authorization"].removeprefix("Bearer ")
    claim = privacy.claim(token)
    assert claim is not None
    messages = (await store.backlog(privacy.conversation("web", claim.split(":")[0]), most=1000)).messages
    return [message.event for message in messages if message.event["kind"] != "started"]


async def test_a_message_is_accepted_once_however_often_it_is_sent(
    chat: httpx.AsyncClient, store: Store, privacy: Privacy
) -> None:
    for _ in range(3):
        sent = await chat.post("/chat/v1/messages", json={"id": "same", "text": "привет"})
        assert sent.status_code == 202

    assert [event["text"] for event in await waiting(store, chat, privacy)] == ["привет"]


async def test_messages_sent_in_the_same_instant_are_all_kept(
    chat: httpx.AsyncClient, store: Store, privacy: Privacy
) -> None:
    sent = await asyncio.gather(
        *(chat.post("/chat/v1/messages", json={"id": str(n), "text": f"words {n}"}) for n in range(20))
    )

    assert {answer.status_code for answer in sent} == {202}
    kept = await waiting(store, chat, privacy)
    assert sorted(event["text"] for event in kept) == sorted(f"words {n}" for n in range(20))


@pytest.mark.parametrize(
    "body",
    [
        {"id": "1"},
        {"id": "1", "text": "a", "payload": "m"},
        {"id": "", "text": "a"},
        {"id": "1", "text": ""},
        {"id": "1", "text": " \u202e\x00 "},
        {"id": "1", "text": "x" * (MAX_TEXT + 1)},
        {"id": "1", "payload": "x" * 65},
        {"id": "1", "text": "a", "extra": 1},
        {"id": "1", "media": "hologram"},
        ["not", "an", "object"],
    ],
)
async def test_an_unreadable_message_is_refused_in_a_sentence_without_its_words(
    body: Any, chat: httpx.AsyncClient
) -> None:
    answer = await chat.post("/chat/v1/messages", json=body)

    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "detail"}
    assert "xxxx" not in answer.text


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"null"])
async def test_a_body_that_is_no_json_is_refused(content: bytes, chat: httpx.AsyncClient) -> None:
    answer = await chat.post(
        "/chat/v1/messages", content=content, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("path", ["/chat/v1/messages", "/chat/v1/conversations", "/referral/events"])
async def test_ten_megabytes_are_refused_whether_announced_or_not(path: str, chat: httpx.AsyncClient) -> None:
    large = b'"' + b"a" * 10_000_000 + b'"'

    async def unannounced() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    assert (await chat.post(path, content=large)).status_code == 413
    assert (await chat.post(path, content=unannounced())).status_code == 413
    assert (await chat.get("/healthz")).status_code == 200


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x.y", "Basic abc", "Bearer " + "a" * 500])
async def test_nobody_gets_in_with_a_made_up_token(token: str, http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/chat/v1/messages", json={"id": "1", "text": "hello"}, headers={"authorization": token}
    )

    assert answer.status_code == 401
    assert answer.json()["error"] == "bad_token"


async def test_one_conversation_cannot_hear_another(
    chat: httpx.AsyncClient, store: Store, privacy: Privacy
) -> None:
    begun = await chat.post("/chat/v1/conversations", json={})

    assert begun.json()["token"] != chat.headers["authorization"].removeprefix("Bearer ")
    await chat.post("/chat/v1/messages", json={"id": "1", "text": "mine"})
    other = UUID(begun.json()["conversation"])
    assert [m.event["kind"] for m in (await store.backlog(other, most=10)).messages] == ["started"]


def test_invisible_characters_are_taken_out_and_words_stay() -> None:
    assert clean("хочу\u202e умереть\x00\x07") == "хочу умереть"
    assert clean("আমি\u200c ভালো নেই\n\tআজ") == "আমি\u200c ভালো নেই\n\tআজ"
    assert len(clean("a" * 50_000)) == MAX_TEXT


def signed(settings: Settings, body: dict[str, Any], *, number: str = "msg_1") -> dict[str, Any]:
    """What the referral service would send."""
    content, now = json.dumps(body), datetime.now(UTC)
    return {
        "content": content,
        "headers": {
            "webhook-id": number,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(settings.service_secret).sign(number, now, content),
        },
    }


async def test_an_event_of_the_helpline_is_kept_once(
    chat: httpx.AsyncClient, store: Store, privacy: Privacy, settings: Settings
) -> None:
    claim = privacy.claim(chat.headers["authorization"].removeprefix("Bearer "))
    assert claim is not None
    conversation, case = privacy.conversation("web", claim.split(":")[0]), uuid4()
    async with store.transaction() as connection:
        await store.case_opened(connection, case, conversation=conversation)
    event = {"type": "case.message", "data": {"case": str(case), "text": "hello"}}

    for _ in range(2):
        assert (await chat.post("/referral/events", **signed(settings, event))).status_code == 202

    assert [kept["kind"] for kept in await waiting(store, chat, privacy)] == ["case.message"]


async def test_an_event_with_a_wrong_signature_is_refused(
    http: httpx.AsyncClient, settings: Settings
) -> None:
    event = {"type": "case.message", "data": {"case": str(uuid4()), "text": "hello"}}
    forged = signed(settings, event) | {"content": json.dumps(event | {"type": "case.closed"})}

    assert (await http.post("/referral/events", **forged)).status_code == 401
    assert (await http.post("/referral/events", json=event)).status_code == 401


@pytest.mark.parametrize("signature", ["v1", "v1,", "v1,%", "", ","])
async def test_a_garbled_signature_is_refused_like_a_wrong_one(
    signature: str, http: httpx.AsyncClient, settings: Settings
) -> None:
    event = signed(settings, {"type": "case.taken", "data": {"case": str(uuid4())}})
    event["headers"]["webhook-signature"] = signature

    assert (await http.post("/referral/events", **event)).status_code == 401


async def test_an_unknown_address_is_refused_in_the_shape_of_every_refusal(http: httpx.AsyncClient) -> None:
    answer = await http.get("/chat/v2")

    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "detail"}


async def test_an_event_for_an_erased_conversation_is_gone(
    http: httpx.AsyncClient, settings: Settings
) -> None:
    event = {"type": "case.taken", "data": {"case": str(uuid4())}}

    assert (await http.post("/referral/events", **signed(settings, event))).status_code == 410


async def test_health_and_metrics_tell_no_words(chat: httpx.AsyncClient) -> None:
    await chat.post("/chat/v1/messages", json={"id": "1", "text": "zyxwvut"})

    metrics = (await chat.get("/metrics")).text
    assert "porchlight_inbox_open 2.0" in metrics
    assert "zyxwvut" not in metrics
