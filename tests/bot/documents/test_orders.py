"""Is every document made for the right day, in every form, and never at the expense of a conversation?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from bot.documents.orders import MOST_WAITING, NotMade, Order, Press, PressBusy
from bot.documents.routes import Allowance
from flows.effects import Hand
from tests.flows.worlds import real_book, small_book

HAND = Hand(document="plan", locale="en", country="BY", slots={"my_helps": "music", "my_whom": "mum"})
#: Two o'clock at night in Minsk, five in Dhaka.
NIGHT = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)


@pytest.fixture
def press() -> Iterator[Press]:
    made = Press(book=small_book(), countries=("BY", "BD"))
    yield made
    made.close()


@pytest.fixture
def broken_press() -> Iterator[Press]:
    """A press whose plan cannot be set in type: its picture is none."""
    made = Press(book=replace(small_book(), pictures={"lamp": "no picture"}), countries=("BY", "BD"))
    yield made
    made.close()


def order_of(press: Press) -> Order:
    return next(press.orders(HAND, at=NIGHT, linked=False))


@pytest.mark.parametrize(
    ("country", "day"),
    [("BY", "2026-11-29"), ("BD", "2026-11-29"), (None, "2026-11-28"), ("US", "2026-11-28")],
)
def test_a_document_bears_the_day_where_the_visitor_is(press: Press, country: str | None, day: str) -> None:
    (order,) = press.orders(replace(HAND, country=country), at=NIGHT, linked=False)

    assert order.handed_on == day


def test_there_is_an_order_for_each_form_and_each_link_has_a_token_of_its_own() -> None:
    press = Press(book=real_book(), countries=("BY", "BD"))
    hand = Hand(document="certificate", locale="ru", slots={"my_nickname": "Лис"})

    linked = list(press.orders(hand, at=NIGHT, linked=True))
    sent = list(press.orders(hand, at=NIGHT, linked=False))
    press.close()

    assert [order.name for order in sent] == ["certificate.pdf", "certificate.png"]
    assert {order.token for order in sent} == {""}
    assert len({order.token for order in linked}) == 2
    assert all(len(order.token) == 32 for order in linked)
    assert [order.path for order in linked] == [
        f"/documents/{linked[0].token}.pdf",
        f"/documents/{linked[1].token}.png",
    ]
    assert {order.label for order in linked} == {f"{linked[0].title} (PDF)", f"{linked[0].title} (PNG)"}


def test_an_order_is_kept_and_read_back(press: Press) -> None:
    order = order_of(press)

    assert Order.of(order.payload()) == order


async def test_the_same_order_gives_the_same_file(press: Press) -> None:
    order = order_of(press)

    assert await press.file(order) == await press.file(order)


async def test_what_cannot_be_set_in_type_is_not_made(broken_press: Press) -> None:
    with pytest.raises(NotMade) as caught:
        await broken_press.file(order_of(broken_press))

    assert caught.value.__cause__ is None


async def test_a_document_that_there_is_not_is_ordered_once_and_not_made(press: Press) -> None:
    (order,) = press.orders(replace(HAND, document="gone"), at=NIGHT, linked=False)

    assert order.title == "gone"
    with pytest.raises(NotMade):
        await press.file(order)


async def test_more_orders_than_can_wait_are_refused_at_once(press: Press) -> None:
    order = order_of(press)

    waiting = [asyncio.create_task(press.file(order)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(PressBusy):
        await press.file(order)

    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("key", ["document_failed", "document_not_here"])
@pytest.mark.parametrize("locale", ["en", "ru", "be", "bn"])
def test_what_does_not_come_is_said_in_every_language(key: str, locale: str) -> None:
    press = Press(book=real_book(), countries=("BY", "BD"))

    sorry = press.regret(replace(order_of(press), locale=locale), key)
    press.close()

    assert len(sorry.text) > 20
    assert sorry.locale == locale


def test_each_conversation_takes_so_much_and_later_again() -> None:
    time = 0.0
    allowance = Allowance(most=2, within=timedelta(minutes=1), now=lambda: time)
    child, other = UUID(int=1), uuid4()

    assert [allowance.take(child) for _ in range(3)] == [True, True, False]
    assert allowance.take(other)
    time = 61.0
    assert allowance.take(child)
