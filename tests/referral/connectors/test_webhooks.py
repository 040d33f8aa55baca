"""Standard Webhooks: set up by a supervisor, signed while secrets change, kept out of private networks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from referral.clock import utc_now
from referral.config import Settings
from referral.connectors.happenings import Audience, Kind
from referral.connectors.protocol import Ended, Failed, Letter
from referral.connectors.webhooks import Address, WebhookConnector
from referral.operators.rules import Role
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.connectors.line import CANARY
from tests.referral.connectors.receivers import OLDER_SECRET, SECRET, Says, WebhookReceiver
from tests.referral.connectors.test_rules import a_happening
from tests.referral.desk import OperatorClient, Service, eventually, running
from tests.referral.serving import SERVICE_SECRET, FakeBot, serving


@pytest.fixture
async def service(database: str, bot: FakeBot, clock: Time) -> AsyncIterator[Service]:
    """The whole service, which may tell servers of this machine."""
    async with serving(bot.app()) as bot_url:
        settings = Settings(
            referral_database_url=database,
            referral_secret_key=SECRET_KEY,
            service_secret=SERVICE_SECRET,
            bot_url=bot_url,
            webhooks_private_addresses=True,
        )
        async with running(settings, clock=clock) as made:
            yield made


async def _add(vera: OperatorClient, url: str, **changes: str) -> str:
    """Add an endpoint for the opening and the end of cases; its secret, which the page shows once."""
    fields = {"label": "Dashboard", "address": f"{url}/hook", "audience": "helpline", "kinds": "opened"}
    answer = await vera.send("/connections", fields | changes)
    assert answer.status_code == 200, answer.text
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text)
    assert found
    return found[0]


async def _act(vera: OperatorClient, act: str) -> int:
    """Press the first button that sends this."""
    found = re.search(rf'action="(/connections/[^"]+/{act})"', await vera.see("/connections"))
    assert found, act
    return (await vera.send(found[1])).status_code


async def _shows(vera: OperatorClient, words: str) -> str:
    return await eventually(lambda: vera.see("/connections"), lambda page: words in page)


async def _told(receiver: WebhookReceiver, number: int) -> list[str]:
    async def look() -> list[str]:
        return [event["type"] for event in receiver.events]

    return await eventually(look, lambda seen: len(seen) >= number)


async def test_a_supervisor_connects_a_dashboard_which_then_hears_of_a_new_case(
    service: Service, clock: Time
) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_bot() as bot,
    ):
        receiver.secret = await _add(vera, url)
        case = await bot.open(country="BY", danger="urgent")
        await _told(receiver, 1)
        page = await _shows(vera, "Arrived")

    (event,) = receiver.events
    assert event["type"] == "case.opened"
    assert event["data"]["case"] == str(case)
    assert (event["data"]["danger"], event["data"]["country"]) == ("urgent", "BY")
    assert not {"thread", "card", "consent"} & set(event["data"])
    assert receiver.secret not in page
    assert "травят" not in page


async def test_words_go_only_where_a_supervisor_wants_them(service: Service, clock: Time) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_bot() as bot,
    ):
        receiver.secret = await _add(vera, url, with_words="yes")
        await bot.open(card={"since": CANARY})
        await _told(receiver, 1)

    (event,) = receiver.events
    assert event["data"]["card"] == {"since": CANARY}
    assert [entry["text"] for entry in event["data"]["thread"]] == [
        "меня травят в чате",
        "Мне жаль, что так.",
    ]


async def test_another_organisation_hears_only_of_visitors_who_agreed_to_that(
    service: Service, clock: Time
) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_bot() as bot,
    ):
        receiver.secret = await _add(vera, url, audience="others")
        await bot.open()
        agreed = await bot.open(consent="Мы расскажем и школе.", consent_for_others=True)
        await _told(receiver, 1)
        page = await _shows(vera, "may be told")

    assert [event["data"]["case"] for event in receiver.events] == [str(agreed)]
    assert "Not sent" in page


async def test_a_secret_is_changed_without_a_letter_that_cannot_be_checked(
    service: Service, clock: Time
) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_bot() as bot,
    ):
        receiver.secret = old = await _add(vera, url)
        found = re.search(r'action="(/connections/[^"]+/secret)"', await vera.see("/connections"))
        assert found
        page = (await vera.send(found[1])).text
        (new,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", page))
        await bot.open()
        await _told(receiver, 1)
        receiver.secret = new
        await bot.open()
        await _told(receiver, 2)
        assert await _act(vera, "secret/finish") == 303
        await bot.open()
        await _told(receiver, 3)
        receiver.secret = old
        await bot.open()
        await _shows(vera, "401, attempt")

    assert new != old
    assert len(receiver.events) == 3


async def test_an_endpoint_that_is_gone_is_told_nothing_until_it_is_switched_on_again(
    service: Service, clock: Time
) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_bot() as bot,
    ):
        receiver.secret = await _add(vera, url)
        receiver.fail(Says(status=410))
        waiting = await bot.open()
        await _shows(vera, "(410)")
        missed = await bot.open()
        asked = receiver.requests
        assert await _act(vera, "on") == 303
        await _told(receiver, 1)
        later = await bot.open()
        await _told(receiver, 2)

    assert asked == 1
    told = [event["data"]["case"] for event in receiver.events]
    assert told == [str(waiting), str(later)]
    assert str(missed) not in told


async def test_what_arrived_can_be_sent_again_under_the_same_id(service: Service, clock: Time) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_bot() as bot,
    ):
        receiver.secret = await _add(vera, url)
        await bot.open()
        await _told(receiver, 1)
        await _shows(vera, "Arrived")
        assert await _act(vera, "again") == 303

        async def requests() -> int:
            return receiver.requests

        await eventually(requests, lambda number: number == 2)

    assert len(set(receiver.numbers)) == 1


async def test_a_system_that_does_not_answer_shows_on_the_page_and_to_the_monitoring(
    service: Service, clock: Time
) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.as_bot() as bot,
        service.browser() as monitoring,
    ):
        receiver.secret = await _add(vera, url)
        receiver.fail(*[Says(status=503)] * 4)
        await bot.open()
        for number in range(1, 5):
            page = await _shows(vera, f"503, attempt {number}")
            ready = (await monitoring.get("/readyz")).json()
            clock.forward(timedelta(minutes=3))
        await _told(receiver, 1)

    assert "Does not answer (503)" in page
    assert ready["degraded"] == ["connections"]


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/hook",
        "https://127.0.0.1/hook",
        "https://10.0.0.8/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/hook",
        "https://пример.test/hook",
        "https://example.org:port/hook",
        "ftp://example.org/hook",
        "https://",
    ],
)
async def test_an_address_that_leads_nowhere_public_is_refused_at_once(
    database: str, clock: Time, address: str
) -> None:
    settings = Settings(
        referral_database_url=database, referral_secret_key=SECRET_KEY, service_secret=SERVICE_SECRET
    )
    async with (
        running(settings, clock=clock) as service,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
    ):
        fields = {"label": "x", "address": address, "audience": "helpline", "kinds": "opened"}
        answer = await vera.send("/connections", fields)

    assert answer.status_code == 422
    assert "begins with https://" in answer.text


async def test_a_name_that_leads_into_a_private_network_is_found_out_when_it_is_sent_to() -> None:
    answer = await _sent("https://localhost/hook", private=False)

    assert answer == Failed(reason="AddressForbidden")


async def test_an_endpoint_that_answers_410_wants_no_more(clock: Time) -> None:
    receiver = WebhookReceiver(clock=clock)
    receiver.fail(Says(status=410))
    async with serving(receiver.app()) as url:
        assert await _sent(f"{url}/hook", private=True) == Ended(reason="410")


@pytest.mark.parametrize("secret", [SECRET, OLDER_SECRET])
async def test_either_of_two_secrets_is_enough_for_the_reference_library(secret: str) -> None:
    receiver = WebhookReceiver(clock=utc_now)
    receiver.secret = secret
    async with serving(receiver.app()) as url:
        await _sent(f"{url}/hook", private=True)

    assert len(receiver.events) == 1


async def _sent(url: str, *, private: bool) -> object:
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        connector = WebhookConnector(
            client,
            name="webhook_test",
            address=Address(url=url, secrets=(SECRET, OLDER_SECRET), private=private),
            wants=frozenset(Kind),
            audience=Audience.HELPLINE,
        )
        happening = a_happening()
        letter = Letter(number=happening.case.number, attempt=1, happening=happening)
        return await connector.send(letter, now=utc_now())
