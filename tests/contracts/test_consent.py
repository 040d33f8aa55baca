"""What a visitor agrees to reaches the desk and whoever it tells: real worker, real desk, a real receiver."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from bot.privacy import Privacy
from flows.speech import in_every_language
from flows.state import State
from referral.operators.rules import Role
from tests.bot.conftest import SECRET
from tests.bot.test_worker import WebVisitor
from tests.contracts.test_hours import visitor_of
from tests.flows.worlds import real_book
from tests.referral.conftest import Time
from tests.referral.connectors.receivers import WebhookReceiver
from tests.referral.connectors.test_webhooks import _add, _told, service
from tests.referral.desk import OperatorClient, Service, eventually
from tests.referral.serving import serving

__all__ = ["service"]

MAY_BE_TOLD = "Others who can help may be told"
MAY_NOT = "Others may not be told"


async def test_others_hear_only_of_who_agreed_and_of_nothing_after_it_was_taken_back(
    service: Service, clock: Time, database_url: str
) -> None:
    receiver = WebhookReceiver(clock=clock)
    async with (
        serving(receiver.app()) as url,
        visitor_of(database_url, service) as agrees,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
    ):
        receiver.secret = await _add(vera, url, audience="others", kinds="closed", with_words="yes")
        refuses = WebVisitor(agrees.store, Privacy(SECRET), address="another device")
        withdraws = WebVisitor(agrees.store, Privacy(SECRET), address="a third device")
        told = await _asks(vera, agrees, "yes")
        kept = await _asks(vera, refuses, "no")
        taken_back = await _asks(vera, withdraws, "yes")
        cards = [await vera.see(f"/cases/{case}") for case in (told, kept, taken_back)]
        await withdraws.writes("don't share")
        await withdraws.does("choice", text="n:stop_sharing:confirm:yes")
        page = await _shows(vera, taken_back, lambda page: "took their consent back" in page)
        for case in (kept, taken_back, told):
            assert (await vera.close(case)).status_code == 303
        await _told(receiver, 1)

    [event] = [event for event in receiver.events if event["type"].endswith("closed")]
    assert event["data"]["case"] == str(told)
    offer, others = (_said(f"handover.{key}") for key in ("offer", "others"))
    assert event["data"]["consent"] == {"sentence": f"{offer}\n\n{others}", "others": True}
    assert [MAY_BE_TOLD in card for card in cards] == [True, False, True]
    assert [MAY_NOT in card for card in cards] == [False, True, False]
    assert MAY_BE_TOLD not in page


async def _asks(vera: OperatorClient, visitor: WebVisitor, answer: str) -> UUID:
    """The case of a visitor who answers so whether others may be told."""
    for pressed in ("i:talk_to_human", "n:handover:offer:yes", f"n:handover:others:{answer}"):
        await visitor.does("choice", text=pressed, locale="en", country="BY")
    case = await eventually(vera.take_next, lambda taken: taken is not None)
    assert case is not None
    return case


async def _shows(vera: OperatorClient, case: UUID, wanted: Callable[[str], bool]) -> str:
    return await eventually(lambda: vera.see(f"/cases/{case}"), wanted)


def _said(key: str) -> str:
    state = State(locale="en", country="BY")
    return in_every_language(real_book(), key, state=state, countries=("BY", "BD"))["en"]
