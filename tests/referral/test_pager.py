"""Whoever is on duty hears of an overdue case, once, without a word of the visitor, after every outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select

from referral.cases.intake import Intake
from referral.cases.overdue import Overdue
from referral.cases.rules import DangerLevel
from referral.cases.schemas import NewCase
from referral.clock import utc_now
from referral.config import Settings
from referral.database import Sessions, transaction
from referral.pager.address import AddressForbidden, is_public, public_address
from referral.pager.rules import DELAYS, Channel, Letter, delay
from referral.pager.senders import MailSender, PageNotSent, WebhookSender
from referral.pager.tables import Page
from referral.pager.worker import Pager
from referral.privacy import Privacy
from tests.fakes.mail import FakeMail
from tests.fakes.messenger import TooMany
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.referral.conftest import SECRET_KEY, Time
from tests.referral.desk import Service, case_json, eventually, running
from tests.referral.serving import SERVICE_SECRET, FakeBot, serving

LETTER = Letter(
    number=UUID(int=7),
    attempts=1,
    designation="quiet heron",
    danger=DangerLevel.EMERGENCY,
    waiting=timedelta(minutes=3, seconds=20),
    link="https://desk.example/supervision#case-1",
)


def test_a_page_says_how_dangerous_who_and_how_long() -> None:
    assert LETTER.title == "EMERGENCY: quiet heron has waited 3 min for an answer"
    assert LETTER.words.endswith(LETTER.link)


def test_failures_are_tried_again_more_slowly_but_never_given_up() -> None:
    assert [delay(attempt) for attempt in range(1, 7)] == list(DELAYS)
    assert delay(500) == DELAYS[-1]
    assert delay(1, wanted=timedelta(seconds=40)) == timedelta(seconds=40)
    assert delay(1, wanted=timedelta(days=1)) == DELAYS[-1]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.20.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "2002:a00:1::1", "64:ff9b::a00:1",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111"])
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://localhost/", "https://[::1]/", "http://93.184.215.14/"]
)
async def test_nothing_is_sent_inside_or_in_the_clear_unless_that_is_allowed(url: str) -> None:
    with pytest.raises(AddressForbidden):
        await public_address(url)

    async with httpx.AsyncClient(trust_env=False) as client:
        sender = WebhookSender(client, url=url, secret=SERVICE_SECRET, private=False)
        with pytest.raises(PageNotSent, match="AddressForbidden"):
            await sender.send(LETTER, now=utc_now())


async def test_a_public_webhook_is_reached_by_the_address_that_was_checked_under_its_own_name() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        url = "https://93.184.215.14:8443/hook?a=b"
        await WebhookSender(client, url=url, secret=SERVICE_SECRET, private=False).send(LETTER, now=utc_now())

    assert str(asked[0].url) == url
    assert asked[0].headers["host"] == "93.184.215.14:8443"
    assert asked[0].extensions["sni_hostname"] == "93.184.215.14"


async def test_a_password_is_not_sent_in_the_clear() -> None:
    mail = FakeMail()
    async with mail.running() as url:
        sender = MailSender(
            url=url.replace("//", "//desk:secret@"), sender="a@desk.example", recipients="b@desk.example"
        )
        with pytest.raises(PageNotSent, match="SMTPNotSupportedError"):
            await sender.send(LETTER, now=utc_now())

    assert mail.mails == []


async def test_all_three_are_told_once_and_none_of_them_a_word(
    database: str, clock: Time, sessions: Sessions
) -> None:
    async with _paged(database, clock) as (service, hook, staff, mail), service.as_bot() as bot:
        case = await bot.open(danger="emergency")
        clock.forward(timedelta(minutes=3))
        await hook.until(lambda seen: len(seen.events) == 1)
        told = (await staff.sees()).text
        await eventually(lambda: _unsent(sessions), lambda number: number == 0)
        clock.forward(timedelta(hours=2))
        await asyncio.sleep(1.2)

    (event,) = hook.events
    (letter,) = mail.mails
    link = f"{service.settings.console}/supervision#case-{case}"
    assert event["type"] == "case.overdue"
    assert set(event["data"]) == {"designation", "danger", "waiting_minutes", "link"}
    assert event["data"]["danger"] == "emergency"
    assert event["data"]["waiting_minutes"] == 3
    assert event["data"]["link"] == link
    name = event["data"]["designation"]
    assert told.splitlines() == [f"EMERGENCY: {name} has waited 3 min for an answer.", link]
    assert letter["Subject"] == f"EMERGENCY: {name} has waited 3 min for an answer"
    assert letter.get_content().splitlines() == told.splitlines()
    assert mail.recipients == [["duty@desk.example", "boss@desk.example"]]


async def test_every_outage_passes_and_the_page_arrives_once(
    database: str, clock: Time, sessions: Sessions
) -> None:
    async with _paged(database, clock) as (service, hook, staff, mail), service.as_bot() as bot:
        hook.fail(500)
        mail.refuses = 1
        staff.telegram.fail(TooMany(after=20), method="sendMessage")
        await bot.open(danger="emergency")
        clock.forward(timedelta(minutes=2))
        await hook.until(lambda seen: len(seen.attempts) == 1)
        await eventually(lambda: _attempted(sessions), lambda number: number == 3)
        clock.forward(timedelta(seconds=25))
        await hook.until(lambda seen: len(seen.events) == 1)
        told = (await staff.sees()).text
        await eventually(lambda: _unsent(sessions), lambda number: number == 0)

    assert told.startswith("EMERGENCY")
    assert len(hook.attempts) == 2
    assert hook.attempts[0] == hook.attempts[1]
    assert len(mail.mails) == 1


async def test_when_somebody_has_answered_nobody_is_woken_any_more(
    database: str, clock: Time, sessions: Sessions
) -> None:
    async with (
        _paged(database, clock) as (service, hook, _, _),
        service.as_bot() as bot,
        service.as_operator("nina") as nina,
    ):
        hook.fail(500, retry_after="60")
        case = await bot.open(danger="emergency")
        clock.forward(timedelta(minutes=2))
        await hook.until(lambda seen: len(seen.attempts) == 1)
        await nina.take_next()
        await nina.write(case, "я здесь")
        # Long enough for the next attempt, and not so long that nina counts as away.
        clock.forward(timedelta(seconds=100))
        await eventually(lambda: _unsent(sessions), lambda number: number == 0)

    assert hook.events == []


async def test_many_processes_send_a_page_once(sessions: Sessions, privacy: Privacy, bot: FakeBot) -> None:
    now = utc_now()
    later = now + timedelta(hours=4)
    bot.clock = lambda: later
    async with transaction(sessions) as session:
        for _ in range(5):
            await Intake(session, privacy=privacy, now=now).open(NewCase(**case_json(id=str(uuid4()))))
    for _ in range(2):
        await Overdue(sessions, privacy=privacy, channels=[Channel.WEBHOOK]).sweep(now=later)

    async with serving(bot.app()) as url, httpx.AsyncClient(trust_env=False) as client:
        hook = WebhookSender(client, url=f"{url}/referral/events", secret=SERVICE_SECRET, private=True)
        pagers = [
            Pager(
                sessions, senders={Channel.WEBHOOK: hook}, clock=lambda: later, console="https://desk.example"
            )
            for _ in range(3)
        ]
        async with pagers[0].running(), pagers[1].running(), pagers[2].running():
            await bot.until(lambda seen: len(seen.events) == 5)
            await eventually(lambda: _unsent(sessions), lambda number: number == 0)

    assert len(bot.attempts) == 5


def test_a_pager_that_is_set_up_by_half_is_named() -> None:
    with pytest.raises(ValueError, match="Set PORCHLIGHT_PAGER_WEBHOOK_SECRET as well"):
        _settings("postgresql:///referral", pager_webhook_url="https://pager.example")


def _settings(database: str, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "referral_database_url": database,
        "referral_secret_key": SECRET_KEY,
        "service_secret": SERVICE_SECRET,
    }
    return Settings(**(given | changes))


class _Staff:
    """A Telegram group of the staff."""

    def __init__(self, telegram: FakeTelegram) -> None:
        self.telegram = telegram
        self._group = telegram.visitor()
        self._group.starts()
        self.chat = str(self._group.number)

    async def sees(self) -> Any:
        return await self._group.sees()


@asynccontextmanager
async def _paged(database: str, clock: Time) -> AsyncIterator[tuple[Service, FakeBot, _Staff, FakeMail]]:
    """The service with a pager of each kind."""
    hook, mail = FakeBot(clock=clock), FakeMail()
    with FakeTelegram() as telegram:
        staff = _Staff(telegram)
        async with serving(hook.app()) as hook_url, mail.running() as mail_url:
            settings = _settings(
                database,
                pager_webhook_url=f"{hook_url}/referral/events",
                pager_webhook_secret=SERVICE_SECRET,
                pager_private_addresses=True,
                pager_telegram_token=TOKEN,
                pager_telegram_chat=staff.chat,
                telegram_api_url=telegram.url,
                pager_smtp_url=mail_url,
                pager_email_from="porchlight@desk.example",
                pager_email_to="duty@desk.example, boss@desk.example",
            )
            async with running(settings, clock=clock) as service:
                yield service, hook, staff, mail


async def _unsent(sessions: Sessions) -> int:
    query = select(func.count()).where(Page.sent_at.is_(None), Page.dropped_at.is_(None))
    async with transaction(sessions) as session:
        return await session.scalar(query) or 0


async def _attempted(sessions: Sessions) -> int:
    """How many pages failed once and wait for their next attempt, less than a lease away."""
    soon = datetime.now(UTC) + timedelta(minutes=2, seconds=30)
    query = select(func.count()).where(Page.attempts == 1, Page.next_try_at < soon, Page.sent_at.is_(None))
    async with transaction(sessions) as session:
        return await session.scalar(query) or 0
