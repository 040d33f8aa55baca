"""How a file of the helpline's own reaches a visitor: fetched when wanted, gone when it is taken out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.documents.orders import NotMade, Press, PressBusy
from bot.documents.shelf import Shelf
from bot.referral_client import ReferralClient
from flows.effects import HandFile
from tests.flows.worlds import small_book
from tests.referral.serving import SERVICE_SECRET, serving

NOW = datetime(2026, 11, 29, tzinfo=UTC)


class Library:
    """The helpline's library, as the bot sees it."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[str] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/library/{number}", self._file)])

    async def _file(self, request: Request) -> Response:
        self.asked.append(request.path_params["number"])
        assert request.headers["webhook-signature"]
        return Response(b"%PDF-1.7", status_code=self.status)


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
async def press(library: Library) -> AsyncIterator[Press]:
    async with serving(library.app()) as url:
        client = ReferralClient(url, secret=SERVICE_SECRET)
        made = Press(book=small_book(), countries=("BY",), library=Shelf(client).fetch)
        yield made
        made.close()
        await client.close()


def _file() -> HandFile:
    return HandFile(number=str(uuid4()), title="Как заблокировать", form="pdf", locale="ru")


async def test_a_file_is_fetched_each_time_and_kept_nowhere(press: Press, library: Library) -> None:
    file = _file()
    order = press.order_of(file, at=NOW, linked=True)

    assert [await press.file(order) for _ in range(2)] == [b"%PDF-1.7"] * 2
    assert library.asked == [file.number] * 2
    assert (order.title, order.label) == ("Как заблокировать", "Как заблокировать (PDF)")
    assert order.path == f"/documents/{order.token}.pdf"


async def test_what_was_taken_out_is_gone_from_every_link(press: Press, library: Library) -> None:
    library.status = 404

    with pytest.raises(NotMade):
        await press.file(press.order_of(_file(), at=NOW, linked=False))


async def test_while_the_helpline_is_away_it_is_tried_again(press: Press, library: Library) -> None:
    library.status = 503

    with pytest.raises(PressBusy):
        await press.file(press.order_of(_file(), at=NOW, linked=False))


async def test_a_bot_without_a_helpline_has_no_such_files() -> None:
    press = Press(book=small_book(), countries=("BY",))

    with pytest.raises(NotMade):
        await press.file(press.order_of(_file(), at=NOW, linked=False))
    press.close()
