"""What every connector does, whatever the system at its other end: nothing is lost, doubled or told too much.

A new connector adds how its receiver is made to ``RECEIVERS``, and all of this holds for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx
import pytest

from referral.cases.rules import DangerLevel
from referral.changes import Changes
from referral.clock import Clock
from referral.connectors.registry import Registry
from referral.connectors.rules import MOST_ATTEMPTS
from referral.connectors.sending import Sending
from referral.connectors.webhooks import Webhooks
from referral.database import Sessions, transaction
from referral.privacy import Privacy
from tests.referral.conftest import Time
from tests.referral.connectors.chatwoot import ChatwootReceiver
from tests.referral.connectors.line import CANARY, Line
from tests.referral.connectors.primero import PrimeroReceiver
from tests.referral.connectors.receivers import (
    Fault,
    Hangs,
    LosesAnswer,
    Receiver,
    Says,
    WebhookReceiver,
    Works,
)
from tests.referral.serving import serving

RECEIVERS: dict[str, Callable[[Clock], Receiver]] = {
    "standard webhooks": lambda clock: WebhookReceiver(clock=clock),
    "standard webhooks without words": lambda clock: WebhookReceiver(clock=clock, with_words=False),
    "primero": PrimeroReceiver,
    "chatwoot": ChatwootReceiver,
}

#: A connector gives up after this long in these tests, so that one that hangs costs no minute.
_PATIENCE = timedelta(seconds=0.5)


@pytest.fixture(params=list(RECEIVERS))
def receiver(request: pytest.FixtureRequest, clock: Time) -> Receiver:
    """Each system in turn."""
    return RECEIVERS[request.param](clock)


@pytest.fixture
async def line(
    sessions: Sessions, database: str, privacy: Privacy, clock: Time, receiver: Receiver
) -> AsyncIterator[Line]:
    """A desk that is connected to it."""
    async with (
        serving(receiver.app()) as url,
        httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
    ):
        connector = receiver.connector(client, url=url, patience=_PATIENCE)
        registry = Registry([connector], webhooks=Webhooks(client, privacy=privacy, private=True))
        async with transaction(sessions) as session:
            await registry.switch_on(session, now=clock())
        sending = Sending(
            sessions,
            registry=registry,
            privacy=privacy,
            changes=Changes(database),
            clock=clock,
            count=lambda _: None,
        )
        yield Line(sessions, privacy=privacy, clock=clock, sending=sending, connection=connector.name)


async def test_a_whole_case_arrives(line: Line, receiver: Receiver) -> None:
    case = await line.whole_talk()
    await line.drain()

    assert receiver.heard(case)
    assert await line.letters("open") == []
    assert await line.letters("parked") == []


@pytest.mark.parametrize(
    "fault",
    [Says(status=429, retry_after="120"), Says(status=500), Says(status=503), Hangs(), LosesAnswer()],
    ids=str,
)
async def test_whatever_fails_on_the_way_the_other_side_ends_up_the_same(
    line: Line, receiver: Receiver, fault: Fault
) -> None:
    calm = await line.whole_talk()
    await line.settle()
    needed = receiver.requests

    receiver.fail(fault, fault)
    stormy = await line.whole_talk()
    await line.settle()

    assert receiver.heard(stormy) == receiver.heard(calm)
    assert receiver.requests > 2 * needed
    assert await line.letters("parked") == []


async def test_an_answer_that_is_lost_at_any_step_doubles_nothing(line: Line, receiver: Receiver) -> None:
    calm = await line.whole_talk()
    await line.settle()

    for step in range(receiver.requests):
        receiver.fail(*[Works()] * step, LosesAnswer())
        stormy = await line.whole_talk()
        await line.settle()
        assert receiver.heard(stormy) == receiver.heard(calm), step


async def test_a_pause_that_is_asked_for_is_kept(line: Line, receiver: Receiver, clock: Time) -> None:
    receiver.fail(Says(status=429, retry_after="7200"))
    case = await line.open()
    await line.drain()
    asked = receiver.requests

    clock.forward(timedelta(hours=1, minutes=59))
    await line.drain()
    before = receiver.requests
    clock.forward(timedelta(minutes=2))
    await line.drain()

    assert (asked, before) == (1, 1)
    assert receiver.heard(case)


async def test_while_the_other_side_hangs_the_desk_goes_on_and_nothing_is_lost(
    line: Line, receiver: Receiver
) -> None:
    receiver.fail(Hangs(), Hangs(), Hangs())
    cases = [await line.whole_talk() for _ in range(3)]
    await line.drain()
    at_once = [list(receiver.heard(case)) for case in cases]
    await line.settle()

    assert at_once == [[], [], []]
    assert receiver.heard(cases[0]) == receiver.heard(cases[1]) == receiver.heard(cases[2]) != []


async def test_a_letter_that_fails_again_and_again_is_parked_with_its_reason_and_others_go_on(
    line: Line, receiver: Receiver
) -> None:
    receiver.fail(*[Says(status=500)] * MOST_ATTEMPTS)
    case = await line.open()
    await line.settle()
    another = await line.open()
    await line.settle()

    (parked,) = await line.letters("parked")
    assert parked.case_id == case
    assert parked.reason == "500"
    assert parked.attempts == MOST_ATTEMPTS
    assert receiver.heard(another)


async def test_a_parked_letter_can_be_sent_again(line: Line, receiver: Receiver, clock: Time) -> None:
    receiver.fail(*[Says(status=500)] * MOST_ATTEMPTS)
    case = await line.open()
    await line.settle()
    (parked,) = await line.letters("parked")

    async with line.repository() as letters:
        await letters.send_again(parked.number, now=clock())
    await line.settle()

    assert receiver.heard(case)
    assert await line.letters("parked") == []


async def test_what_follows_a_letter_that_was_lost_still_makes_sense(line: Line, receiver: Receiver) -> None:
    receiver.fail(*[Says(status=500)] * MOST_ATTEMPTS)
    case = await line.open()
    await line.settle()

    await line.say(case, "ещё", danger=DangerLevel.URGENT)
    async with line.desk() as desk:
        await desk.take_next()
    await line.settle()

    assert receiver.heard(case)
    assert len(await line.letters("parked")) == 1


async def test_a_deletion_takes_everything_with_it_and_leaves_others_alone(
    line: Line, receiver: Receiver
) -> None:
    case, other = await line.whole_talk(), await line.whole_talk()
    await line.drain()

    await line.forget(case)
    await line.drain()

    assert not receiver.knows(case)
    assert receiver.knows(other)


async def test_whoever_was_told_of_a_case_hears_that_consent_was_taken_back(line: Line) -> None:
    case = await line.open()
    await line.drain()
    await line.revoke(case)
    await line.drain()

    assert [letter.kind for letter in await line.letters("delivered")] == ["opened", "consent_revoked"]


async def test_what_was_not_sent_before_a_deletion_never_is(line: Line, receiver: Receiver) -> None:
    receiver.fail(Says(status=503))
    case = await line.whole_talk()
    await line.drain()
    await line.forget(case)
    await line.settle()

    assert CANARY not in receiver.everything()
    assert not receiver.knows(case)
    (delivered,) = await line.letters("delivered")
    assert delivered.kind == "forgotten"


async def test_a_deletion_is_tried_until_it_arrives(line: Line, receiver: Receiver) -> None:
    case = await line.whole_talk()
    await line.drain()
    await line.forget(case)
    receiver.fail(*[Says(status=500)] * (MOST_ATTEMPTS + 5))
    await line.settle()

    assert CANARY not in receiver.everything()
    assert not receiver.knows(case)
    assert await line.letters("parked") == []


async def test_a_case_that_nobody_was_told_of_needs_no_deletion(
    line: Line, receiver: Receiver, clock: Time
) -> None:
    (connection,) = await _connections(line)
    async with line.repository() as letters:
        await letters.disconnect(connection, reason="test", now=clock())
    case = await line.open()
    await line.forget(case)

    assert await line.letters("open") == []
    assert receiver.requests == 0


async def test_without_consent_no_word_goes_out(line: Line, receiver: Receiver) -> None:
    await line.whole_talk(consent="", card={"since": CANARY})
    await line.settle()

    assert CANARY not in receiver.everything()


async def test_once_consent_is_taken_back_no_further_word_goes_out(line: Line, receiver: Receiver) -> None:
    case = await line.open()
    await line.drain()
    await line.revoke(case)
    await line.say(case, CANARY)
    await line.settle()

    assert CANARY not in receiver.everything()


async def test_notes_of_operators_never_go_out(line: Line, receiver: Receiver) -> None:
    await line.whole_talk()
    await line.settle()

    assert f"{CANARY} в записке" not in receiver.everything()


async def _connections(line: Line) -> list[str]:
    async with line.repository() as letters:
        return [connection.name for connection in await letters.connections()]
